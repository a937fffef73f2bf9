// The scheduler over a real journal under a clock that the test moves.
#include "tests/daemon/ingress/schedule_world.hpp"

using namespace vigil;
using namespace std::chrono_literals;
using testing::at;
using World = testing::ScheduleWorld;
using Texts = std::vector<std::string>;

TEST_CASE("a firing is an event with the schedule's own words and its nominal time") {
  World world("2026-11-23T05:59:00Z");
  auto& schedule = world.add("morning");
  schedule.cron = "0 7 * * *";
  schedule.tz = "Europe/Berlin";
  schedule.type = "day.begins";
  schedule.subject = "office";
  schedule.data = {{"text", "hello"}};
  world.start();
  world.pass(59s);
  CHECK(world.fired.empty());
  world.pass(1s);
  REQUIRE(world.fired.size() == 1);
  const auto& event = world.fired[0];
  CHECK(event.uid == "morning@2026-11-23T06:00:00.000Z");
  CHECK(event.source == "morning");
  CHECK(event.type == "day.begins");
  CHECK(event.subject == "office");
  CHECK(event.taint == Taint::trusted);
  CHECK(event.time == at("2026-11-23T06:00:00Z"));
  CHECK(event.data == R"({"text":"hello","nominal":"2026-11-23T06:00:00.000Z"})");
  CHECK(parse_json(event.data).value() == world.payloads[0]);
  CHECK(from_unix_us(world.cursor("morning")) == event.time);
  world.pass(24h);
  CHECK(world.fired.size() == 2);
}

TEST_CASE("three years go by with every clock change and nothing is lost or doubled") {
  World world("2026-01-01T00:00:00Z");
  world.add("berlin").cron = "30 2 * * *";
  world.add("york").cron = "30 2 * * *";
  world.add("howe").cron = "45 1 * * sun";
  world.add("weekly").every = 7 * 24h;
  const auto schedule = [&](const char* name) -> config::Schedule& {
    return std::get<config::Schedule>(world.settings.sources[name].of);
  };
  schedule("berlin").tz = "Europe/Berlin";
  schedule("york").tz = "America/New_York";
  schedule("howe").tz = "Australia/Lord_Howe";
  world.start();
  world.pass_until(at("2029-01-01T00:00:00Z"));
  std::map<std::string, int> count;
  for (const auto& event : world.fired) ++count[event.source];
  CHECK(count["berlin"] == 3 * 365 + 1);  // 2028 is a leap year
  CHECK(count["york"] == 3 * 365 + 1);
  CHECK(count["howe"] == 157);
  CHECK(count["weekly"] == 156);
  CHECK(world.duplicates == 0);
}

TEST_CASE("a new schedule has missed nothing, and one that means other times neither") {
  World world("2026-11-23T12:00:00Z");
  world.add("nightly").cron = "0 3 * * *";
  world.start();
  CHECK(world.fired.empty());
  world.away_until("2026-11-24T12:00:00Z");
  CHECK(world.nominals() == Texts{"2026-11-24T03:00:00.000Z"});  // known now, so it was missed
  world.add("nightly").cron = "0 4 * * *";
  world.away_until("2026-11-25T12:00:00Z");
  CHECK(world.fired.size() == 1);
  world.pass(24h);
  CHECK(world.fired.back().uid == "nightly@2026-11-26T04:00:00.000Z");
}

TEST_CASE("at fires once in its life") {
  World world("2026-11-23T05:59:00Z");
  world.add("launch").at = at("2026-11-23T06:00:00Z");
  world.add("past").at = at("2020-01-01T00:00:00Z");
  world.add("just-now").at = at("2026-11-23T05:58:30Z");
  world.start();
  CHECK(world.nominals() == Texts{"2026-11-23T05:58:30.000Z"});
  world.pass(48h);
  CHECK(world.fired.size() == 2);
  world.away_until("2027-01-01T00:00:00Z");
  world.pass(48h);
  CHECK(world.fired.size() == 2);
  CHECK(world.clock.next_deadline() == TimePoint::max());
  CHECK(world.scheduler->upcoming(3).empty());
}

TEST_CASE("a reload keeps what is the same, starts what is new, forgets what is gone") {
  World world("2026-11-23T05:30:00Z");
  world.add("a").cron = "0 * * * *";
  world.add("b").cron = "0 * * * *";
  world.start();
  world.pass(1h);
  CHECK(world.fired.size() == 2);
  world.settings.sources.erase("b");
  world.add("a").cron = "0 * * * *";
  world.add("a").subject = "new words";
  std::get<config::Schedule>(world.settings.sources["a"].of).cron = "0 * * * *";
  world.add("c").every = 30min;
  REQUIRE(world.scheduler->apply(world.settings));
  world.pass(1h);  // a at 07:00, c at 07:00 and 07:30
  CHECK(world.fired.size() == 5);
  CHECK(std::ranges::count(world.fired, "new words", &storage::NewEvent::subject) == 1);
  // It comes back later and has missed nothing.
  world.add("b").cron = "0 * * * *";
  world.settings.sources.erase("c");
  REQUIRE(world.scheduler->apply(world.settings));
  world.settle();
  CHECK(world.fired.size() == 5);
  world.pass(30min);
  CHECK(world.fired.size() == 7);
}

TEST_CASE("a schedule that cannot fire changes nothing") {
  World world("2026-11-23T05:30:00Z");
  world.add("a").cron = "0 * * * *";
  world.start();
  auto wrong = world.settings;
  std::get<config::Schedule>(wrong.sources["a"].of).cron = "0 0 30 2 *";
  const auto refused = world.scheduler->apply(wrong);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("source.a.cron") == 0);
  world.pass(1h);
  CHECK(world.fired.size() == 1);
}

TEST_CASE("a cursor from a clock that was wrong does not silence a schedule") {
  World world("2099-01-01T00:00:00Z");
  world.add("daily").cron = "0 6 * * *";
  world.start();
  world.pass(24h);
  REQUIRE(world.fired.size() == 1);
  world.stop();
  world.close();
  World later("2026-11-23T05:00:00Z");
  later.close();
  std::filesystem::remove_all(later.path);
  std::filesystem::rename(world.path, later.path);
  later.open();
  later.add("daily").cron = "0 6 * * *";
  later.start();
  later.pass(24h);
  CHECK(later.nominals() == Texts{"2026-11-23T06:00:00.000Z"});
}

TEST_CASE("upcoming firings in their order, the waiting ones first") {
  World world("2026-11-23T05:30:00Z");
  world.add("hourly").cron = "0 * * * *";
  world.add("half").every = 30min;
  world.start();
  const auto upcoming = world.scheduler->upcoming(2);
  REQUIRE(upcoming.size() == 4);
  CHECK(upcoming[0].source == "half");
  CHECK(upcoming[0].nominal == at("2026-11-23T06:00:00Z"));
  CHECK(upcoming[1].source == "hourly");
  CHECK(upcoming[2].source == "half");
  CHECK(upcoming[3].nominal == at("2026-11-23T07:00:00Z"));
}

TEST_CASE("without a schedule nobody sleeps, with many one does") {
  World world("2026-11-23T05:30:00Z");
  world.start();
  CHECK(world.clock.next_deadline() == TimePoint::max());
  for (int i = 0; i < 100; ++i) world.add("s" + std::to_string(i)).every = 1h;
  REQUIRE(world.scheduler->apply(world.settings));
  world.settle();
  CHECK(world.clock.next_deadline() == at("2026-11-23T06:00:00Z"));
  world.pass(30min);
  CHECK(world.fired.size() == 100);
}
