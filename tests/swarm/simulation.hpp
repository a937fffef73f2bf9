#pragma once
// Random swarms out of a seed: everything a plan may hold, tasks that fail, guess, spawn and change
// their mind. The same seed gives the same swarm.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <random>

#include "tests/swarm/fakes.hpp"

namespace vigil::swarm::testing {

struct Random {
  std::mt19937 generator;
  unsigned below(unsigned limit) { return generator() % limit; }
  bool one_in(unsigned n) { return below(n) == 0; }
};

struct Simulation {
  explicit Simulation(unsigned from) : seed(from), random{std::mt19937(from)} {
    limits.slots = 1 + static_cast<int>(random.below(4));
    limits.resources = {{"r", 1 + static_cast<int>(random.below(3))}};
    if (random.one_in(3)) limits.starts_per_minute["r"] = 20 + random.below(600);
    made.title = "seed " + std::to_string(seed);
    made.timeout = std::chrono::hours{10};
    const unsigned count = 1 + random.below(20);
    for (unsigned i = 0; i < count; ++i) made.tasks.push_back(one_task(i));
    const unsigned policy = random.below(4);
    if (policy == 0) made.on_failure = OnFailure::fail;
    if (policy == 1) made.on_failure = OnFailure::partial;
    if (random.one_in(3)) made.parallel_max = 1 + static_cast<int>(random.below(3));
    if (random.one_in(4)) made.result_of = made.tasks.back().name;
  }

  // The scripts of a task depend on its name and the seed alone, so a resumed run meets the same.
  void arm(World& world) const {
    world.runner.invent = [this](const std::string& name) { return scripts_of(name); };
    world.engine.use_durations(
        [this](const std::string&, const std::string& name) -> std::optional<Learned> {
          Random dice = dice_of(name);
          if (dice.one_in(3)) return std::nullopt;
          const Duration typical{1'000 * (1 + dice.below(3'000))};
          return Learned{typical, dice.one_in(2) ? typical * 2 : Duration{0}};
        });
  }

  unsigned seed;
  Random random;
  EngineLimits limits;
  Plan made;

 private:
  int random_units() { return static_cast<int>(random.below(limits.resources.at("r"))); }
  Task one_task(unsigned place) {
    Task one = task("t" + std::to_string(place));
    const unsigned kind = random.below(12);
    for (unsigned before = 0; before < place; ++before) {
      if (!random.one_in(6)) continue;
      const bool guesses = kind > 4 && random.one_in(3);
      (guesses ? one.needs_interface : one.needs).push_back("t" + std::to_string(before));
    }
    one.retries = static_cast<int>(random.below(3));
    one.optional = random.one_in(5);
    if (random.one_in(4)) one.resources["r"] = 1 + random_units();
    if (random.one_in(5) && kind != 1) one.verify = std::make_shared<Task>(task("verify"));
    if (kind == 0) one.variants = 2 + static_cast<int>(random.below(3));
    if (kind == 1) {
      one.argv.clear();
      one.reduce = "collect";
    }
    if (kind == 2 || kind > 9) one.hedge = one.needs_interface.empty();
    if (kind == 3) {
      one.for_each = "input.items";
      one.input = {{"items", json::array(random.below(6), 1)}};
    }
    if (kind == 4) one.cache = true;
    if (kind == 5) one.spawn_max = 10;
    if (kind == 6) {
      one.spawn_max = 4;
      one.planner = true;
    }
    return one;
  }

  Random dice_of(const std::string& name) const {
    return Random{std::mt19937(static_cast<unsigned>(std::hash<std::string>{}(name)) ^ seed)};
  }

  // Names, edges and bounds are right most of the time.
  static json::array brood(Random& dice, bool deeper) {
    json::array tasks;
    const unsigned count = 1 + dice.below(4);
    for (unsigned i = 0; i < count; ++i) {
      json::object one{{"name", "s" + std::to_string(i)}, {"argv", json::array{"true"}}};
      if (i > 0 && dice.one_in(2)) {
        const char* kind = dice.one_in(3) ? "needs_interface" : "needs";
        one[kind] = json::array{"s" + std::to_string(dice.below(i))};
      }
      if (dice.one_in(4)) one["optional"] = true;
      if (dice.one_in(4)) one["retries"] = 1;
      if (deeper && dice.one_in(3)) one["spawn_max"] = 3;
      if (dice.one_in(60)) one["needs"] = json::array{"nowhere"};
      tasks.emplace_back(std::move(one));
    }
    return tasks;
  }

  std::deque<Script> scripts_of(const std::string& name) const {
    Random dice = dice_of(name);
    const bool verifies = name.ends_with(":verify");
    const auto depth = std::ranges::count(name, '/');
    const auto known = std::ranges::find(made.tasks, name, &Task::name);
    const bool spawns = known != made.tasks.end() && known->spawn_max > 0;
    const unsigned odds = spawns ? 2 : 40;  // most tasks may not
    std::deque<Script> scripts;
    for (unsigned attempt = 0; attempt < 3; ++attempt) {
      Script script{.takes = Duration{1'000 * (1 + dice.below(9'000))}, .ok = !dice.one_in(10)};
      if (verifies && dice.one_in(10)) script.result = {{"accept", false}, {"why", "no"}};
      for (unsigned said = dice.below(3); said > 0; --said) {
        script.says.push_back({script.takes / 4, {{"interface", dice.below(2)}}});
      }
      if (!verifies && dice.one_in(odds)) {
        script.says.push_back({script.takes / 2, {{"spawn", brood(dice, depth < 2)}}});
      }
      if (!verifies && spawns) script.result = {{"tasks", brood(dice, false)}};
      scripts.push_back(std::move(script));
    }
    return scripts;
  }
};

}  // namespace vigil::swarm::testing
