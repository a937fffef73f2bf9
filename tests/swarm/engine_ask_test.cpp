// Questions to models beside processes: they wait for others, hold no slot, and are bounded by
// their model alone.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "swarm/spawn.hpp"
#include "tests/swarm/fakes.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace vigil::swarm::testing;

namespace {

Task question(std::string name, std::string model = "m", std::vector<std::string> needs = {}) {
  Task made;
  made.name = std::move(name);
  auto ask = std::make_shared<Ask>();
  ask->model = std::move(model);
  ask->prompt = "p";
  made.ask = std::move(ask);
  made.needs = std::move(needs);
  return made;
}

EngineLimits limits(int slots, int units) {
  EngineLimits out;
  out.slots = slots;
  out.resources["model:m"] = units;
  return out;
}

}  // namespace

TEST_CASE("a hundred questions wait side by side on one slot, which a process holds meanwhile") {
  World world(limits(1, 100));
  std::vector<Task> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(question("q" + std::to_string(i)));
  tasks.push_back(task("one"));
  tasks.push_back(task("two"));
  const Report report = world.finish(plan(std::move(tasks)));
  CHECK(report.ok);
  CHECK(world.runner.peak == 101);
  CHECK(report.wall == 2s);  // the two processes, one after the other
  CHECK(report.task_sum == 102s);
  CHECK(report.lower_bound == 2s);  // what holds no slot adds nothing to a worker's load
}

TEST_CASE("so many at once as their model takes, the longest path first") {
  World world(limits(8, 2));
  const Report report = world.finish(
      plan({question("a"), question("b"), question("c"), task("after", {"c"}), question("d")}));
  CHECK(report.ok);
  CHECK(world.runner.peak <= 3);
  CHECK(names_of(world.runner.started).front() == "c");
  CHECK(report.wall == 2s);
}

TEST_CASE("limits of an entity are of processes; a model that is given more units uses them") {
  auto own = limits(8, 1);
  own.slots_per_owner = 1;
  World world(own);
  auto& running = world.begin(plan({question("a"), question("b"), question("c"), task("p")}));
  world.settle();
  CHECK(world.runner.running == 2);
  world.engine.set_units("model:m", 3);
  world.settle();
  CHECK(world.runner.running == 4);
  world.finish();
  CHECK(running.report->wall == 1s);
}

TEST_CASE("what a question costs is summed, however many kinds it tells") {
  World world(limits(1, 1));
  json::object cost{{"tokens", 10}};
  for (int i = 0; i < 40; ++i) cost["kind" + std::to_string(i)] = 1;
  world.runner.scripts["q"] = {
      {.says = {{100ms, {{"cost", cost}}}, {200ms, {{"cost", json::object{{"tokens", 5}}}}}}}};
  const Report report = world.finish(plan({question("q")}));
  CHECK(report.cost.at("tokens") == 15);
  CHECK(report.cost.size() == 32);
}

TEST_CASE("questions that a task adds are tainted whatever they say, and agents are not taken") {
  Task parent = task("parent");
  parent.spawn_max = 5;
  const auto brood = [&](const char* asked) {
    return brood_of(parent, 1, parse_json(asked).value().as_object(), {});
  };
  const auto asks =
      brood(R"({"spawn":[{"name":"a","ask":{"model":"m","prompt":"p","tainted":false}}]})");
  REQUIRE(asks.has_value());
  CHECK(asks->tasks[0].ask->tainted);
  const auto agent = brood(R"({"spawn":[{"name":"a","agent":{"name":"x","prompt":"p"}}]})");
  REQUIRE_FALSE(agent.has_value());
  CHECK(agent.error().message.find("name them in the plan") != std::string::npos);
}
