// Who has to leave when there is no room for another connection.
#include <doctest/doctest.h>

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "tests/daemon/ingress/loopback.hpp"

namespace vigil::ingress {
namespace {

using namespace std::chrono_literals;
using testing::Client;
using testing::Loopback;
using testing::post;
namespace asio = boost::asio;

}  // namespace

TEST_CASE("when there is no room, who has been at nothing for longest makes room") {
  ServerLimits limits;
  limits.connections_max = 3;
  limits.head_timeout = limits.body_timeout = limits.idle_timeout = 10min;
  Loopback world(limits);
  Client slow_head(world.port);
  slow_head.send("POST /a HTTP/1.1\r\nHost:");
  Client slow_body(world.port);
  slow_body.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nx");
  REQUIRE(world.has_connections(2));
  world.advance(1200ms);
  Client served(world.port);
  served.send(post("first"));
  REQUIRE(world.answered(served));
  world.advance(1200ms);
  // Between two requests nobody is missed.
  Client four(world.port);
  four.send(post("four"));
  REQUIRE(world.answered(four));
  CHECK(four.got.starts_with("HTTP/1.1 200 "));
  REQUIRE(world.has_closed(served));
  four.send("POST /b HTTP/1.1\r\n");  // it begins another one
  world.settle();
  world.advance(1200ms);
  // Of those with a request on its way, the oldest.
  Client five(world.port);
  five.send(post("five"));
  REQUIRE(world.answered(five));
  REQUIRE(world.has_closed(slow_head));
  CHECK(world.server.stats().evicted == 2);
  CHECK(world.server.stats().connections == 3);
  slow_body.send(std::string(98, 'y'));
  REQUIRE(world.answered(slow_body));
}

TEST_CASE("who is being answered is never cut for others") {
  ServerLimits limits;
  limits.connections_max = 1;
  Loopback* here = nullptr;
  Loopback world(limits, [&here](Request) -> asio::awaitable<Response> {
    co_await here->bell.wait();
    co_return Response{};
  });
  here = &world;
  Client one(world.port);
  one.send(post("one"));
  REQUIRE(world.until([&] { return world.server.stats().requests == 1; }));
  world.clock.advance_by(2s);
  Client two(world.port);
  REQUIRE(world.has_closed(two));
  CHECK(two.got.starts_with("HTTP/1.1 503 "));
  world.bell.ring();
  REQUIRE(world.answered(one));
  CHECK(world.server.stats().evicted == 0);
}

TEST_CASE("one address has as many connections as it may, and no more") {
  ServerLimits limits;
  limits.connections_per_address_max = 2;
  Loopback world(limits);
  Client one(world.port);
  auto two = std::make_unique<Client>(world.port);
  REQUIRE(world.has_connections(2));
  Client three(world.port);
  REQUIRE(world.has_closed(three));
  CHECK(three.got.starts_with("HTTP/1.1 429 "));
  two.reset();
  REQUIRE(world.has_connections(1));
  Client four(world.port);
  four.send(post("four"));
  REQUIRE(world.answered(four));
}

}  // namespace vigil::ingress
