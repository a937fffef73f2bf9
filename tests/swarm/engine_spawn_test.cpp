// Tasks that come while the swarm runs.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tests/swarm/fakes.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace vigil::swarm::testing;

namespace {

json::object spawning(json::array tasks, const char* result_of = nullptr) {
  json::object said{{"spawn", std::move(tasks)}};
  if (result_of != nullptr) said["result_of"] = result_of;
  return said;
}

json::object child(const char* name, json::array needs = {}) {
  json::object made{{"name", name}, {"argv", {"true"}}};
  if (!needs.empty()) made["needs"] = std::move(needs);
  return made;
}

Task spawner(std::string name, int spawn_max = 100) {
  Task made = task(std::move(name));
  made.spawn_max = spawn_max;
  return made;
}

}  // namespace

TEST_CASE("a task that spawned is done when those are, and hands on the result it names") {
  World world;
  world.runner.scripts["map"] = {
      {.takes = 1s,
       .says = {
           {200ms, spawning({child("one"), child("two"), child("sum", {"one", "two"})}, "sum")}}}};
  world.runner.scripts["map/one"] = {{.takes = 3s, .result = 1}};
  world.runner.scripts["map/two"] = {{.takes = 4s, .result = 2}};
  world.runner.scripts["map/sum"] = {{.takes = 1s, .result = 3}};
  const Report report = world.finish(plan({spawner("map"), task("after", {"map"})}));
  CHECK(report.ok);
  CHECK(report.tasks.size() == 5);
  CHECK(report.wall == 200ms + 4s + 1s + 1s);
  CHECK(outcome_of(report, "map").result == 3);
  CHECK(outcome_of(report, "map/sum").parent == "map");
  const auto& started = world.runner.started;
  const auto sum = std::ranges::find(started, "map/sum", &Started::task);
  REQUIRE(sum != started.end());
  CHECK(sum->inputs == json::object{{"one", 1}, {"two", 2}});
  CHECK(started.back().inputs == json::object{{"map", 3}});
  CHECK(report.result == json::value{{"map", 3}, {"after", "after"}});
}

TEST_CASE("without a name the results of the spawned are handed on together") {
  World world;
  world.runner.scripts["map"] = {
      {.result = json::value(json::object{}), .says = {{0s, spawning({child("one")})}}}};
  CHECK(world.finish(plan({spawner("map")})).result == json::value{{"map", json::object{}}});
}

TEST_CASE("spawned tasks may spawn, each level within its bounds and a depth") {
  World world;
  json::object next = child("x");
  next["spawn_max"] = 9;
  std::string name = "root";
  for (int level = 0; level < 6; ++level) {
    world.runner.scripts[name] = {{.says = {{100ms, spawning({next})}}}};
    name += "/x";
  }
  const Report report = world.finish(plan({spawner("root", 9)}));
  CHECK_FALSE(report.ok);
  CHECK(outcome_of(report, "root/x/x/x/x").error.find("4 deep") != std::string::npos);
  CHECK(outcome_of(report, "root").state == TaskState::failed);
}

TEST_CASE("what a task may not spawn fails it, with the reason, and stops it at once") {
  struct Case {
    Task parent;
    json::object says;
    const char* error;
  };
  json::object weak = child("weak");
  weak["containment"] = "none";
  json::object far = child("far");
  far["write_paths"] = json::array{"/etc"};
  Task limited = spawner("p", 1);
  const std::vector<Case> cases = {
      {task("p"), spawning({child("a")}), "may not spawn"},
      {limited, spawning({child("a"), child("b")}), "may spawn 1 tasks, this would be 2"},
      {spawner("p"), spawning({weak}), "containment"},
      {spawner("p"), spawning({far}), "may not write"},
      {spawner("p"), spawning({child("a", {"elsewhere"})}), "elsewhere"},
      {spawner("p"), spawning({child("a", {"b"}), child("b", {"a"})}), "wait for each other"},
      {spawner("p"), spawning({child("a"), child("a")}), "'a'"},
      {spawner("p"), json::object{{"spawn", "all"}}, "expected an array"},
      {spawner("p"), spawning({child("a")}, "b"), "result_of"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.error);
    World world;
    world.runner.scripts["p"] = {{.takes = 60s, .says = {{1s, one.says}}}};
    const Report report = world.finish(plan({one.parent}));
    CHECK_FALSE(report.ok);
    CHECK(report.wall == 1s);
    CHECK(report.tasks.size() == 1);
    CHECK(outcome_of(report, "p").error.find(one.error) != std::string::npos);
  }
}

TEST_CASE("a spawned task that fails fails its parent, unless it was optional") {
  World world;
  json::object optional = child("maybe");
  optional["optional"] = true;
  world.runner.scripts["p"] = {{.says = {{0s, spawning({optional})}}}};
  world.runner.scripts["q"] = {{.says = {{0s, spawning({child("no")})}}}};
  world.runner.scripts["p/maybe"] = {{.ok = false}};
  world.runner.scripts["q/no"] = {{.ok = false}};
  const Report report = world.finish(plan({spawner("p"), spawner("q"), task("after", {"q"})}));
  CHECK(outcome_of(report, "p").state == TaskState::done);
  CHECK(outcome_of(report, "q").state == TaskState::failed);
  CHECK(outcome_of(report, "q").error.find("q/no") != std::string::npos);
  CHECK(outcome_of(report, "after").state == TaskState::skipped);
}

TEST_CASE("what a failed attempt spawned ends with it and is spawned anew") {
  World world;
  Task retried = spawner("p");
  retried.retries = 1;
  world.runner.scripts["p"] = {
      {.takes = 2s, .ok = false, .says = {{1s, spawning({child("long"), child("short")})}}},
      {.takes = 2s, .says = {{1s, spawning({child("other")})}}}};
  world.runner.scripts["p/long"] = {{.takes = 600s}};
  world.runner.scripts["p/short"] = {{.takes = 500ms}};
  const Report report = world.finish(plan({retried}));
  CHECK(report.ok);
  CHECK(report.wall < 10s);
  CHECK(outcome_of(report, "p/long").state == TaskState::cancelled);
  CHECK(outcome_of(report, "p/short").state == TaskState::done);
  CHECK(outcome_of(report, "p.2/other").state == TaskState::done);
}

TEST_CASE("for_each runs once per item, in one list of results") {
  World world;
  Task each = task("each", {"list"});
  each.for_each = "list.files";
  each.argv = {"cat", "--", "{item}"};
  world.runner.scripts["list"] = {{.result = {{"files", {"a", "b", "c"}}}}};
  for (int i = 0; i < 3; ++i) {
    world.runner.scripts["each/" + std::to_string(i)] = {{.takes = 1s, .result = i * 10}};
  }
  const Report report = world.finish(plan({task("list"), each, task("all", {"each"})}));
  CHECK(report.ok);
  CHECK(outcome_of(report, "each").result == json::array{0, 10, 20});
  CHECK(report.wall == 3s);  // three at once on four slots
  CHECK(names_of(world.runner.started) ==
        std::vector<std::string>{"list", "each/0", "each/1", "each/2", "all"});
  CHECK(world.runner.started[1].inputs.empty());  // not the whole list once more
}

TEST_CASE("for_each over nothing is an empty list, over no list a failure") {
  World world;
  Task none = task("none");
  none.for_each = "input.items";
  none.input = {{"items", json::array{}}};
  Task wrong = none;
  wrong.name = "wrong";
  wrong.input = {{"items", 3}};
  const Report report = world.finish(plan({none, wrong}));
  CHECK(outcome_of(report, "none").state == TaskState::done);
  CHECK(outcome_of(report, "none").result == json::array{});
  CHECK(outcome_of(report, "wrong").error.find("no list at") != std::string::npos);
}

TEST_CASE("a planner's result is tasks, and its own result is theirs") {
  World world;
  Task planner = spawner("plan");
  planner.planner = true;
  planner.retries = 1;
  world.runner.scripts["plan"] = {{.result = {{"tasks", {{{"name", "x y"}}}}}},
                                  {.result = {{"tasks", {child("work")}}, {"result_of", "work"}}}};
  world.runner.scripts["plan.2/work"] = {{.result = "built"}};
  const Report report = world.finish(plan({planner}));
  CHECK(report.ok);
  CHECK(outcome_of(report, "plan").result == "built");
  CHECK(outcome_of(report, "plan").attempts == 2);
}

TEST_CASE("after a crash, what is spawned the same again is not run again") {
  World first;
  const auto says = spawning({child("one"), child("two"), child("join", {"one", "two"})});
  first.runner.scripts["p"] = {{.says = {{0s, says}}}};
  first.runner.scripts["p/two"] = {{.takes = 60s}};
  Running& cut = first.begin(plan({spawner("p")}));
  first.go_to(5s);
  cut.cancel.emit(asio::cancellation_type::terminal);
  first.settle();
  World second;
  second.runner.scripts = first.runner.scripts;
  Run run;
  run.plan = plan({spawner("p")});
  for (const Ended& end : first.checkpoints.ends) run.finished.push_back(end.outcome);
  REQUIRE(run.finished.size() == 1);
  Running& resumed = second.begin(std::move(run));
  second.finish();
  REQUIRE(resumed.report);
  CHECK(resumed.report->ok);
  CHECK(resumed.report->tasks.size() == 4);
  CHECK(names_of(second.runner.started) == std::vector<std::string>{"p", "p/two", "p/join"});
}

TEST_CASE("after the parent is done its spawned tasks stay in the report") {
  World first;
  first.runner.scripts["p"] = {{.says = {{0s, spawning({child("one")})}}}};
  first.runner.scripts["tail"] = {{.takes = 60s}};
  const Plan made = plan({spawner("p"), task("tail", {"p"})});
  Running& cut = first.begin(made);
  first.go_to(5s);
  cut.cancel.emit(asio::cancellation_type::terminal);
  first.settle();
  World second;
  Run run;
  run.plan = made;
  for (const Ended& end : first.checkpoints.ends) run.finished.push_back(end.outcome);
  Running& resumed = second.begin(std::move(run));
  second.finish();
  REQUIRE(resumed.report);
  CHECK(resumed.report->ok);
  CHECK(resumed.report->tasks.size() == 3);
  CHECK(names_of(second.runner.started) == std::vector<std::string>{"tail"});
}

TEST_CASE(
    "a spawned reducer and a spawned list find their siblings by the names they were asked for") {
  World world;
  json::object join{{"name", "join"}, {"reduce", "collect"}, {"needs", json::array{"a.b", "c"}}};
  json::object each{{"name", "each"},
                    {"argv", json::array{"true"}},
                    {"needs", json::array{"a.b"}},
                    {"for_each", "a.b.list"}};
  world.runner.scripts["p"] = {
      {.says = {{0s, spawning({child("a.b"), child("c"), join, each}, "join")}}}};
  world.runner.scripts["p/a.b"] = {{.result = {{"list", {1, 2}}}}};
  world.runner.scripts["p/c"] = {{.result = 3}};
  const Report report = world.finish(plan({spawner("p")}));
  CHECK_MESSAGE(report.ok, report.error);
  CHECK(outcome_of(report, "p").result == json::value{{"a.b", {{"list", {1, 2}}}}, {"c", 3}});
  CHECK(outcome_of(report, "p/each").result.as_array().size() == 2);
}
