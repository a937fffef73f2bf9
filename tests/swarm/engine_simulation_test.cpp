// Properties over 10,000 swarms that nobody wrote by hand. A seed that fails can be run by itself:
// VIGIL_SEED=17 swarm_test -tc="*seed*".
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/swarm/simulation.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace vigil::swarm::testing;

namespace {

// VIGIL_SEED: that one alone. VIGIL_SEEDS: how many, for a long run.
template <class Check>
void for_seeds(unsigned count, const Check& check) {
  if (const char* only = std::getenv("VIGIL_SEED")) {
    return check(static_cast<unsigned>(std::strtoul(only, nullptr, 10)));
  }
  if (const char* wanted = std::getenv("VIGIL_SEEDS")) {
    count = static_cast<unsigned>(std::strtoul(wanted, nullptr, 10));
  }
  for (unsigned seed = 1; seed <= count; ++seed) check(seed);
}

// doctest's CHECK costs more than what is checked here, ten million times.
#define HOLDS(condition) \
  if (!(condition)) FAIL_CHECK("seed " << seed << ": " << #condition)

bool is_over(TaskState state) { return state != TaskState::waiting && state != TaskState::running; }

using Outcomes = std::map<std::string, const TaskOutcome*>;

Outcomes outcomes_of(const Report& report) {
  Outcomes outcomes;
  for (const auto& outcome : report.tasks) outcomes[outcome.name] = &outcome;
  return outcomes;
}

// Every task of the plan has a final state that fits those of what it needs.
void check_states(unsigned seed, const Simulation& simulation, const Outcomes& outcomes) {
  const bool partial = simulation.made.on_failure == OnFailure::partial;
  for (const auto& [name, outcome] : outcomes) {
    HOLDS(is_over(outcome->state));
    if (outcome->state != TaskState::done) continue;
    HOLDS(outcome->parent.empty() || outcomes.contains(outcome->parent));
  }
  for (const Task& one : simulation.made.tasks) {
    HOLDS(outcomes.contains(one.name));
    const TaskOutcome& outcome = *outcomes.at(one.name);
    if (outcome.state != TaskState::done) continue;
    for (const auto& need : one.needs) {
      const TaskState state = outcomes.at(need)->state;
      HOLDS(partial ? is_over(state) : state == TaskState::done);
    }
    for (const auto& need : one.needs_interface) {
      HOLDS(partial || outcomes.at(need)->state == TaskState::done);
    }
  }
}

// Nothing started before what it needs was final, and it got just that.
void check_starts(unsigned seed, const Simulation& simulation, const World& world,
                  const Outcomes& outcomes) {
  const bool partial = simulation.made.on_failure == OnFailure::partial;
  for (const Started& start : world.runner.started) {
    const auto one = std::ranges::find(simulation.made.tasks, start.task, &Task::name);
    if (one == simulation.made.tasks.end()) continue;
    for (const auto& need : one->needs) {
      const TaskOutcome& before = *outcomes.at(need);
      HOLDS(partial || before.state == TaskState::done);
      if (before.state != TaskState::done) {
        HOLDS(start.missing.contains(need));
        continue;
      }
      HOLDS(before.started + before.took <= start.at);
      HOLDS(start.inputs.contains(need) && start.inputs.at(need) == before.result);
    }
  }
}

void check_fences(unsigned seed, const World& world) {
  const std::set<std::int64_t> fences(world.checkpoints.fences.begin(),
                                      world.checkpoints.fences.end());
  HOLDS(fences.size() == world.checkpoints.fences.size());
  std::set<std::string> ended;
  for (const Ended& end : world.checkpoints.ends) {
    HOLDS(fences.contains(end.fence));
    HOLDS(ended.insert(end.outcome.name).second);  // no task ends twice
  }
}

void check_limits(unsigned seed, const Simulation& simulation, const World& world) {
  HOLDS(world.runner.peak <= simulation.limits.slots);
  const int parallel = simulation.made.parallel_max;
  HOLDS(parallel == 0 || world.runner.peak <= parallel);
  const auto held = world.runner.held_peak.find("r");
  HOLDS(held == world.runner.held_peak.end() ||
        held->second <= simulation.limits.resources.at("r"));
  HOLDS(world.runner.running == 0);
  HOLDS(world.engine.running_tasks() == 0);
}

// What the seeds met: a property holds of nothing if nothing happens.
struct Seen {
  int ok = 0;
  int spawned = 0;
  int guesses_won = 0;
  int guesses_lost = 0;
  int hedges_won = 0;
  int refused = 0;
  int cancelled = 0;
  void add(const Report& report) {
    ok += report.ok ? 1 : 0;
    guesses_won += report.guesses_won;
    guesses_lost += report.guesses_lost;
    hedges_won += report.hedges_won;
    for (const TaskOutcome& outcome : report.tasks) {
      spawned += outcome.parent.empty() ? 0 : 1;
      refused += outcome.error.find("refused") != std::string::npos ? 1 : 0;
      cancelled += outcome.state == TaskState::cancelled ? 1 : 0;
    }
  }
};

}  // namespace

TEST_CASE("seeds: every swarm ends, within its limits, and no task runs before what it needs") {
  Seen seen;
  for_seeds(2'500, [&seen](unsigned seed) {
    Simulation simulation(seed);
    World world(simulation.limits);
    simulation.arm(world);
    Running& running = world.begin(simulation.made);
    if (simulation.random.one_in(5)) {
      world.go_to(Duration{1'000 * simulation.random.below(20'000)});
      world.engine.cancel(SwarmId{1}, "a person");
    }
    world.finish();
    HOLDS(running.report.has_value());
    if (!running.report) return;
    const Outcomes outcomes = outcomes_of(*running.report);
    check_states(seed, simulation, outcomes);
    check_starts(seed, simulation, world, outcomes);
    check_fences(seed, world);
    check_limits(seed, simulation, world);
    seen.add(*running.report);
  });
  if (std::getenv("VIGIL_SEED") != nullptr) return;
  for (const int count : {seen.ok, seen.spawned, seen.guesses_won, seen.guesses_lost,
                          seen.hedges_won, seen.refused, seen.cancelled}) {
    CAPTURE(count);
    CHECK(count > 20);
  }
}

TEST_CASE("seeds: a crash at any moment loses no result that was kept and repeats none") {
  for_seeds(500, [](unsigned seed) {
    Simulation simulation(seed);
    simulation.made.on_failure = OnFailure::go_on;
    World first(simulation.limits);
    simulation.arm(first);
    Running& cut = first.begin(simulation.made);
    first.go_to(Duration{1'000 * simulation.random.below(30'000)});
    cut.cancel.emit(asio::cancellation_type::terminal);
    first.settle();
    HOLDS(cut.over());
    World second(simulation.limits);
    simulation.arm(second);
    Run run;
    run.plan = simulation.made;
    std::map<std::string, TaskState> kept;
    for (const Ended& end : first.checkpoints.ends) {
      run.finished.push_back(end.outcome);
      if (end.outcome.parent.empty()) kept[end.outcome.name] = end.outcome.state;
    }
    for (const auto fence : first.checkpoints.fences) {
      run.fence_base = std::max(run.fence_base, fence);
    }
    const auto base = run.fence_base;
    Running& resumed = second.begin(std::move(run));
    second.finish();
    HOLDS(resumed.report.has_value());
    if (!resumed.report) return;
    for (const auto fence : second.checkpoints.fences) HOLDS(fence > base);
    const Outcomes outcomes = outcomes_of(*resumed.report);
    check_states(seed, simulation, outcomes);
    check_fences(seed, second);
    const auto names = names_of(second.runner.started);
    for (const auto& [name, state] : kept) {
      if (state != TaskState::done && state != TaskState::failed) continue;
      HOLDS(std::ranges::find(names, name) == names.end());
      HOLDS(outcomes.at(name)->state == state);
    }
  });
}
