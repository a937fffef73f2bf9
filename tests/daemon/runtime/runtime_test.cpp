#include "daemon/runtime/runtime.hpp"

#include <doctest/doctest.h>

#include "config/load.hpp"
#include "daemon/runtime/commit.hpp"
#include "swarm/plan.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::runtime;
using namespace std::chrono_literals;
using vigil::testing::ClockedWorld;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

config::Settings settings_of(const std::string& reactivity) {
  const std::string text = R"(
[source.github]
kind = "webhook"
scheme = "none"
[source.nightly]
kind = "schedule"
every = "1h"
[entity.guard]
kind = "rules"
case_key = "{{event.subject}}"
[[entity.guard.on]]
source = "*"
[[entity.guard.rule]]
name = "any"
remember = "seen"
[entity.guard.reactivity]
)" + reactivity;
  auto loaded = config::load_text(text, "test.toml");
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    throw std::runtime_error(mistakes->front().to_text());
  }
  return std::get<config::Loaded>(loaded).settings;
}

struct World : ClockedWorld {
  explicit World(const std::string& reactivity)
      : ClockedWorld(noon),
        bulletin(loop.get_executor()),
        runtime(loop.get_executor(), clock, *writer, bulletin, {path, bin_dir()}) {
    REQUIRE(runtime.apply(settings_of(reactivity)).has_value());
  }
  ~World() {
    run([this] { return runtime.stop(clock.now()); });
  }

  void start() {
    run([this]() -> boost::asio::awaitable<void> {
      auto starting = runtime.start();
      Result<void> started = co_await std::move(starting);
      CHECK(started.has_value());
    });
  }
  // Journaled, and nobody told.
  EventPtr event(const std::string& source, const std::string& subject) {
    storage::NewEvent row;
    row.uid = random_hex(8);
    row.source = source;
    row.type = source + ".came";
    row.subject = subject;
    row.received_at = clock.now();
    row.data = "{}";
    const auto id = commit([&](storage::Stores& stores) { return stores.journal.append(row).id; });
    return reader->journal.find(id);
  }
  void arrive(const EventPtr& what) {
    runtime.accepted(what);
    settle();
  }
  // A swarm that a decision asked for, with a task that takes longer than any test.
  SwarmId plan_swarm(const std::string& subject) {
    swarm::Task task;
    task.name = "long";
    task.argv = {"/bin/sleep", "1000"};
    task.containment = swarm::Containment::none;
    swarm::Plan plan;
    plan.tasks.push_back(task);
    return commit([&](storage::Stores& stores) {
      storage::Swarm swarm;
      swarm.entity = "guard";
      swarm.case_id = stores.cases.open("guard", subject, noon).id;
      swarm.plan = swarm::to_json(plan);
      swarm.state = "planned";
      swarm.created = noon;
      return stores.swarms.add(swarm);
    });
  }
  std::string state_of(SwarmId swarm) { return reader->swarms.find(swarm)->state; }
  std::vector<std::string> verdicts_of(const EventPtr& event) {
    std::vector<std::string> out;
    for (const auto& entry : reader->ledger.of_event(event->id)) out.push_back(entry.verdict);
    return out;
  }

  Bulletin bulletin;
  Runtime runtime;
};

using Verdicts = std::vector<std::string>;

}  // namespace

TEST_CASE("an event that is replayed cancels the running swarm of its case, and no other") {
  World world("cancel_on = [\"github.*\"]\n");
  const auto mine = world.plan_swarm("s");
  const auto other = world.plan_swarm("t");
  world.start();
  world.until([&] { return world.runtime.status().tasks_running == 2; });
  const auto event = world.event("github", "s");
  world.run([&]() -> boost::asio::awaitable<void> {
    auto replaying = world.runtime.replay(event->id);
    Result<void> replayed = co_await std::move(replaying);
    CHECK(replayed.has_value());
  });
  world.until([&] { return world.state_of(mine) == "cancelled"; });
  CHECK(world.state_of(other) == "running");
}

TEST_CASE("an event that was journaled before a restart and routed after it cancels, too") {
  World world("cancel_on = [\"github.*\"]\n");
  const auto swarm = world.plan_swarm("s");
  (void)world.event("github", "s");
  world.start();
  world.until([&] { return world.state_of(swarm) == "cancelled"; });
}

TEST_CASE("a newer firing of a schedule supersedes wakes that wait, and those of no other source") {
  World world("debounce = { period = \"10m\" }\n");
  world.start();
  const auto nightly = world.event("nightly", "s");
  world.arrive(nightly);
  const auto github = world.event("github", "t");
  world.arrive(github);
  const auto mixed = world.event("nightly", "u");
  world.arrive(mixed);
  world.arrive(world.event("github", "u"));
  CHECK(world.runtime.busy_with("nightly"));
  world.runtime.cancel_work_of("nightly");
  world.settle();
  CHECK(world.verdicts_of(nightly) == Verdicts{"superseded"});
  CHECK(world.verdicts_of(github).empty());
  CHECK(world.verdicts_of(mixed).empty());  // another source's event is in that wake
  CHECK(world.reader->wakes.count_open() == 2);
  world.pass(1h);
  world.until([&] {
    return world.verdicts_of(github).size() == 1 && world.verdicts_of(mixed).size() == 1;
  });
  CHECK(world.verdicts_of(nightly).size() == 1);
}

TEST_CASE("wakes that were waiting before a restart are superseded, too") {
  World world("debounce = { period = \"10m\" }\n");
  const auto nightly = world.event("nightly", "s");
  world.commit([&](storage::Stores& stores) {
    storage::Wake wake;
    wake.entity = "guard";
    wake.case_id = stores.cases.open("guard", "s", noon).id;
    wake.kind = "event";
    wake.events = {nightly->id};
    wake.gathering = true;
    wake.created = noon;
    wake.not_before = noon + 10min;
    stores.wakes.add(wake);
    stores.cursors.set(router_cursor, nightly->id.value);
  });
  world.start();
  world.runtime.cancel_work_of("nightly");
  world.settle();
  CHECK(world.verdicts_of(nightly) == Verdicts{"superseded"});
  CHECK(world.reader->wakes.count_open() == 0);
}
