// Clocks, deadlines, task groups and bells: what everything on the loop stands on.
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/bell.hpp"
#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/task_group.hpp"

using namespace vigil;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

struct World {
  asio::io_context loop{1};
  ManualClock clock{TimePoint{1000s}};
  TaskGroup group{loop.get_executor()};

  void turn() {
    loop.restart();
    loop.poll();
  }
  void end() {
    group.cancel();
    turn();
  }
};

asio::awaitable<int> answer_after(Clock& clock, Duration after, int answer, bool* cancelled) {
  try {
    co_await clock.sleep_for(after);
  } catch (const boost::system::system_error&) {
    *cancelled = true;
    throw;
  }
  co_return answer;
}

asio::awaitable<int> throw_at_once() {
  throw std::runtime_error("broken");
  co_return 1;
}

}  // namespace

TEST_CASE("sleepers of a manual clock wake in the order of their time") {
  World world;
  std::vector<int> woken;
  for (const int seconds : {3, 1, 2}) {
    world.group.spawn("sleeper", [&, seconds]() -> asio::awaitable<void> {
      const Duration how_long = std::chrono::seconds{seconds};
      co_await world.clock.sleep_for(how_long);
      woken.push_back(seconds);
    });
  }
  world.turn();
  CHECK(woken.empty());
  CHECK(world.clock.next_deadline() == TimePoint{1001s});
  world.clock.advance_by(2s);
  world.turn();
  CHECK(woken == std::vector{1, 2});
  world.clock.advance_by(1s);
  world.turn();
  CHECK(woken == std::vector{1, 2, 3});
  CHECK(world.clock.next_deadline() == TimePoint::max());
}

TEST_CASE("work that ends in time is answered, and its deadline leaves nothing behind") {
  World world;
  bool cancelled = false;
  Result<int> got = fail(ErrorCode::internal, "nothing yet");
  world.group.spawn("work", [&]() -> asio::awaitable<void> {
    auto work = answer_after(world.clock, 1s, 42, &cancelled);
    auto limited = with_deadline(world.clock, TimePoint{1010s}, std::move(work));
    got = co_await std::move(limited);
  });
  world.turn();
  world.clock.advance_by(1s);
  world.turn();
  CHECK(got.value() == 42);
  CHECK_FALSE(cancelled);
  CHECK(world.clock.next_deadline() == TimePoint::max());
}

TEST_CASE("work that is late is cancelled, awaited and named") {
  World world;
  bool cancelled = false;
  Result<int> got = 0;
  world.group.spawn("work", [&]() -> asio::awaitable<void> {
    auto work = answer_after(world.clock, 60s, 42, &cancelled);
    auto limited = with_deadline(world.clock, TimePoint{1010s}, std::move(work));
    got = co_await std::move(limited);
  });
  world.turn();
  world.clock.advance_by(10s);
  world.turn();
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == ErrorCode::timed_out);
  CHECK(cancelled);
}

TEST_CASE("what the work throws arrives at once, not at the deadline") {
  World world;
  std::string caught;
  world.group.spawn("work", [&]() -> asio::awaitable<void> {
    try {
      auto limited = with_deadline(world.clock, TimePoint{1010s}, throw_at_once());
      Result<int> ignored = co_await std::move(limited);
      (void)ignored;
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
  });
  world.turn();
  CHECK(caught == "broken");
}

TEST_CASE("cancelling from outside goes through a deadline") {
  World world;
  bool cancelled = false;
  bool aborted = false;
  world.group.spawn("work", [&]() -> asio::awaitable<void> {
    auto work = answer_after(world.clock, 60s, 42, &cancelled);
    auto limited = with_deadline(world.clock, TimePoint{1010s}, std::move(work));
    try {
      Result<int> ignored = co_await std::move(limited);
      (void)ignored;
    } catch (const boost::system::system_error&) {
      aborted = true;
      throw;
    }
  });
  world.turn();
  world.end();
  CHECK(cancelled);
  CHECK(aborted);
  CHECK(world.group.size() == 0);
}

TEST_CASE("a group is joined when its last task is over, and outlives a task that throws") {
  World world;
  bool joined = false;
  world.group.spawn("fails", []() -> asio::awaitable<void> {
    throw std::runtime_error("on purpose");
    co_return;
  });
  world.group.spawn("sleeps", [&]() -> asio::awaitable<void> {
    const Duration how_long = 5s;
    co_await world.clock.sleep_for(how_long);
  });
  TaskGroup waiter(world.loop.get_executor());
  waiter.spawn("joins", [&]() -> asio::awaitable<void> {
    co_await world.group.join();
    joined = true;
  });
  world.turn();
  CHECK_FALSE(joined);
  CHECK(world.group.size() == 1);
  world.clock.advance_by(5s);
  world.turn();
  CHECK(joined);
}

TEST_CASE("a ring while nobody waits is kept once") {
  World world;
  Bell bell(world.loop.get_executor());
  int woken = 0;
  bell.ring();
  bell.ring();
  world.group.spawn("waits", [&]() -> asio::awaitable<void> {
    while (true) {
      co_await bell.wait();
      ++woken;
    }
  });
  world.turn();
  CHECK(woken == 1);
  bell.ring();
  world.turn();
  CHECK(woken == 2);
  world.end();
  CHECK(world.group.size() == 0);
}

TEST_CASE("the system clock keeps its word, and a sleep can be cancelled") {
  asio::io_context loop(1);
  const auto clock = make_system_clock();
  TaskGroup group(loop.get_executor());
  bool slept = false;
  group.spawn("short", [&]() -> asio::awaitable<void> {
    const auto until = clock->now() + 5ms;
    co_await clock->sleep_until(until);
    slept = clock->now() >= until;
    group.cancel();
  });
  group.spawn("long", [&]() -> asio::awaitable<void> {
    const Duration how_long = 1h;
    co_await clock->sleep_for(how_long);
  });
  loop.run();
  CHECK(slept);
  CHECK(group.size() == 0);
}
