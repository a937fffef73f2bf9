// What a client of the server sees: requests in, answers out, over real loopback sockets.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <boost/asio/awaitable.hpp>
#include <random>
#include <stdexcept>

#include "tests/daemon/ingress/loopback.hpp"

namespace vigil::ingress {
namespace {

using testing::bodies_of;
using testing::Client;
using testing::count_of;
using testing::Loopback;
using testing::post;
namespace asio = boost::asio;

}  // namespace

TEST_CASE("a connection carries one request after another") {
  Loopback world;
  Client client(world.port);
  for (int i = 1; i <= 5; ++i) {
    client.send(post(fmt::format("{}", i)));
    REQUIRE(world.answered(client, static_cast<std::size_t>(i)));
  }
  CHECK(bodies_of(client.got) ==
        std::vector<std::string>{"POST /a 1", "POST /a 2", "POST /a 3", "POST /a 4", "POST /a 5"});
  CHECK_FALSE(client.closed);
  CHECK(client.got.starts_with("HTTP/1.1 200 OK\r\nDate: Mon, 02 Feb 2026 02:40:00 GMT\r\n"));
  CHECK(world.server.stats().accepted == 1);
  CHECK(world.server.stats().requests == 5);
}

TEST_CASE("requests that come at once are answered in their order") {
  Loopback world;
  Client client(world.port);
  std::string all;
  for (int i = 0; i < 200; ++i) all += post(fmt::format("{}", i));
  client.send(all);
  REQUIRE(world.answered(client, 200));
  const auto bodies = bodies_of(client.got);
  REQUIRE(bodies.size() == 200);
  for (int i = 0; i < 200; ++i)
    CHECK(bodies[static_cast<std::size_t>(i)] == fmt::format("POST /a {}", i));
}

TEST_CASE("a request is the same however it is cut into pieces") {
  Loopback world;
  const auto bytes = post("hello", "X-One: 1\r\n") + "GET /b HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    CAPTURE(cut);
    Client client(world.port);
    client.send(bytes.substr(0, cut));
    world.settle();
    client.send(bytes.substr(cut));
    REQUIRE(world.answered(client, 2));
    CHECK(bodies_of(client.got) == std::vector<std::string>{"POST /a hello", "GET /b "});
  }
}

TEST_CASE("requests cut at random places arrive whole") {
  constexpr unsigned seed = 7;
  std::mt19937 random(seed);
  Loopback world;
  for (int round = 0; round < 30; ++round) {
    CAPTURE(round);
    std::string bytes;
    std::vector<std::string> wanted;
    for (int i = 0; i < 8; ++i) {
      std::string body(random() % 3000, static_cast<char>('a' + i));
      bytes += post(body);
      wanted.push_back("POST /a " + body);
    }
    Client client(world.port);
    while (!bytes.empty()) {
      const auto piece = std::min<std::size_t>(1 + random() % 2000, bytes.size());
      client.send(bytes.substr(0, piece));
      bytes.erase(0, piece);
      if (random() % 2 == 0) world.settle();
    }
    REQUIRE(world.answered(client, wanted.size()));
    CHECK(bodies_of(client.got) == wanted);
  }
}

TEST_CASE("a large body arrives whole") {
  std::string arrived;
  auto keep = [&arrived](Request request) -> asio::awaitable<Response> {
    arrived = std::move(request.body);
    co_return Response{};
  };
  Loopback world({}, keep);
  std::string body(9'000'000, 'x');
  for (std::size_t at = 0; at < body.size(); at += 997) body[at] = static_cast<char>('a' + at % 26);
  const auto bytes = post(body);
  Client client(world.port);
  std::size_t sent = 0;
  REQUIRE(world.until([&] {
    const auto piece = std::min<std::size_t>(100'000, bytes.size() - sent);
    client.send(std::string_view(bytes).substr(sent, piece));
    sent += piece;
    world.settle();  // what was sent is taken, so that the next piece finds room
    return sent == bytes.size();
  }));
  REQUIRE(world.answered(client));
  CHECK(arrived == body);
}

TEST_CASE("a large answer arrives whole, at the reader's pace") {
  const std::string large(8'000'000, 'y');
  auto give = [&large](Request) -> asio::awaitable<Response> {
    Response out;
    out.body = large;
    co_return out;
  };
  Loopback world({}, give);
  Client client(world.port);
  client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
  world.settle();
  REQUIRE(world.answered(client));
  CHECK(bodies_of(client.got).at(0) == large);
}

TEST_CASE("a client that has said all it has to say is still answered") {
  Loopback world;
  Client client(world.port);
  client.send(post("last"));
  client.end_sending();
  REQUIRE(world.has_closed(client));
  CHECK(bodies_of(client.got) == std::vector<std::string>{"POST /a last"});
}

TEST_CASE("a client that stops in the middle of a body is told how far it came") {
  Loopback world;
  Client client(world.port);
  client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1234");
  client.end_sending();
  REQUIRE(world.has_closed(client));
  CHECK(client.got.starts_with("HTTP/1.1 400 "));
  CHECK(client.got.contains("4 of 10 bytes"));
}

TEST_CASE("HTTP/1.0 and Connection: close end the connection after the answer") {
  Loopback world;
  for (const auto* request :
       {"GET /a HTTP/1.0\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}) {
    CAPTURE(request);
    Client client(world.port);
    client.send(std::string(request) + request);
    REQUIRE(world.has_closed(client));
    CHECK(bodies_of(client.got) == std::vector<std::string>{"GET /a "});
    CHECK(count_of(client.got, "Connection: close\r\n") == 1);
  }
}

TEST_CASE("HTTP/1.0 with keep-alive is told that it may stay") {
  Loopback world;
  Client client(world.port);
  client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  REQUIRE(world.answered(client));
  CHECK(client.got.contains("Connection: keep-alive\r\n"));
  client.send("GET /b HTTP/1.0\r\n\r\n");
  REQUIRE(world.has_closed(client));
  CHECK(client.got.ends_with("GET /b "));
}

TEST_CASE("the answer to HEAD has the length and no body") {
  Loopback world;
  Client client(world.port);
  client.send("HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  REQUIRE(world.has_closed(client));
  CHECK(client.got.contains("Content-Length: 8\r\n"));
  CHECK(client.got.ends_with("\r\n\r\n"));
}

TEST_CASE("what the head check refuses is answered before the body is read, and closed") {
  auto check = [](const Request& head) -> HeadVerdict {
    if (head.path() == "/gone") return {0, 404, R"({"error":"gone"})"};
    if (head.method != "POST") return {0, 405, "{}"};
    if (head.path() == "/full") return {0, 503, "{}"};
    return {10, 0, {}};
  };
  int handled = 0;
  auto count = [&handled](Request) -> asio::awaitable<Response> {
    ++handled;
    co_return Response{};
  };
  Loopback world({}, count, check);
  const auto status_of = [&](std::string_view bytes) {
    Client client(world.port);
    client.send(bytes);
    (void)world.answered(client);
    client.end_sending();
    REQUIRE(world.has_closed(client));
    CHECK(count_of(client.got, "\r\nDate: ") == 1);
    return client.got;
  };
  const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto gone =
      status_of("POST /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n" + hidden);
  CHECK(gone.starts_with("HTTP/1.1 404 Not Found\r\n"));
  CHECK(gone.ends_with(R"({"error":"gone"})"));
  const auto method = status_of("DELETE /a HTTP/1.1\r\nHost: a\r\n\r\n" + hidden);
  CHECK(method.starts_with("HTTP/1.1 405 "));
  CHECK(method.contains("\r\nAllow: POST\r\n"));
  CHECK(status_of("POST /full HTTP/1.1\r\nHost: a\r\n\r\n" + hidden).contains("\r\nRetry-After: "));
  const auto large = status_of("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  CHECK(large.starts_with("HTTP/1.1 413 "));
  CHECK(large.contains("10 bytes"));
  CHECK(handled == 0);
}

TEST_CASE("what is framed in two ways is refused, and what hides behind it is never read") {
  int handled = 0;
  auto count = [&handled](Request) -> asio::awaitable<Response> {
    ++handled;
    co_return Response{};
  };
  Loopback world({}, count);
  const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const auto& [fields, status] : std::vector<std::pair<std::string, std::string>>{
           {"Transfer-Encoding: chunked\r\n", "411"},
           {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "400"},
           {"Content-Length: 4\r\nContent-Length: 5\r\n", "400"},
           {"Content-Length : 4\r\n", "400"},
           {"X: a\r\n b\r\n", "400"},
           {"X: a\nContent-Length: 4\r\n", "400"}}) {
    CAPTURE(fields);
    Client client(world.port);
    client.send("POST /a HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n0\r\n\r\n" + hidden);
    client.end_sending();
    REQUIRE(world.has_closed(client));
    CHECK(client.got.starts_with("HTTP/1.1 " + status));
    CHECK(count_of(client.got, "\r\nDate: ") == 1);
    CHECK(client.got.contains("Connection: close\r\n"));
  }
  CHECK(handled == 0);
  CHECK(world.server.stats().refused_framing == 6);
}

TEST_CASE("who expects to be invited is invited after the head was checked, or refused instead") {
  auto check = [](const Request& head) -> HeadVerdict {
    if (head.path() == "/no") return {0, 404, "{}"};
    return {100, 0, {}};
  };
  Loopback world({}, testing::echo, check);
  Client client(world.port);
  client.send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  REQUIRE(world.until([&] {
    client.read_what_came();
    return client.got == "HTTP/1.1 100 Continue\r\n\r\n";
  }));
  client.send("hi");
  REQUIRE(world.answered(client));
  CHECK(bodies_of(client.got) == std::vector<std::string>{"POST /a hi"});
  client.send("POST /no HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  client.end_sending();
  REQUIRE(world.has_closed(client));
  CHECK(count_of(client.got, "100 Continue") == 1);
  CHECK(count_of(client.got, "404 Not Found") == 1);
}

TEST_CASE("a handler that throws is answered 500, and the connection goes on") {
  auto fail = [](Request request) -> asio::awaitable<Response> {
    if (request.target == "/throw") throw std::runtime_error("on purpose");
    co_return Response{};
  };
  Loopback world({}, fail);
  Client client(world.port);
  client.send("GET /throw HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(world.answered(client));
  CHECK(client.got.starts_with("HTTP/1.1 500 "));
  CHECK_FALSE(client.got.contains("on purpose"));
  client.send("GET /fine HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(world.answered(client, 2));
  CHECK(count_of(client.got, "HTTP/1.1 200 OK") == 1);
}

TEST_CASE("noise of any kind is refused or waited for, and never handled twice") {
  constexpr unsigned seed = 4711;
  std::mt19937 random(seed);
  Loopback world;
  const auto good = post("hello", "Connection: close\r\n");
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    auto bytes = good;
    for (unsigned i = 0; i < 1 + random() % 3; ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    Client client(world.port);
    client.send(bytes);
    client.end_sending();
    REQUIRE(world.has_closed(client));
    CHECK(count_of(client.got, "\r\nDate: ") <= 2);
  }
  REQUIRE(world.has_connections(0));
}

TEST_CASE("what a handler puts into a header stays one line") {
  auto careless = [](Request) -> asio::awaitable<Response> {
    Response out;
    out.content_type = "text/plain\r\nX-One: 1";
    out.headers.emplace_back("X-Two", "a\r\n\r\nHTTP/1.1 200 OK\n");
    co_return out;
  };
  Loopback world({}, careless);
  Client client(world.port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  REQUIRE(world.has_closed(client));
  CHECK(client.got.contains("\r\nContent-Type: text/plain  X-One: 1\r\n"));
  CHECK(client.got.contains("\r\nX-Two: a    HTTP/1.1 200 OK \r\n"));
  CHECK(client.got.find("\r\n\r\n") == client.got.size() - 4);
}

}  // namespace vigil::ingress
