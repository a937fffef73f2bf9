// The wall clock is set by an hour while schedules wait.
#include "tests/daemon/ingress/schedule_world.hpp"
#include "tests/support/jumping_clock.hpp"

namespace vigil::ingress {
namespace {

using namespace testing;
using Texts = std::vector<std::string>;

struct World : ScheduleWorld {
  using ScheduleWorld::ScheduleWorld;
  ~World() { stop(); }
  JumpingClock wall{clock};

  void begin() {
    scheduler.emplace(
        loop.get_executor(), wall, *writer,
        [this](storage::NewEvent event, json::value data) {
          return accept(std::move(event), std::move(data));
        },
        [](const std::string&) { return false; });
    REQUIRE(scheduler->apply(settings));
    scheduler->start(*reader);
    settle();
  }
  void jump(Duration by) {
    wall.jump(by);
    settle();
  }
};

}  // namespace

TEST_CASE("an hour forward: what was passed over fires once, by the rule, and the rest in time") {
  World world("2026-11-23T10:00:00Z");
  world.add("quarter").every = 15min;
  world.begin();
  world.pass(20min);
  REQUIRE(world.nominals() == Texts{"2026-11-23T10:15:00.000Z"});
  world.jump(1h);  // 11:20: 10:30, 10:45 and 11:00 were missed, 11:15, too
  CHECK(world.nominals() == Texts{"2026-11-23T10:15:00.000Z", "2026-11-23T11:15:00.000Z"});
  CHECK(find_integer(world.payloads.back(), "missed") == 3);
  world.pass(10min);
  CHECK(world.nominals().back() == "2026-11-23T11:30:00.000Z");
  CHECK(world.fired.size() == 3);
  CHECK(world.duplicates == 0);
}

TEST_CASE("an hour back: nothing fires twice, and what is new fires when it is due") {
  World world("2026-11-23T10:00:00Z");
  world.add("quarter").every = 15min;
  world.add("daily").cron = "10 10 * * *";
  world.begin();
  world.pass(20min);
  REQUIRE(world.fired.size() == 2);
  world.jump(-1h);  // 9:20
  world.pass(69min);
  CHECK(world.fired.size() == 2);
  world.pass(2min);  // 10:31
  CHECK(world.fired.size() == 3);
  CHECK(world.nominals().back() == "2026-11-23T10:30:00.000Z");
  world.pass(24h);
  CHECK(std::ranges::count(world.nominals(), "2026-11-24T10:10:00.000Z") == 1);
  CHECK(std::ranges::count(world.nominals(), "2026-11-23T10:10:00.000Z") == 1);
  CHECK(world.duplicates == 0);
}

TEST_CASE("back and forth in the hour that a change of clocks repeats, each firing is there once") {
  World world("2026-10-24T23:30:00Z");  // Berlin goes back at 01:00 UTC
  auto& night = world.add("night");
  night.cron = "*/30 * * * *";
  night.tz = "Europe/Berlin";
  world.begin();
  for (const Duration jump : {Duration{1h}, Duration{-1h}, Duration{1h}, Duration{-1h}}) {
    world.pass(40min);
    world.jump(jump);
  }
  world.pass(3h);
  auto all = world.nominals();
  const auto count = all.size();
  std::ranges::sort(all);
  const auto [first, last] = std::ranges::unique(all);
  all.erase(first, last);
  CHECK(all.size() == count);
  CHECK(count >= 8);
}

}  // namespace vigil::ingress
