// Properties over plans nobody wrote by hand: random ones, large ones, recorded ones.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/swarm/fakes.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace vigil::swarm::testing;

namespace {

struct Random {
  std::mt19937 generator;
  unsigned below(unsigned limit) { return generator() % limit; }
  bool one_in(unsigned n) { return below(n) == 0; }
};

Plan random_plan(Random& random, World& world) {
  Plan made = plan({});
  const unsigned count = 1 + random.below(30);
  for (unsigned i = 0; i < count; ++i) {
    const std::string name = "t" + std::to_string(i);
    Task one = task(name);
    for (unsigned j = 0; j < i; ++j) {
      if (!random.one_in(6)) continue;
      (random.one_in(3) ? one.needs_interface : one.needs).push_back("t" + std::to_string(j));
    }
    one.retries = static_cast<int>(random.below(3));
    one.optional = random.one_in(5);
    if (random.one_in(4)) one.resources["r"] = 1 + static_cast<int>(random.below(3));
    std::deque<Script> scripts;
    for (unsigned attempt = 0; attempt < 3; ++attempt) {
      Script script{.takes = Duration{1'000 * (1 + random.below(9'000))}, .ok = !random.one_in(6)};
      for (unsigned said = random.below(3); said > 0; --said) {
        script.says.push_back({script.takes / 4, {{"interface", random.below(2)}}});
      }
      scripts.push_back(script);
    }
    world.runner.scripts[name] = scripts;
    made.tasks.push_back(one);
  }
  if (random.one_in(4)) made.on_failure = OnFailure::fail;
  if (random.one_in(3)) made.parallel_max = 1 + static_cast<int>(random.below(3));
  return made;
}

// No task started before what it needs was done and confirmed; every task has a final state that
// fits those of its needs; times add up.
void check_properties(const World& world, const Plan& made, const Report& report) {
  std::map<std::string, const TaskOutcome*> outcomes;
  for (const auto& outcome : report.tasks) outcomes[outcome.name] = &outcome;
  for (const Task& one : made.tasks) {
    const TaskOutcome& outcome = *outcomes.at(one.name);
    CHECK(outcome.state != TaskState::waiting);
    CHECK(outcome.state != TaskState::running);
    if (outcome.state != TaskState::done) continue;
    for (const auto* needs : {&one.needs, &one.needs_interface}) {
      for (const auto& need : *needs) CHECK(outcomes.at(need)->state == TaskState::done);
    }
  }
  for (const Started& start : world.runner.started) {
    const auto& one = *std::ranges::find(made.tasks, start.task, &Task::name);
    for (const auto& need : one.needs) {
      const TaskOutcome& before = *outcomes.at(need);
      CHECK(before.state == TaskState::done);
      CHECK(before.started + before.took <= start.at);
      CHECK(start.inputs.at(need) == before.result);
    }
    CHECK(start.inputs.size() == one.needs.size() + one.needs_interface.size());
  }
  if (report.ok) CHECK(report.wall >= report.critical_path);
}

}  // namespace

TEST_CASE("whatever the plan, no task starts before its needs ended and no limit is exceeded") {
  for (unsigned seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    Random random{std::mt19937(seed)};
    EngineLimits limits;
    limits.slots = 1 + static_cast<int>(random.below(4));
    limits.resources = {{"r", 1 + static_cast<int>(random.below(3))}};
    World world(limits);
    const Plan made = random_plan(random, world);
    Running& running = world.begin(made);
    if (random.one_in(5)) {
      world.go_to(Duration{1'000 * random.below(20'000)});
      world.engine.cancel(SwarmId{1}, "a person");
    }
    world.finish();
    REQUIRE(running.report);
    CHECK(world.runner.peak <= limits.slots);
    if (made.parallel_max > 0) CHECK(world.runner.peak <= made.parallel_max);
    if (world.runner.running != 0) FAIL("something still runs");
    CHECK(world.engine.running_tasks() == 0);
    check_properties(world, made, *running.report);
    // A fence is never used twice, and each recorded end belongs to a recorded start.
    const std::set<std::int64_t> fences(world.checkpoints.fences.begin(),
                                        world.checkpoints.fences.end());
    CHECK(fences.size() == world.checkpoints.fences.size());
    for (const Ended& end : world.checkpoints.ends) CHECK(fences.contains(end.fence));
  }
}

TEST_CASE("a crash at any checkpoint loses no finished task and repeats none") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Random random{std::mt19937(seed)};
    World first;
    Plan made = random_plan(random, first);
    made.on_failure = OnFailure::go_on;
    Running& cut = first.begin(made);
    first.go_to(Duration{1'000 * random.below(30'000)});
    cut.cancel.emit(asio::cancellation_type::terminal);
    first.settle();
    World second;
    second.runner.scripts = first.runner.scripts;
    Run run;
    run.plan = made;
    for (const Ended& end : first.checkpoints.ends) {
      run.finished.push_back(end.outcome);
      run.fence_base = std::max(run.fence_base, end.fence);
    }
    for (const auto fence : first.checkpoints.fences) {
      run.fence_base = std::max(run.fence_base, fence);
    }
    const auto base = run.fence_base;
    Running& resumed = second.begin(std::move(run));
    second.finish();
    REQUIRE(resumed.report);
    for (const auto fence : second.checkpoints.fences) CHECK(fence > base);
    for (const Ended& end : first.checkpoints.ends) {
      const bool is_final =
          end.outcome.state == TaskState::done || end.outcome.state == TaskState::failed;
      if (!is_final) continue;
      const auto again = names_of(second.runner.started);
      CHECK(std::ranges::find(again, end.outcome.name) == again.end());
      CHECK(outcome_of(*resumed.report, end.outcome.name).state == end.outcome.state);
    }
  }
}

TEST_CASE("20,000 tasks, wide and in a chain, are run in a few seconds") {
  const auto began = std::chrono::steady_clock::now();
  World world;
  Plan large = plan({});
  for (int i = 0; i < 10'000; ++i) large.tasks.push_back(task("w" + std::to_string(i)));
  for (int i = 0; i < 10'000; ++i) {
    const auto name = "c" + std::to_string(i);
    large.tasks.push_back(i == 0 ? task(name) : task(name, {"c" + std::to_string(i - 1)}));
  }
  large.timeout = std::chrono::days{1};
  const Report report = world.finish(large);
  CHECK(report.ok);
  CHECK(report.critical_path == std::chrono::seconds{10'000});
  CHECK(report.wall == std::chrono::seconds{10'000});
  const auto took = std::chrono::steady_clock::now() - began;
  MESSAGE("20,000 tasks took " << std::chrono::duration<double>(took).count() << " s");
  CHECK(took < 30s);
}

TEST_CASE("a failure at the head of a long chain skips it all, without deep recursion") {
  World world;
  Plan large = plan({task("c0")});
  for (int i = 1; i < 20'000; ++i) {
    large.tasks.push_back(task("c" + std::to_string(i), {"c" + std::to_string(i - 1)}));
  }
  world.runner.scripts["c0"] = {{.ok = false}};
  const Report report = world.finish(large);
  CHECK(report.tasks.back().state == TaskState::skipped);
}

namespace {

// A recorded workflow as a plan whose tasks take what they took.
Plan recorded_plan(const json::value& workflow, World& world) {
  std::map<std::string, Duration> took;
  for (const auto& run : workflow.at("workflow").at("execution").at("tasks").as_array()) {
    const double seconds = run.at("runtimeInSeconds").to_number<double>();
    took[std::string(run.at("id").as_string())] = Duration{std::llround(seconds * 1e6)};
  }
  Plan made = plan({});
  made.timeout = std::chrono::days{7};
  std::map<std::string, std::string> names;
  const auto& tasks = workflow.at("workflow").at("specification").at("tasks").as_array();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    names[std::string(tasks[i].at("id").as_string())] = "t" + std::to_string(i);
  }
  for (const auto& recorded : tasks) {
    const std::string id(recorded.at("id").as_string());
    Task one = task(names.at(id));
    for (const auto& parent : recorded.at("parents").as_array()) {
      one.needs.push_back(names.at(std::string(parent.as_string())));
    }
    world.runner.scripts[one.name] = {{.takes = took[id]}};
    made.tasks.push_back(one);
  }
  world.engine.use_durations([&world](const std::string& name) -> std::optional<Learned> {
    return Learned{world.runner.scripts.at(name).front().takes};
  });
  return made;
}

std::string read_all(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("recorded workflows end within the time list scheduling by critical path needs") {
  const std::filesystem::path folder = VIGIL_SOURCE_DIR "/../shared/data/dag";
  if (!std::filesystem::exists(folder / "bounds.json")) {
    MESSAGE("skipped: " << folder.string() << " is absent");
    return;
  }
  const auto bounds = parse_json(read_all(folder / "bounds.json")).value();
  for (const auto& [file, bound] : bounds.as_object()) {
    const auto text = read_all(folder / "wfcommons" / std::string(file));
    if (text.empty()) continue;
    for (const int machines : {2, 8, 64}) {
      CAPTURE(std::string(file));
      CAPTURE(machines);
      EngineLimits limits;
      limits.slots = machines;
      World world(limits);
      const auto report = world.finish(recorded_plan(parse_json(text).value(), world));
      CHECK(report.ok);
      const auto& known = bound.at("machines").at(std::to_string(machines));
      const double wall = std::chrono::duration<double>(report.wall).count();
      CHECK(wall >= known.at("lower_bound_s").to_number<double>() * 0.999 - 0.01);
      CHECK(wall <= known.at("list_by_critical_path_s").to_number<double>() * 1.02 + 0.01);
      const double chain = std::chrono::duration<double>(report.critical_path).count();
      CHECK(chain ==
            doctest::Approx(bound.at("critical_path_s").to_number<double>()).epsilon(0.001));
    }
  }
}
