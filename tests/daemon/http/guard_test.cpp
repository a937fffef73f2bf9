// Where requests do not go: a server on loopback that must not hear of them, and a resolver that
// says what the test wants.
#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>

#include "daemon/http/client.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/false_names.hpp"
#include "tests/support/small_server.hpp"

using namespace vigil;
using namespace vigil::http;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

struct World {
  explicit World(Reach allowed = Reach()) : reach(std::move(allowed)) {
    for (const auto* name : {"http_proxy", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}) {
      ::unsetenv(name);
    }
  }
  ~World() {
    base.run([this]() -> asio::awaitable<void> {
      auto stopping = server.stop();
      co_await std::move(stopping);
    });
  }
  std::string port() const {
    const auto url = server.url("");
    return url.substr(url.rfind(':') + 1);
  }
  Received get(const std::string& url, const std::string& configured = "") {
    Request request;
    request.method = "GET";
    request.url = url;
    request.configured = configured;
    request.deadline = base.clock.now() + 10s;
    std::optional<Received> result;
    base.group.spawn("request", [this, &result, request]() -> asio::awaitable<void> {
      auto performing = client.perform(request);
      result = co_await std::move(performing);
    });
    base.until([&] { return result.has_value(); });
    return *result;
  }
  // Why it did not go there; nobody heard of it.
  std::string refusal(const std::string& url, const std::string& configured = "") {
    const auto before = server.heard.size();
    const auto received = get(url, configured);
    CHECK(server.heard.size() == before);
    if (received) return "answered";
    CHECK(received.error().error.code == ErrorCode::forbidden);
    CHECK_FALSE(received.error().may_have_arrived);
    CHECK_FALSE(received.error().worth_retrying);
    return received.error().error.message;
  }

  testing::ClockedWorld base{TimePoint{1'800'000'000s}};
  testing::SmallServer server{base.loop.get_executor()};
  Reach reach;
  Client client{base.loop.get_executor(), base.clock, reach};
};

}  // namespace

TEST_CASE(
    "an address on this machine is for what the configuration says there, and for that alone") {
  World world;
  const auto url = world.server.url("/x");
  CHECK(world.refusal(url).starts_with("127.0.0.1 is a loopback address"));
  CHECK(world.refusal(url, "http://127.0.0.1:1/").starts_with("127.0.0.1 is a loopback address"));
  CHECK(world.refusal(url, "https://example.com/").starts_with("127.0.0.1 is a loopback address"));
  CHECK(world.server.connections == 0);
  REQUIRE(world.get(url, world.server.url("/other")).has_value());
  CHECK(world.server.heard.back().target == "/x");
  // The connection that is open now is not for others.
  CHECK(world.refusal(url).starts_with("127.0.0.1 is a loopback address"));
  CHECK(world.server.connections == 1);
}

TEST_CASE("no spelling of an address leads there") {
  World world;
  for (const auto* host : {"127.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1.",
                           "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]", "[64:ff9b::7f00:1]",
                           "[2002:7f00:1::]", "0.0.0.0", "[::]", "localhost", "LOCALHOST.",
                           "x.localhost", "user@127.0.0.1", "169.254.169.254", "10.0.0.1"}) {
    CAPTURE(host);
    const auto why = world.refusal(std::string("http://") + host + ":" + world.port() + "/");
    CHECK(why.find("where requests do not go") != std::string::npos);
  }
  CHECK(world.server.connections == 0);
}

TEST_CASE("a name is as good as the address it has when it is connected to") {
  World world;
  const auto url = "http://printer.inside:" + world.port() + "/";
  const auto why =
      "printer.inside is at 127.0.0.1, a loopback address, where requests do not go; "
      "if it is meant: [outgoing] allow = [\"printer.inside:" +
      world.port() + "\"]";
  CHECK(world.refusal(url) == why);
  CHECK(world.refusal(url, url) == why);  // a name in the configuration says no address
  CHECK(world.server.connections == 0);
  world.reach = Reach({"printer.inside:" + world.port()});
  REQUIRE(world.get(url).has_value());
  CHECK(world.server.connections == 1);
  // Once it is not allowed any more, the connection that is open is not used either.
  world.reach = Reach();
  CHECK(world.refusal(url) == why);
  CHECK(world.server.heard.size() == 1);
}

TEST_CASE("a redirect leads nowhere else") {
  World world(Reach({"door.inside"}));
  const auto door = "http://door.inside:" + world.port();
  for (const auto& to :
       {world.server.url("/secret"), "http://localhost:" + world.port() + "/secret",
        "http://other.inside:" + world.port() + "/secret",
        std::string("http://169.254.169.254/latest/meta-data/")}) {
    CAPTURE(to);
    world.server.replies.push_back({302, "", {{"Location", to}}});
    const auto answer = world.get(door + "/", door);
    REQUIRE(answer.has_value());
    CHECK(answer->status == 302);
    CHECK(world.server.heard.back().target == "/");
  }
}

TEST_CASE("a proxy of the environment is reached wherever it is, and not used to get further in") {
  World world;
  ::setenv("http_proxy", world.server.url("").c_str(), 1);
  const auto answer = world.get("http://public.example/thing");
  REQUIRE(answer.has_value());
  CHECK(world.server.heard.back().target == "http://public.example/thing");
  CHECK(world.refusal("http://10.0.0.1/").starts_with("10.0.0.1 is a private address"));
  CHECK(world.refusal("http://localhost/").find("a loopback address") != std::string::npos);
  ::unsetenv("http_proxy");
}
