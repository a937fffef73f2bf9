// The wall clock is set by an hour while timers and gathering wakes wait.
#include <doctest/doctest.h>

#include "config/load.hpp"
#include "daemon/runtime/runtime.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/jumping_clock.hpp"
#include "tests/support/places.hpp"

namespace vigil::runtime {
namespace {

using namespace std::chrono_literals;

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

config::Settings settings_of(const std::string& reactivity) {
  const std::string text =
      "[source.nightly]\nkind = \"schedule\"\nevery = \"1h\"\n"
      "[entity.guard]\nkind = \"rules\"\n[[entity.guard.on]]\nsource = \"*\"\n"
      "[[entity.guard.rule]]\nname = \"any\"\nremember = \"seen\"\n"
      "[entity.guard.reactivity]\n" +
      reactivity;
  auto loaded = config::load_text(text, "test.toml");
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    throw std::runtime_error(mistakes->front().to_text());
  }
  return std::get<config::Loaded>(loaded).settings;
}

struct World : testing::ClockedWorld {
  explicit World(const std::string& reactivity = "", TimePoint begin = noon)
      : ClockedWorld(begin),
        wall(clock),
        bulletin(loop.get_executor()),
        runtime(loop.get_executor(), wall, *writer, bulletin, {path, bin_dir()}) {
    REQUIRE(runtime.apply(settings_of(reactivity)).has_value());
  }
  ~World() {
    run([this] { return runtime.stop(wall.now()); });
  }
  void start() {
    run([this]() -> boost::asio::awaitable<void> {
      auto starting = runtime.start();
      Result<void> started = co_await std::move(starting);
      CHECK(started.has_value());
    });
  }
  void set_timer(TimePoint due) {
    commit([&](storage::Stores& stores) {
      storage::Timer timer;
      timer.entity = "guard";
      timer.case_id = stores.cases.open("guard", "c", noon).id;
      timer.name = "look";
      timer.due = due;
      stores.timers.set(timer);
    });
  }
  void arrive() {
    storage::NewEvent row;
    row.uid = random_hex(8);
    row.source = "nightly";
    row.type = "nightly.came";
    row.received_at = wall.now();
    row.data = "{}";
    const auto id = commit([&](storage::Stores& stores) { return stores.journal.append(row).id; });
    runtime.accepted(reader->journal.find(id));
    settle();
  }
  void jump(Duration by) {
    wall.jump(by);
    settle();
  }
  // Until everything that was opened is decided; how many decisions that makes.
  std::uint64_t decided(std::uint64_t wanted) {
    until([this, wanted] { return runtime.status().decisions >= wanted; });
    settle();
    return runtime.status().decisions;
  }

  testing::JumpingClock wall;
  Bulletin bulletin;
  Runtime runtime;
};

struct Jump {
  Duration by;
  Duration left;  // of two hours, after one of them
};
const Jump jumps[] = {{30min, 30min}, {-1h, 2h}, {1h, 0h}, {2h, 0h}};

}  // namespace

TEST_CASE("a timer of a case fires when the wall clock shows its time, once, however it is set") {
  for (const auto& [by, left] : jumps) {
    CAPTURE(by.count());
    World world;
    world.set_timer(noon + 2h);
    world.start();
    world.pass(1h);
    world.jump(by);
    if (left > 0h) {
      CHECK(world.clock.next_deadline() == world.clock.now() + left);
      world.pass(left - 1s);
      CHECK(world.reader->timers.earliest() == noon + 2h);
      world.pass(1s);
    }
    CHECK_FALSE(world.reader->timers.earliest());
    CHECK(world.decided(1) == 1);
    world.jump(-1h);  // what has fired is not due again
    world.pass(3h);
    CHECK(world.decided(1) == 1);
    CHECK(world.clock.next_deadline() == TimePoint::max());
  }
}

TEST_CASE("a timer is found after a restart behind a clock that was set meanwhile") {
  for (const auto& [by, left] : jumps) {
    CAPTURE(by.count());
    World world;
    world.set_timer(noon + 2h);
    world.pass(1h);
    world.jump(by);
    world.start();
    world.pass(left);
    CHECK_FALSE(world.reader->timers.earliest());
    CHECK(world.decided(1) == 1);
  }
}

TEST_CASE("a wake that gathers is decided once, and no event of it is lost") {
  for (const auto& [by, left] : jumps) {
    CAPTURE(by.count());
    World world("debounce = { period = \"2h\", timeout = \"2h\" }\n");
    world.start();
    world.arrive();
    world.pass(1h);
    world.jump(by);
    world.pass(left);
    CHECK(world.decided(1) == 1);
    CHECK(world.reader->wakes.count_open() == 0);
    world.arrive();  // and the next one gathers for its own time
    CHECK(world.clock.next_deadline() == world.clock.now() + 2h);
    world.pass(2h);
    CHECK(world.decided(2) == 2);
  }
}

TEST_CASE("hours open by the clock of their zone in the night that changes it, whatever is set") {
  const struct {
    const char* evening;
    const char* opening;
  } nights[] = {
      {"2026-10-24T20:00:00Z", "2026-10-25T08:00:00Z"},  // 25 hours: 9:00 is 8:00 UTC from now on
      {"2026-03-28T20:00:00Z", "2026-03-29T07:00:00Z"},  // 23 hours
  };
  const std::string hours =
      "active_hours = { from = \"09:00\", to = \"17:00\", tz = \"Europe/Berlin\" }\n";
  for (const auto& [evening, opening] : nights) {
    for (const Duration by : {Duration{1h}, Duration{-1h}, Duration{0}}) {
      CAPTURE(evening);
      CAPTURE(by.count());
      const auto opens = parse_rfc3339(opening).value();
      World world(hours, parse_rfc3339(evening).value());
      world.start();
      world.arrive();
      world.pass(4h);
      world.jump(by);
      CHECK(world.clock.next_deadline() - world.clock.now() == opens - world.wall.now());
      world.pass(opens - world.wall.now() - 1s);
      CHECK(world.reader->wakes.count_open() == 1);
      world.pass(1s);
      CHECK(world.decided(1) == 1);
    }
  }
}

}  // namespace vigil::runtime
