// Who may call when.
#include "daemon/models/gate.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <vector>

#include "core/task_group.hpp"
#include "daemon/models/rate_headers.hpp"

using namespace vigil;
using namespace vigil::models;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

struct World {
  ~World() {
    inside.clear();
    group.cancel();
    poll();
  }
  void poll() {
    loop.restart();
    while (loop.poll() > 0) loop.restart();
  }
  void enter(int who, std::int64_t tokens = 1, Duration patience = 1h) {
    group.spawn("enter", [this, who, tokens, patience]() -> asio::awaitable<void> {
      auto entering = gate.enter(tokens, clock.now() + patience);
      Result<Gate::Pass> pass = co_await std::move(entering);
      if (!pass) {
        refused.push_back(who);
        co_return;
      }
      order.push_back(who);
      inside.push_back(std::move(*pass));
    });
    poll();
  }
  void pass(Duration time) {
    clock.advance_by(time);
    poll();
  }

  asio::io_context loop{1};
  ManualClock clock{TimePoint{1'800'000'000s}};
  Gate gate{loop.get_executor(), clock, {2, 0, 0}};
  std::vector<int> order;
  std::vector<int> refused;
  std::vector<Gate::Pass> inside;
  TaskGroup group{loop.get_executor()};
};

}  // namespace

TEST_CASE("so many at once, then in order of arrival") {
  World world;
  for (int who = 1; who <= 4; ++who) world.enter(who);
  CHECK(world.order == std::vector<int>{1, 2});
  CHECK(world.gate.waiting() == 2);
  world.inside.erase(world.inside.begin());
  world.poll();
  CHECK(world.order == std::vector<int>{1, 2, 3});
  world.gate.set({3, 0, 0});
  world.poll();
  CHECK(world.order == std::vector<int>{1, 2, 3, 4});
  CHECK(world.gate.inside() == 3);
}

TEST_CASE("calls a minute: a burst of a minute's worth, then evenly") {
  World world;
  world.gate.set({100, 6, 0});
  for (int who = 1; who <= 8; ++who) world.enter(who);
  CHECK(world.order.size() == 6);
  world.pass(9s);
  CHECK(world.order.size() == 6);
  world.pass(2s);
  CHECK(world.order.size() == 7);
  world.pass(10s);
  CHECK(world.order.size() == 8);
}

TEST_CASE("tokens a minute: what a call took in the end counts, not what was thought") {
  World world;
  world.gate.set({100, 0, 600});
  world.enter(1, 600);
  world.enter(2, 300);
  CHECK(world.order == std::vector<int>{1});
  world.inside[0].took(100);
  world.poll();
  CHECK(world.order == std::vector<int>{1, 2});
  world.enter(3, 100'000);  // more than ever: waits for a whole minute's worth, not for ever
  CHECK(world.order.size() == 2);
  world.pass(61s);
  CHECK(world.order.size() == 3);
}

TEST_CASE("nobody before the moment the API named, and nobody waits for what comes too late") {
  World world;
  world.gate.close_until(world.clock.now() + 30s);
  world.enter(1, 1, 10s);
  CHECK(world.refused == std::vector<int>{1});
  world.enter(2, 1, 60s);
  world.pass(29s);
  CHECK(world.order.empty());
  world.pass(2s);
  CHECK(world.order == std::vector<int>{2});
}

TEST_CASE("who is cancelled leaves the queue to the others") {
  World world;
  world.gate.set({1, 0, 0});
  world.enter(1);
  world.enter(2);
  world.group.cancel();
  world.poll();
  CHECK(world.gate.waiting() == 0);
  world.enter(3);
  world.inside.clear();
  world.poll();
  CHECK(world.order == std::vector<int>{1, 3});
}

TEST_CASE("what an API says about its limits") {
  const TimePoint now{1'800'000'000s};
  const auto until = [&](std::vector<std::pair<std::string, std::string>> headers) {
    http::Answer answer;
    answer.headers = std::move(headers);
    const auto limits = rate_limits_of(answer, now);
    return limits.closed_until ? *limits.closed_until - now : Duration{-1};
  };
  CHECK(until({{"x-ratelimit-remaining-requests", "5"}, {"x-ratelimit-reset-requests", "1s"}}) ==
        Duration{-1});
  CHECK(until({{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "6m0s"}}) ==
        6min);
  CHECK(until({{"x-ratelimit-remaining-tokens", "0"}, {"x-ratelimit-reset-tokens", "120ms"}}) ==
        120ms);
  CHECK(until({{"x-ratelimit-remaining-tokens", "0"}, {"x-ratelimit-reset-tokens", "soon"}}) ==
        Duration{-1});
  CHECK(until({{"anthropic-ratelimit-tokens-remaining", "0"},
               {"anthropic-ratelimit-tokens-reset", to_rfc3339(now + 7s)}}) == 7s);
  CHECK(until({{"x-ratelimit-remaining-requests", "0"},
               {"x-ratelimit-reset-requests", "999999h"}}) == 24h);
}
