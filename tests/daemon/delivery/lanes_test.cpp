// Which action goes next: order within a lane, limits of a sink.
#include "daemon/delivery/lanes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "daemon/delivery/hourly_limit.hpp"

using namespace vigil;
using namespace vigil::delivery;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint start{1'000'000s};

Lanes::Place place(std::int64_t case_id, std::string sink = "chat") {
  return {"", CaseId{case_id}, std::move(sink)};
}

using Ids = std::vector<ActionId>;

}  // namespace

TEST_CASE("a lane gives one at a time, in the order of ids") {
  Lanes lanes(4);
  lanes.add(ActionId{3}, place(1), start);
  lanes.add(ActionId{2}, place(1), start);
  lanes.add(ActionId{5}, place(2), start);
  CHECK(lanes.take(start) == Ids{ActionId{2}, ActionId{5}});
  CHECK(lanes.take(start).empty());
  CHECK(lanes.running() == 2);
  // An older one that is approved late does not disturb the one that runs.
  lanes.add(ActionId{1}, place(1), start);
  CHECK(lanes.take(start).empty());
  lanes.ended(ActionId{2});
  CHECK(lanes.take(start) == Ids{ActionId{1}});
  lanes.ended(ActionId{1});
  CHECK(lanes.take(start) == Ids{ActionId{3}});
}

TEST_CASE("one that is put off holds its lane until its time") {
  Lanes lanes(4);
  lanes.add(ActionId{1}, place(1), start);
  lanes.add(ActionId{2}, place(1), start);
  CHECK(lanes.take(start) == Ids{ActionId{1}});
  lanes.put_off(ActionId{1}, start + 10s);
  CHECK(lanes.take(start + 9s).empty());
  CHECK(lanes.next(start) == start + 10s);
  CHECK(lanes.take(start + 10s) == Ids{ActionId{1}});
  CHECK_FALSE(lanes.next(start + 10s).has_value());  // something ends first
}

TEST_CASE("a sink takes so many at once, the oldest first, and none while it is closed") {
  Lanes lanes(2);
  for (int i = 9; i > 0; --i) lanes.add(ActionId{i}, place(100 - i), start);
  lanes.add(ActionId{50}, place(1, "log"), start);
  CHECK(lanes.take(start) == Ids{ActionId{1}, ActionId{2}, ActionId{50}});
  lanes.ended(ActionId{1});
  lanes.close_sink("chat", start + 1min);
  CHECK(lanes.take(start).empty());
  CHECK(lanes.next(start) == start + 1min);
  lanes.open_sinks();
  CHECK(lanes.take(start) == Ids{ActionId{3}});
}

TEST_CASE("whatever happens, each is given once at a time and none is lost") {
  constexpr unsigned seed = 7;
  MESSAGE("seed: ", seed);
  std::mt19937 random(seed);
  const auto pick = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
  Lanes lanes(3);
  auto now = start;
  std::set<ActionId> open;
  std::set<ActionId> running;
  std::map<ActionId, Lanes::Place> where;
  std::int64_t last = 0;
  for (int step = 0; step < 20'000; ++step) {
    const int what = pick(9);
    if (what < 4 && last < 3'000) {
      const ActionId id{++last};
      where[id] = place(pick(20), pick(1) == 0 ? "chat" : "log");
      lanes.add(id, where[id], now + pick(5) * 1s);
      open.insert(id);
    } else if (what < 8 && !running.empty()) {
      const auto id = *std::next(running.begin(), pick(static_cast<int>(running.size()) - 1));
      running.erase(id);
      if (pick(2) == 0) {
        lanes.put_off(id, now + pick(9) * 1s);
      } else {
        lanes.ended(id);
        open.erase(id);
      }
    } else {
      now += pick(2) * 1s;
    }
    for (const auto id : lanes.take(now)) {
      REQUIRE(open.contains(id));
      for (const auto other : running) {
        REQUIRE((where[other].case_id != where[id].case_id || where[other].sink != where[id].sink));
      }
      REQUIRE(running.insert(id).second);
    }
    REQUIRE(lanes.running() == running.size());
    REQUIRE(lanes.size() == open.size());
    for (const auto* sink : {"chat", "log"}) {
      REQUIRE(std::ranges::count_if(running, [&](ActionId id) { return where[id].sink == sink; }) <=
              3);
    }
  }
  while (!open.empty()) {
    for (const auto id : running) {
      lanes.ended(id);
      open.erase(id);
    }
    running.clear();
    now = std::max(now, lanes.next(now).value_or(now));
    for (const auto id : lanes.take(now)) running.insert(id);
    REQUIRE((open.empty() || !running.empty()));
  }
  CHECK(lanes.size() == 0);
}

TEST_CASE("an hourly limit slides") {
  HourlyLimit limit;
  limit.remember(start - 10min);
  limit.remember(start - 50min);
  CHECK(limit.take(start, 3));
  CHECK_FALSE(limit.take(start, 3));
  CHECK(limit.free_at(3) == start + 10min);
  CHECK_FALSE(limit.take(start + 10min - 1us, 3));
  CHECK(limit.take(start + 10min, 3));
  CHECK(limit.free_at(3) == start + 50min);
  // A limit that was lowered meanwhile counts what has happened.
  CHECK_FALSE(limit.take(start + 50min, 1));
  CHECK(limit.free_at(1) == start + 70min);
}
