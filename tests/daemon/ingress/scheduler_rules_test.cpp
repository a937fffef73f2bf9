// What the scheduler does with firings that were missed, that overlap, that are refused, that a
// crash interrupted.
#include "tests/daemon/ingress/schedule_world.hpp"

using namespace vigil;
using namespace std::chrono_literals;
using testing::at;
using World = testing::ScheduleWorld;
using Texts = std::vector<std::string>;

TEST_CASE("misfire rules after a week away") {
  World world("2026-11-15T12:00:00Z");
  auto& schedule = world.add("daily");
  schedule.cron = "0 6 * * *";
  SUBCASE("run_once fires one and says what it stands for") {
    world.start();
    world.away_until("2026-11-23T10:00:00Z");
    REQUIRE(world.fired.size() == 1);
    CHECK(world.fired[0].uid == "daily@2026-11-23T06:00:00.000Z");
    CHECK(find_integer(world.payloads[0], "missed") == 7);
  }
  SUBCASE("skip fires none, and remembers that") {
    schedule.misfire = config::Misfire::skip;
    world.start();
    world.away_until("2026-11-23T10:00:00Z");
    CHECK(world.fired.empty());
    CHECK(from_unix_us(world.cursor("daily")) == at("2026-11-23T06:00:00Z"));
  }
  SUBCASE("run_all fires each in order, spread out") {
    schedule.misfire = config::Misfire::run_all;
    schedule.catchup_spread = 10min;
    world.start();
    world.away_until("2026-11-23T10:00:00Z");
    CHECK(world.fired.size() == 1);
    world.pass(25min);
    CHECK(world.fired.size() == 3);
    world.pass(2h);
    REQUIRE(world.fired.size() == 8);
    CHECK(world.fired.front().uid == "daily@2026-11-16T06:00:00.000Z");
    CHECK(world.fired.back().uid == "daily@2026-11-23T06:00:00.000Z");
  }
  SUBCASE("run_all waits for the work on each, whatever the overlap rule") {
    schedule.misfire = config::Misfire::run_all;
    world.work_takes_for_ever = true;
    world.start();
    world.away_until("2026-11-18T10:00:00Z");
    CHECK(world.fired.size() == 1);
    world.work_is_done();
    world.work_is_done();
    CHECK(world.fired.size() == 3);
    // Those that still wait when the daemon ends are missed again, not lost.
    world.away_until("2026-11-18T11:00:00Z");
    CHECK(world.fired.size() == 3);
  }
  SUBCASE("a firing within the grace is not a misfire") {
    schedule.misfire = config::Misfire::skip;
    world.start();
    world.away_until("2026-11-16T06:00:45Z");
    CHECK(world.nominals() == Texts{"2026-11-16T06:00:00.000Z"});
  }
}

TEST_CASE("after a year away a schedule of every minute wakes nobody half a million times") {
  World world("2025-11-15T12:00:00Z");
  auto& schedule = world.add("minutely");
  schedule.cron = "* * * * *";
  SUBCASE("run_once: one firing stands for all") {
    world.start();
    world.away_until("2026-11-15T12:00:30Z");
    REQUIRE(world.fired.size() == 1);
    CHECK(world.fired[0].uid == "minutely@2026-11-15T12:00:00.000Z");
    CHECK(find_integer(world.payloads[0], "missed").value_or(0) > 0);
  }
  SUBCASE("run_all: the newest thousand at most, one after the other") {
    schedule.misfire = config::Misfire::run_all;
    world.work_takes_for_ever = true;
    world.start();
    world.away_until("2026-11-15T12:00:30Z");
    CHECK(world.fired.size() == 1);
    CHECK(at("2026-11-15T12:00:00Z") - *parse_rfc3339(world.nominals()[0]) < 1001min);
  }
}

TEST_CASE("waiting firings survive a restart") {
  World world("2026-11-15T12:00:00Z");
  auto& schedule = world.add("daily");
  schedule.cron = "0 6 * * *";
  schedule.misfire = config::Misfire::run_all;
  schedule.catchup_spread = 1h;
  world.start();
  world.away_until("2026-11-18T10:00:00Z");
  CHECK(world.fired.size() == 1);
  world.away_until("2026-11-18T10:10:00Z");
  world.pass(3h);
  CHECK(world.nominals() ==
        Texts{"2026-11-16T06:00:00.000Z", "2026-11-17T06:00:00.000Z", "2026-11-18T06:00:00.000Z"});
  CHECK(world.duplicates == 0);
}

TEST_CASE("a crash between the event and the cursor does not fire twice") {
  World world("2026-11-23T05:00:00Z");
  auto& schedule = world.add("daily");
  schedule.cron = "0 6 * * *";
  SUBCASE("run_once") {}
  SUBCASE("run_all") { schedule.misfire = config::Misfire::run_all; }
  world.start();
  const auto before = world.cursor("daily");
  world.pass(2h);
  REQUIRE(world.fired.size() == 1);
  world.stop();
  world.commit([before](storage::Stores& stores) { stores.cursors.set("schedule:daily", before); });
  world.start();
  world.pass(1h);
  CHECK(world.fired.size() == 1);
  CHECK(world.duplicates == 1);
  CHECK(from_unix_us(world.cursor("daily")) == at("2026-11-23T06:00:00Z"));
  world.pass(24h);
  CHECK(world.fired.size() == 2);
}

TEST_CASE("overlap rules while the last firing is at work") {
  World world("2026-11-23T09:59:00Z");
  auto& schedule = world.add("poll");
  schedule.every = 10min;
  world.work_takes_for_ever = true;
  std::vector<std::string> cancelled;
  const auto run = [&] {
    world.start();
    world.scheduler->on_cancel_other([&](const std::string& name) {
      cancelled.push_back(name);
      world.busy[name] = false;
    });
    world.pass(35min);  // due at 10:00, 10:10, 10:20, 10:30
  };
  SUBCASE("skip drops what comes meanwhile") {
    run();
    CHECK(world.nominals() == Texts{"2026-11-23T10:00:00.000Z"});
    world.work_is_done();
    CHECK(world.fired.size() == 1);
    CHECK(from_unix_us(world.cursor("poll")) == at("2026-11-23T10:30:00Z"));
    world.pass(6min);
    CHECK(world.fired.back().uid == "poll@2026-11-23T10:40:00.000Z");
  }
  SUBCASE("buffer_one keeps one") {
    schedule.overlap = config::Overlap::buffer_one;
    run();
    CHECK(world.fired.size() == 1);
    // While it waits the cursor stays before it.
    CHECK(from_unix_us(world.cursor("poll")) == at("2026-11-23T10:00:00Z"));
    world.work_is_done();
    CHECK(world.nominals() == Texts{"2026-11-23T10:00:00.000Z", "2026-11-23T10:10:00.000Z"});
    world.work_is_done();
    CHECK(world.fired.size() == 2);
    CHECK(from_unix_us(world.cursor("poll")) == at("2026-11-23T10:30:00Z"));
  }
  SUBCASE("buffer_all keeps all, one after the other") {
    schedule.overlap = config::Overlap::buffer_all;
    run();
    CHECK(world.fired.size() == 1);
    for (int i = 0; i < 5; ++i) world.work_is_done();
    CHECK(world.nominals() == Texts{"2026-11-23T10:00:00.000Z", "2026-11-23T10:10:00.000Z",
                                    "2026-11-23T10:20:00.000Z", "2026-11-23T10:30:00.000Z"});
  }
  SUBCASE("cancel_other has the old work cancelled first") {
    schedule.overlap = config::Overlap::cancel_other;
    run();
    CHECK(world.fired.size() == 4);
    CHECK(cancelled == Texts{"poll", "poll", "poll"});
  }
  SUBCASE("allow_all does not ask") {
    schedule.overlap = config::Overlap::allow_all;
    run();
    CHECK(world.fired.size() == 4);
    CHECK(cancelled.empty());
  }
}

TEST_CASE("what the journal refuses is tried again until it is taken") {
  World world("2026-11-23T05:59:00Z");
  world.add("daily").cron = "0 6 * * *";
  world.start();
  world.refuse = true;
  world.pass(10min);
  CHECK(world.fired.empty());
  const auto cursor = from_unix_us(world.cursor("daily"));
  CHECK(cursor < at("2026-11-23T06:00:00Z"));
  world.refuse = false;
  world.pass(2min);
  CHECK(world.nominals() == Texts{"2026-11-23T06:00:00.000Z"});
}
