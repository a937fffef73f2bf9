// The wall clock is set by an hour while proposals and retries wait.
#include <doctest/doctest.h>

#include "tests/daemon/delivery/delivery_world.hpp"
#include "tests/support/jumping_clock.hpp"

using namespace vigil;
using namespace std::chrono_literals;
using testing::Reply;

namespace {

struct World : testing::DeliveryWorld {
  World() : wall(clock) {
    add_sink<config::HttpSink>("chat").url = server.url("/ops");
    courier.emplace(loop.get_executor(), wall, *writer,
                    [this](storage::Settled one) { settled.push_back(one.action); });
    REQUIRE(courier->apply(settings));
    run([this]() -> boost::asio::awaitable<void> {
      auto starting = courier->start(*reader);
      Result<void> started = co_await std::move(starting);
      CHECK(started.has_value());
    });
  }
  ~World() { stop(wall.now()); }
  void jump(Duration by) {
    wall.jump(by);
    settle();
  }
  testing::JumpingClock wall;
};

struct Jump {
  Duration by;
  Duration left;  // of two hours, after one of them
};
const Jump jumps[] = {{30min, 30min}, {-1h, 2h}, {1h, 0h}, {2h, 0h}};

}  // namespace

TEST_CASE("a proposal expires when the wall clock shows its time, and is told once") {
  for (const auto& [by, left] : jumps) {
    CAPTURE(by.count());
    World world;
    auto proposed = world.action("chat");
    proposed.state = "proposed";
    proposed.expires = world.wall.now() + 2h;
    const auto id = world.add(proposed);
    world.pass(1h);
    world.jump(by);
    if (left > 0h) {
      CHECK(world.clock.next_deadline() == world.clock.now() + left);
      world.pass(left - 1s);
      CHECK(world.state(id) == "proposed");
      world.pass(1s);
    }
    CHECK(world.state(id) == "expired");
    world.jump(-1h);  // which is before it expired: it stays expired
    world.pass(3h);
    CHECK(world.state(id) == "expired");
    CHECK(world.settled == std::vector{id});
    CHECK(world.server.heard.empty());
  }
}

TEST_CASE("what waits for its time or another attempt goes out once when the clock shows it") {
  for (const auto& [by, left] : jumps) {
    CAPTURE(by.count());
    World world;
    world.server.replies.push_back({429, "", {{"Retry-After", "7200"}}});
    const auto id = world.add(world.action("chat"));
    world.until_retried(id, 1);
    CHECK(world.row(id).not_before == world.wall.now() + 2h);
    world.pass(1h);
    world.jump(by);
    if (left > 0h) {
      CHECK(world.clock.next_deadline() == world.clock.now() + left);
      world.pass(left);
    }
    world.until_state(id, "delivered");
    CHECK(world.server.heard.size() == 2);
    world.jump(-1h);
    world.pass(3h);
    CHECK(world.server.heard.size() == 2);
  }
}

TEST_CASE("a request takes as long as it may, whatever the wall clock is set to meanwhile") {
  for (const Duration by : {Duration{1h}, Duration{-1h}}) {
    CAPTURE(by.count());
    World world;
    world.server.replies.push_back({200, "", {}, Reply::Manner::hang});
    const auto id = world.add(world.action("chat"));
    world.until([&] { return world.server.heard.size() == 1; });
    world.jump(by);
    CHECK(world.state(id) == "sending");
    world.clock.advance_by(9s);
    world.settle();
    CHECK(world.state(id) == "sending");
    world.clock.advance_by(1s);
    world.until([&] { return world.state(id) != "sending"; });
    CHECK(world.row(id).error.find("time") != std::string::npos);
  }
}
