#include "swarm/engine.hpp"

#include <doctest/doctest.h>

#include "tests/swarm/fakes.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace vigil::swarm::testing;

namespace {

EngineLimits slots(int count) {
  EngineLimits limits;
  limits.slots = count;
  return limits;
}

std::vector<std::string> order_of(World& world) { return names_of(world.runner.started); }

}  // namespace

TEST_CASE("tasks run side by side and a join gets the results it needs") {
  World world(slots(4));
  Plan diamond = plan({task("a"), task("b", {"a"}), task("c", {"a"}), task("d", {"b", "c"})});
  diamond.result_of = "d";
  world.runner.scripts["b"] = {{.takes = 2s, .result = json::value{{"n", 2}}}};
  const Report report = world.finish(diamond);
  CHECK(report.ok);
  CHECK(report.error.empty());
  CHECK(report.wall == 4s);
  CHECK(report.task_sum == 5s);
  CHECK(report.critical_path == 4s);
  CHECK(report.result == json::value("d"));
  REQUIRE(world.runner.started.size() == 4);
  const auto& inputs = world.runner.started[3].inputs;
  CHECK(inputs.at("b").at("n") == 2);
  CHECK(inputs.at("c") == json::value("c"));
  CHECK(world.engine.running_tasks() == 0);
}

TEST_CASE("an empty result_of gives all results by name") {
  World world;
  const Report report = world.finish(plan({task("a"), task("b")}));
  CHECK(report.result == json::value{{"a", "a"}, {"b", "b"}});
}

TEST_CASE("ready tasks are taken by the longest remaining path, with learned durations") {
  World world(slots(1));
  world.engine.use_durations(
      [](const std::string&, const std::string& name) -> std::optional<Learned> {
        if (name == "heavy") return Learned{30s};
        if (name == "tail") return Learned{60s};
        if (name == "light") return Learned{5s};
        return std::nullopt;
      });
  world.finish(
      plan({task("light"), task("unknown"), task("heavy"), task("tail", {"root"}), task("root")}));
  CHECK(order_of(world) == std::vector<std::string>{"root", "tail", "heavy", "light", "unknown"});
}

TEST_CASE("slots are never exceeded and all are used") {
  World world(slots(3));
  std::vector<Task> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(task(std::to_string(i)));
  const Report report = world.finish(plan(tasks));
  CHECK(world.runner.peak == 3);
  CHECK(report.wall == 4s);
  CHECK(report.slots == 3);
  CHECK(report.lower_bound == Duration{10s} / 3);
}

TEST_CASE("parallel_max of a plan binds that plan alone") {
  World world(slots(4));
  Plan narrow = plan({task("n1"), task("n2"), task("n3")});
  narrow.parallel_max = 1;
  Running& first = world.begin(narrow, "x");
  Running& second = world.begin(plan({task("w1"), task("w2"), task("w3")}), "y");
  world.finish();
  CHECK(first.report->wall == 3s);
  CHECK(first.report->slots == 1);
  CHECK(second.report->wall == 1s);
}

TEST_CASE("owners get equal shares whatever they queue") {
  World world(slots(4));
  std::vector<Task> many;
  for (int i = 0; i < 40; ++i) many.push_back(task("big" + std::to_string(i)));
  Running& big = world.begin(plan(many), "greedy");
  world.go_to(500ms);
  Running& small = world.begin(plan({task("s1"), task("s2"), task("s3"), task("s4")}), "modest");
  world.go_to(1500ms);
  int of_small = 0;
  for (const auto& started : world.runner.started) of_small += started.task[0] == 's' ? 1 : 0;
  CHECK(of_small == 2);
  world.finish();
  CHECK(small.report->wall == 2500ms);
  CHECK(big.report->ok);
}

TEST_CASE("slots_per_owner holds although other slots are free") {
  EngineLimits limits = slots(8);
  limits.slots_per_owner = 2;
  World world(limits);
  const Report report = world.finish(plan({task("a"), task("b"), task("c"), task("d")}));
  CHECK(world.runner.peak == 2);
  CHECK(report.slots == 2);
}

TEST_CASE("a task that waits for a resource does not stand in front of others") {
  EngineLimits limits = slots(4);
  limits.resources = {{"gpu", 2}};
  World world(limits);
  std::vector<Task> tasks;
  for (int i = 0; i < 4; ++i) {
    tasks.push_back(task("gpu" + std::to_string(i)));
    tasks.back().resources = {{"gpu", 1}};
  }
  tasks.push_back(task("plain1"));
  tasks.push_back(task("plain2"));
  const Report report = world.finish(plan(tasks));
  CHECK(world.runner.held_peak.at("gpu") == 2);
  CHECK(report.wall == 2s);
}

TEST_CASE("an unknown resource is a lock, and asking for too much waits for all of it") {
  EngineLimits limits = slots(4);
  limits.resources = {{"memory", 3}};
  World world(limits);
  auto one = task("one");
  one.resources = {{"repo:x", 1}};
  auto two = task("two");
  two.resources = {{"repo:x", 5}};
  auto hungry = task("hungry");
  hungry.resources = {{"memory", 10}};
  auto normal = task("normal");
  normal.resources = {{"memory", 1}};
  const Report report = world.finish(plan({one, two, hungry, normal}));
  CHECK(report.ok);
  CHECK(report.wall == 2s);
  CHECK(report.lower_bound < 2s);
}

TEST_CASE("a failing task is tried again after a doubled wait of at most a minute") {
  World world;
  auto flaky = task("flaky");
  flaky.retries = 8;
  flaky.retry_backoff = 1s;
  world.runner.scripts["flaky"] = {{.takes = 1s, .ok = false}};
  const Report report = world.finish(plan({flaky}));
  REQUIRE(world.runner.started.size() == 9);
  std::vector<std::int64_t> waits;
  for (std::size_t i = 1; i < world.runner.started.size(); ++i) {
    const auto gap = world.runner.started[i].at - world.runner.started[i - 1].at - 1s;
    waits.push_back(std::chrono::duration_cast<std::chrono::seconds>(gap).count());
    CHECK(world.runner.started[i].number == static_cast<int>(i) + 1);
  }
  CHECK(waits == std::vector<std::int64_t>{1, 2, 4, 8, 16, 32, 60, 60});
  CHECK_FALSE(report.ok);
  const auto& outcome = outcome_of(report, "flaky");
  CHECK(outcome.state == TaskState::failed);
  CHECK(outcome.attempts == 9);
  CHECK(outcome.wasted == 8s);
  CHECK(outcome.took == 1s);
  CHECK(report.error.find("script says no") != std::string::npos);
}

TEST_CASE("a task that waits to be tried again holds no slot") {
  World world(slots(1));
  auto flaky = task("flaky");
  flaky.retries = 1;
  flaky.retry_backoff = 10s;
  world.runner.scripts["flaky"] = {{.ok = false}, {.ok = true}};
  const Report report = world.finish(plan({flaky, task("other", {}), task("third")}));
  CHECK(report.ok);
  CHECK(order_of(world) == std::vector<std::string>{"flaky", "other", "third", "flaky"});
  CHECK(report.wall == 12s);
}

TEST_CASE("what cannot be retried is not") {
  World world;
  auto broken = task("broken");
  broken.retries = 5;
  world.runner.scripts["broken"] = {{.ok = false, .retryable = false}};
  const Report report = world.finish(plan({broken}));
  CHECK(outcome_of(report, "broken").attempts == 1);
}

TEST_CASE("a runner that throws is a failed attempt, not the end of the engine") {
  World world;
  auto odd = task("odd");
  odd.retries = 1;
  world.runner.scripts["odd"] = {{.throws = true}, {.ok = true}};
  CHECK(world.finish(plan({odd})).ok);
}

TEST_CASE("an attempt's deadline is the task's timeout, at most the plan's") {
  World world;
  auto quick = task("quick");
  quick.timeout = 5s;
  Plan short_plan = plan({quick, task("slow")});
  short_plan.timeout = 60s;
  world.finish(short_plan);
  CHECK(world.runner.started[0].deadline == World::start + 5s);
  CHECK(world.runner.started[1].deadline == World::start + 60s);
}

TEST_CASE("a plan that cannot run gets a report that says so") {
  World world;
  const Report report = world.finish(plan({task("a", {"b"}), task("b", {"a"})}));
  CHECK_FALSE(report.ok);
  CHECK(report.error.find("wait for each other") != std::string::npos);
  CHECK(outcome_of(report, "a").state == TaskState::skipped);
}

TEST_CASE("progress is told at each step") {
  World world;
  std::vector<std::string> told;
  world.engine.on_progress([&](const Progress& progress) {
    told.push_back(std::string(to_text(progress.state)) + ":" + progress.note);
    if (progress.fraction >= 0) told.push_back(std::to_string(progress.fraction));
  });
  world.runner.scripts["a"] = {
      {.says = {{500ms, {{"progress", 0.5}}}, {600ms, {{"progress", "half"}}}}}};
  world.finish(plan({task("a")}));
  CHECK(told == std::vector<std::string>{"running:", "running:", "0.500000",
                                         "running:progress \"half\"", "done:"});
}
