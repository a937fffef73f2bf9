// The wall clock is set by an hour, forwards and backwards, while somebody waits.
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "core/task_group.hpp"
#include "core/timeout.hpp"
#include "tests/support/jumping_clock.hpp"

namespace vigil {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using testing::JumpingClock;

constexpr TimePoint start{std::chrono::microseconds{1'790'000'000'000'000}};

asio::awaitable<bool> for_ever(Bell& bell) {
  co_await bell.wait();
  co_return true;
}

struct World {
  asio::io_context loop{1};
  ManualClock steady{start};
  JumpingClock clock{steady};
  Bell never{loop.get_executor()};
  TaskGroup group{loop.get_executor()};

  void poll() {
    loop.restart();
    while (loop.poll() > 0) loop.restart();
  }
  void pass(Duration time) {
    steady.advance_by(time);
    poll();
  }
  ~World() {
    group.cancel();
    poll();
  }
};

}  // namespace

TEST_CASE("a limit of ten seconds is ten seconds, however the wall clock is set") {
  for (const Duration jump : {Duration{1h}, Duration{-1h}, Duration{0}}) {
    World world;
    int late = 0;
    world.group.spawn("limited", [&]() -> asio::awaitable<void> {
      auto limited = with_timeout(world.clock, 10s, for_ever(world.never));
      Result<bool> done = co_await std::move(limited);
      if (!done && done.error().code == ErrorCode::timed_out) ++late;
    });
    world.poll();
    world.pass(4s);
    world.clock.jump(jump);
    world.poll();
    world.pass(5s);
    CHECK(late == 0);
    world.pass(1s);
    CHECK(late == 1);
  }
}

TEST_CASE("a moment of the wall clock comes when the clock shows it, however it is set") {
  struct Case {
    Duration jump;
    Duration left;  // of two hours, after one of them
  };
  for (const auto& [jump, left] : {Case{30min, 30min}, Case{-1h, 2h}, Case{2h, 0h}}) {
    World world;
    bool came = false;
    world.group.spawn("until", [&]() -> asio::awaitable<void> {
      const auto moment = start + 2h;
      co_await world.clock.sleep_until(moment);
      came = true;
    });
    world.poll();
    world.pass(1h);
    world.clock.jump(jump);
    world.poll();
    if (left > 0h) {
      world.pass(left - 1s);
      CHECK_FALSE(came);
      world.pass(1s);
    }
    CHECK(came);
  }
}

}  // namespace vigil
