// The scheduler over a real journal under a clock that the test moves.
#include "daemon/ingress/scheduler.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "core/log.hpp"
#include "tests/support/clocked_world.hpp"

using namespace vigil;
using namespace vigil::ingress;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

TimePoint at(std::string_view text) { return parse_rfc3339(text).value(); }

struct World : testing::ClockedWorld {
  explicit World(std::string_view start) : ClockedWorld(at(start)) { set_log_level(LogLevel::off); }
  ~World() { stop(); }

  config::Schedule& add(const std::string& name) {
    auto& source = settings.sources[name];
    source.name = name;
    return source.of.emplace<config::Schedule>();
  }

  asio::awaitable<Result<storage::Appended>> accept(storage::NewEvent event, json::value data) {
    if (refuse) co_return fail(ErrorCode::busy, "on purpose");
    auto committing =
        writer->commit([event](storage::Stores& stores) { return stores.journal.append(event); });
    Result<storage::Appended> appended = co_await std::move(committing);
    if (appended && appended->duplicate) ++duplicates;
    if (appended && !appended->duplicate) {
      fired.push_back(event);
      payloads.push_back(std::move(data));
      if (work_takes_for_ever) busy[event.source] = true;
    }
    co_return appended;
  }

  void start() {
    scheduler.emplace(
        loop.get_executor(), clock, *writer,
        [this](storage::NewEvent event, json::value data) {
          return accept(std::move(event), std::move(data));
        },
        [this](const std::string& source) { return busy[source]; });
    REQUIRE(scheduler->apply(settings));
    scheduler->start(*reader);
    settle();
  }
  void stop() {
    if (!scheduler) return;
    run([this]() -> asio::awaitable<void> {
      auto stopping = scheduler->stop();
      co_await std::move(stopping);
    });
    scheduler.reset();
  }
  // Time goes by while the daemon is off.
  void away_until(std::string_view when) {
    stop();
    clock.advance_to(at(when));
    start();
  }
  void work_is_done() {
    busy.clear();
    scheduler->work_ended();
    settle();
  }
  std::vector<std::string> nominals() const {
    std::vector<std::string> out;
    for (const auto& event : fired) out.push_back(to_rfc3339(event.time));
    return out;
  }
  std::int64_t cursor(const std::string& name) { return reader->cursors.get("schedule:" + name); }

  config::Settings settings;
  std::vector<storage::NewEvent> fired;
  std::vector<json::value> payloads;
  std::map<std::string, bool> busy;
  bool work_takes_for_ever = false;
  bool refuse = false;
  int duplicates = 0;
  std::optional<Scheduler> scheduler;
};

using Texts = std::vector<std::string>;

}  // namespace

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
