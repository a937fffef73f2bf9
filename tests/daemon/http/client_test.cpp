// The HTTP client against a real server on the loopback that behaves well and badly.
#include "daemon/http/client.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>

#include "core/digest.hpp"
#include "swarm/child.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/small_server.hpp"

using namespace vigil;
using namespace vigil::http;
using namespace std::chrono_literals;
using testing::Heard;
using testing::Reply;
namespace asio = boost::asio;

namespace {

struct World {
  World() {
    for (const auto* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy",
                             "ALL_PROXY", "no_proxy", "NO_PROXY"}) {
      ::unsetenv(name);
    }
  }
  ~World() {
    base.run([this]() -> asio::awaitable<void> {
      auto stopping = server.stop();
      co_await std::move(stopping);
    });
  }

  Request request(const std::string& path, std::string method = "POST") {
    Request out;
    out.method = std::move(method);
    out.url = server.url(path);
    out.deadline = base.clock.now() + 10s;
    return out;
  }
  void begin(Request what) {
    result.reset();
    base.group.spawn("request", [this, what]() -> asio::awaitable<void> {
      auto performing = client.perform(what);
      result = co_await std::move(performing);
    });
  }
  Received perform(Request what) {
    begin(std::move(what));
    base.until([this] { return result.has_value(); });
    return *result;
  }

  testing::ClockedWorld base{TimePoint{1'800'000'000s}};
  testing::SmallServer server{base.loop.get_executor()};
  Reach reach{{"127.0.0.0/8"}};
  Client client{base.loop.get_executor(), base.clock, reach};
  std::optional<Received> result;
};

}  // namespace

TEST_CASE("a request arrives as it was asked for, and its answer comes back") {
  World world;
  world.server.replies.push_back({201, R"({"id":7})", {{"X-Thing", " a value "}}});
  auto asked = world.request("/hooks/ops?x=1", "PATCH");
  asked.body = R"({"text":"hello"})";
  asked.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  const auto answer = world.perform(asked);
  REQUIRE(answer.has_value());
  CHECK(answer->status == 201);
  CHECK(answer->ok());
  CHECK(answer->body == R"({"id":7})");
  CHECK(answer->header("x-thing") == "a value");
  CHECK(answer->header("x-other").empty());
  REQUIRE(world.server.heard.size() == 1);
  const auto& heard = world.server.heard[0];
  CHECK(heard.method == "PATCH");
  CHECK(heard.target == "/hooks/ops?x=1");
  CHECK(heard.body == asked.body);
  CHECK(heard.headers.at("content-type") == "application/json");
  CHECK(heard.headers.at("x-empty").empty());
  CHECK_FALSE(heard.headers.contains("expect"));
}

TEST_CASE("connections are used again, unless a fresh one is asked for") {
  World world;
  for (int i = 0; i < 5; ++i) REQUIRE(world.perform(world.request("/")).has_value());
  CHECK(world.server.connections == 1);
  auto asked = world.request("/");
  asked.connection = Connection::fresh;
  REQUIRE(world.perform(asked).has_value());
  CHECK(world.server.connections == 2);
}

TEST_CASE("a large body arrives whole") {
  World world;
  auto asked = world.request("/");
  asked.body.assign(5 * 1024 * 1024, 'b');
  REQUIRE(world.perform(asked).has_value());
  CHECK(world.server.heard[0].body == asked.body);
}

TEST_CASE("every status is an answer") {
  World world;
  for (const int status : {400, 404, 429, 500, 503}) {
    world.server.replies.push_back({status, "no", {}});
    const auto answer = world.perform(world.request("/"));
    REQUIRE(answer.has_value());
    CHECK(answer->status == status);
    CHECK_FALSE(answer->ok());
  }
}

TEST_CASE("a server that says nothing is given up at the deadline, and may have understood") {
  World world;
  world.server.replies.push_back({.manner = Reply::Manner::hang});
  world.begin(world.request("/"));
  world.base.until([&] { return world.server.heard.size() == 1; });
  CHECK_FALSE(world.result.has_value());
  world.base.clock.advance_by(10s);
  world.base.until([&] { return world.result.has_value(); });
  REQUIRE_FALSE(world.result->has_value());
  CHECK(world.result->error().error.code == ErrorCode::timed_out);
  CHECK(world.result->error().may_have_arrived);
  CHECK(world.base.clock.next_deadline() == TimePoint::max());
}

TEST_CASE("a connection closed without an answer may have delivered, a refused one has not") {
  World world;
  auto asked = world.request("/");
  asked.connection = Connection::fresh;
  world.server.replies.push_back({.manner = Reply::Manner::close_before_answer});
  const auto closed = world.perform(asked);
  REQUIRE_FALSE(closed.has_value());
  CHECK(closed.error().may_have_arrived);
  CHECK(closed.error().worth_retrying);
  asio::ip::tcp::acceptor taken(world.base.loop, {asio::ip::address_v4::loopback(), 0});
  const auto port = taken.local_endpoint().port();
  taken.close();
  asked.url = fmt::format("http://127.0.0.1:{}/", port);
  const auto refused = world.perform(asked);
  REQUIRE_FALSE(refused.has_value());
  CHECK_FALSE(refused.error().may_have_arrived);
  CHECK(refused.error().worth_retrying);
  CHECK(refused.error().error.code == ErrorCode::unavailable);
}

TEST_CASE("an endless answer is cut and still an answer") {
  World world;
  world.server.replies.push_back({.manner = Reply::Manner::endless});
  auto asked = world.request("/", "GET");
  asked.answer_bytes_max = 100'000;
  const auto answer = world.perform(asked);
  REQUIRE(answer.has_value());
  CHECK(answer->status == 200);
  CHECK(answer->body.size() == 100'000);
  CHECK(answer->body_cut);
}

TEST_CASE("redirects are followed on the same server alone, with the method and body kept") {
  World world;
  world.server.otherwise = [&](const Heard& heard) -> Reply {
    if (heard.target == "/old") return {308, "", {{"Location", "/new"}}};
    if (heard.target == "/loop") return {307, "", {{"Location", "/loop"}}};
    if (heard.target == "/away") return {307, "", {{"Location", "http://198.51.100.1/x"}}};
    if (heard.target == "/seen") return {302, "", {{"Location", world.server.url("/new")}}};
    return {200, "here", {}};
  };
  auto asked = world.request("/old");
  asked.body = "payload";
  const auto moved = world.perform(asked);
  REQUIRE(moved.has_value());
  CHECK(moved->body == "here");
  CHECK(world.server.heard.back().method == "POST");
  CHECK(world.server.heard.back().body == "payload");
  CHECK(world.perform(world.request("/away"))->status == 307);
  CHECK(world.perform(world.request("/seen"))->status == 302);  // it would lose the body
  CHECK(world.perform(world.request("/seen", "GET"))->status == 200);
  const auto before = world.server.heard.size();
  CHECK(world.perform(world.request("/loop"))->status == 307);
  CHECK(world.server.heard.size() == before + 4);
}

TEST_CASE("what cannot be a request is refused before anything is sent") {
  World world;
  auto asked = world.request("/");
  asked.headers = {{"X-Team", "ops\r\nX-Evil: 1"}};
  const auto smuggled = world.perform(asked);
  REQUIRE_FALSE(smuggled.has_value());
  CHECK_FALSE(smuggled.error().worth_retrying);
  asked.headers.clear();
  for (const auto* url : {"file:///etc/passwd", "gopher://127.0.0.1/", "http://", ""}) {
    asked.url = url;
    const auto refused = world.perform(asked);
    REQUIRE_FALSE(refused.has_value());
    CHECK_FALSE(refused.error().worth_retrying);
  }
  CHECK(world.server.heard.empty());
}

TEST_CASE("a cancelled request ends at once and leaves the client usable") {
  World world;
  world.server.replies.push_back({.manner = Reply::Manner::hang});
  world.begin(world.request("/"));
  world.base.until([&] { return world.server.heard.size() == 1; });
  world.base.group.cancel();
  world.base.until([&] { return world.base.group.size() == 0; });
  CHECK_FALSE(world.result.has_value());
  CHECK(world.perform(world.request("/")).has_value());
}

TEST_CASE("many requests at once") {
  World world;
  int answered = 0;
  for (int i = 0; i < 64; ++i) {
    auto asked = world.request(fmt::format("/{}", i));
    world.base.group.spawn("request", [&, asked]() -> asio::awaitable<void> {
      auto performing = world.client.perform(asked);
      const Received answer = co_await std::move(performing);
      if (answer && answer->ok()) ++answered;
    });
  }
  world.base.until([&] { return world.base.group.size() == 0; });
  CHECK(answered == 64);
}

TEST_CASE("a proxy of the environment is used") {
  World world;
  ::setenv("http_proxy", world.server.url("").c_str(), 1);
  auto asked = world.request("/");
  asked.url = "http://hooks.example.org/ops";
  const auto answer = world.perform(asked);
  ::unsetenv("http_proxy");
  REQUIRE(answer.has_value());
  CHECK(world.server.heard.at(0).target == "http://hooks.example.org/ops");
}

TEST_CASE("with nothing open nobody has anything to do") {
  World world;
  REQUIRE(world.perform(world.request("/")).has_value());
  world.base.poll();
  CHECK(world.base.clock.next_deadline() == TimePoint::max());
}

TEST_CASE("Retry-After is seconds or a date") {
  const auto now = TimePoint{1'800'000'000s};  // 2027-01-15T08:00:00Z
  const auto asks = [&](std::string text) {
    Answer answer;
    answer.headers = {{"retry-after", std::move(text)}};
    return retry_after(answer, now);
  };
  CHECK(asks("120") == 120s);
  CHECK(asks("0") == 0s);
  CHECK(asks("Fri, 15 Jan 2027 08:00:30 GMT") == 30s);
  CHECK(asks("Fri, 15 Jan 2027 07:00:00 GMT") == 0s);
  CHECK_FALSE(asks("soon").has_value());
  CHECK_FALSE(retry_after(Answer{}, now).has_value());
}

TEST_CASE("a certificate nobody vouches for is refused") {
  World world;
  const auto script = R"(
import http.server, ssl, subprocess, sys
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
  "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "k.pem", "-out", "c.pem", "-days", "2",
  "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True,
  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("c.pem", "k.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever())";
  swarm::ChildSpec spec;
  spec.argv = {"python3", "-c", script};
  spec.workdir = world.base.path;
  spec.containment = swarm::Containment::none;
  auto started = swarm::Child::start(world.base.loop.get_executor(), spec);
  REQUIRE(started.has_value());
  std::string said;
  world.base.run([&]() -> asio::awaitable<void> {
    auto reading = started->read_output();
    said = co_await std::move(reading);
  });
  if (said.empty()) {
    MESSAGE("skipped: python3 and openssl are needed to make a TLS server");
    return;
  }
  auto asked = world.request("/", "GET");
  asked.url = fmt::format("https://127.0.0.1:{}/", std::stoi(said));
  const auto refused = world.perform(asked);
  REQUIRE_FALSE(refused.has_value());
  CHECK_FALSE(refused.error().worth_retrying);
  CHECK_FALSE(refused.error().may_have_arrived);
  CHECK(refused.error().error.message.find("certificate") != std::string::npos);
  world.base.run([&]() -> asio::awaitable<void> {
    auto stopping = started->stop(world.base.clock, 2s);
    const swarm::ChildExit ended = co_await std::move(stopping);
    (void)ended;  // by our signal
  });
}
