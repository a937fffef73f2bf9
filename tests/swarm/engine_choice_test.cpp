// More than one attempt for one result: variants, verification, hedges, earlier results; and less
// than all of them: plans that go on with what is there.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tests/swarm/fakes.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace vigil::swarm::testing;

namespace {

std::shared_ptr<const Task> verifier() {
  auto made = std::make_shared<Task>();
  made->argv = {"check"};
  return made;
}

}  // namespace

TEST_CASE("the first variant that ends well wins and the rest are stopped") {
  World world;
  Task many = task("many");
  many.variants = 3;
  world.runner.scripts["many"] = {
      {.takes = 9s, .result = "slow"}, {.takes = 1s, .ok = false}, {.takes = 4s, .result = "won"}};
  const Report report = world.finish(plan({many, task("after", {"many"})}));
  CHECK(report.ok);
  CHECK(outcome_of(report, "many").result == "won");
  CHECK(outcome_of(report, "many").attempts == 3);
  CHECK(outcome_of(report, "many").wasted == 1s + 4s);
  CHECK(report.wall == 5s);
  CHECK(world.runner.cancelled == std::vector<std::string>{"many"});
  CHECK(world.checkpoints.ends.size() == 2);
}

TEST_CASE("variants that all fail are tried again together") {
  World world;
  Task many = task("many");
  many.variants = 2;
  many.retries = 1;
  world.runner.scripts["many"] = {
      {.takes = 2s, .ok = false}, {.takes = 1s, .ok = false}, {.takes = 3s}, {.takes = 60s}};
  const Report report = world.finish(plan({many}));
  CHECK(report.ok);
  CHECK(outcome_of(report, "many").attempts == 4);
  CHECK(report.wall < 20s);
}

TEST_CASE("variants share the slots there are") {
  EngineLimits one;
  one.slots = 1;
  World world(one);
  Task many = task("many");
  many.variants = 4;
  world.runner.scripts["many"] = {{.ok = false}, {.ok = false}, {}, {}};
  const Report report = world.finish(plan({many}));
  CHECK(report.ok);
  CHECK(world.runner.peak == 1);
  CHECK(outcome_of(report, "many").attempts == 3);
}

TEST_CASE("a result counts when its verifier accepts it, and the next attempt is told why not") {
  World world;
  Task made = task("made");
  made.retries = 2;
  made.verify = verifier();
  world.runner.scripts["made"] = {{.result = 1}, {.result = 2}, {.result = 3}};
  world.runner.scripts["made:verify"] = {
      {.result = {{"accept", false}, {"why", "too small"}}}, {.ok = false}, {.result = "fine"}};
  const Report report = world.finish(plan({made}));
  CHECK(report.ok);
  CHECK(outcome_of(report, "made").result == 3);
  CHECK(outcome_of(report, "made").attempts == 3);
  CHECK(world.runner.started[1].inputs == json::object{{"made", 1}});
  CHECK(world.runner.refusals == std::vector<std::string>{"", "too small", "script says no"});
  CHECK(report.first_time_right == 0);
}

TEST_CASE("what is never accepted fails with the verifier's word") {
  World world;
  Task made = task("made");
  made.verify = verifier();
  world.runner.scripts["made:verify"] = {{.result = {{"accept", false}, {"why", "too small"}}}};
  const Report report = world.finish(plan({made}));
  CHECK(outcome_of(report, "made").state == TaskState::failed);
  CHECK(outcome_of(report, "made").error == "not accepted: too small");
}

TEST_CASE("the first variant that is accepted wins") {
  World world;
  Task many = task("many");
  many.variants = 2;
  many.verify = verifier();
  world.runner.scripts["many"] = {{.takes = 1s, .result = "quick"},
                                  {.takes = 5s, .result = "good"}};
  world.runner.scripts["many:verify"] = {{.ok = false}, {}};
  CHECK(world.finish(plan({many})).result == json::value{{"many", "good"}});
}

TEST_CASE("a straggler gets a second attempt when a slot is free, and the first to end wins") {
  World world;
  world.engine.use_durations(
      [](const std::string&, const std::string&) { return Learned{1s, 2s}; });
  Task slow = task("slow");
  slow.hedge = true;
  world.runner.scripts["slow"] = {{.takes = 60s, .result = "first"},
                                  {.takes = 1s, .result = "second"}};
  const Report report = world.finish(plan({slow}));
  CHECK(report.wall == 3s);
  CHECK(report.result == json::value{{"slow", "second"}});
  CHECK(report.hedges_won == 1);
  CHECK(outcome_of(report, "slow").attempts == 2);
}

TEST_CASE("the tasks of a list have the variants and the hedge that the list was given") {
  World world;
  world.engine.use_durations(
      [](const std::string&, const std::string&) { return Learned{1s, 2s}; });
  Task each = task("each");
  each.for_each = "input";
  each.input = json::array{"a", "b"};
  each.hedge = true;
  world.runner.scripts["each/1"] = {{.takes = 60s, .result = "first"},
                                    {.takes = 1s, .result = "second"}};
  const Report hedged = world.finish(plan({each}));
  CHECK(hedged.wall == 3s);
  CHECK(hedged.hedges_won == 1);
  CHECK(hedged.result == json::value{{"each", {"each/0", "second"}}});
  each.hedge = false;
  each.variants = 2;
  world.runner.scripts.clear();
  world.runner.scripts["each/0"] = {{.takes = 5s, .result = "slow"}, {.result = "quick"}};
  const Report varied = world.finish(plan({each}));
  CHECK(outcome_of(varied, "each/0").attempts == 2);
  CHECK(varied.result.at("each").at(0) == "quick");
}

TEST_CASE("a hedge never takes a slot that something else wants") {
  EngineLimits two;
  two.slots = 2;
  World world(two);
  world.engine.use_durations(
      [](const std::string&, const std::string&) { return Learned{1s, 2s}; });
  Task slow = task("slow");
  slow.hedge = true;
  world.runner.scripts["slow"] = {{.takes = 6s}};
  std::vector<Task> tasks{slow};
  for (int i = 0; i < 6; ++i) tasks.push_back(task("t" + std::to_string(i)));
  const Report report = world.finish(plan(tasks));
  CHECK(report.wall == 6s);
  CHECK(report.attempts == 7);
  CHECK(report.hedges_won == 0);
}

TEST_CASE("tasks that may not run twice are never hedged") {
  World world;
  world.engine.use_durations(
      [](const std::string&, const std::string&) { return Learned{1s, 2s}; });
  world.runner.scripts["slow"] = {{.takes = 60s}};
  CHECK(world.finish(plan({task("slow")})).attempts == 1);
}

TEST_CASE("an earlier result under the same key is taken, and what rests on it is not run either") {
  World world;
  Task source = task("source");
  source.cache = true;
  source.digest = "commit 1";
  Task built = task("built", {"source"});
  built.cache = true;
  world.runner.scripts["source"] = {{.takes = 2s, .result = "same"}};
  const Plan made = plan({source, built});
  const Report first = world.finish(made);
  CHECK(first.reused == 0);
  CHECK(first.wall == 3s);
  const Report second = world.finish(made);
  CHECK(second.ok);
  CHECK(second.reused == 2);
  CHECK(second.saved == 3s);
  CHECK(second.wall == 0s);
  CHECK(second.result == first.result);
  CHECK(world.runner.started.size() == 2);
  // Another commit: the source runs, its result is the same, and nothing else runs.
  source.digest = "commit 2";
  const Report third = world.finish(plan({source, built}));
  CHECK(third.reused == 1);
  CHECK(third.wall == 2s);
  CHECK(world.runner.started.size() == 3);
  // Another result: what rests on it runs.
  source.digest = "commit 3";
  world.runner.scripts["source"] = {{.takes = 2s, .result = "new"}};
  CHECK(world.finish(plan({source, built})).reused == 0);
}

TEST_CASE("a partial plan gives its join what is there, and says what is missing") {
  World world;
  Plan made = plan({task("a"), task("b"), task("join", {"a", "b"})});
  made.on_failure = OnFailure::partial;
  made.result_of = "join";
  world.runner.scripts["b"] = {{.ok = false}};
  const Report report = world.finish(made);
  CHECK(report.ok);
  CHECK(report.result == "join");
  CHECK(outcome_of(report, "b").state == TaskState::failed);
  CHECK(world.runner.started.back().inputs == json::object{{"a", "a"}});
  CHECK(world.runner.started.back().missing == json::object{{"b", "script says no"}});
}

TEST_CASE("a partial plan whose join has nothing at all is not ok") {
  World world;
  Plan made = plan({task("a"), task("b"), task("join", {"a", "b"}), task("end", {"join"})});
  made.on_failure = OnFailure::partial;
  world.runner.scripts["a"] = {{.ok = false}};
  world.runner.scripts["b"] = {{.ok = false}};
  const Report report = world.finish(made);
  CHECK_FALSE(report.ok);
  CHECK(outcome_of(report, "join").state == TaskState::skipped);
  CHECK(outcome_of(report, "end").state == TaskState::skipped);
}

TEST_CASE("starts that a rate holds back are spread, and do not hold back others") {
  EngineLimits limits;
  limits.slots = 8;
  limits.resources["model"] = 2;
  limits.starts_per_minute["model"] = 60;
  World world(limits);
  std::vector<Task> tasks;
  for (int i = 0; i < 6; ++i) {
    Task one = task("call" + std::to_string(i));
    one.resources["model"] = 1;
    world.runner.scripts[one.name] = {{.takes = 10ms}};
    tasks.push_back(one);
  }
  tasks.push_back(task("other"));
  const Report report = world.finish(plan(tasks));
  CHECK(report.ok);
  std::vector<Duration> starts;
  for (const Started& start : world.runner.started) {
    if (start.task.starts_with("call")) starts.push_back(start.at - World::start);
    if (start.task == "other") CHECK(start.at == World::start);
  }
  REQUIRE(starts.size() == 6);
  CHECK(starts[1] == 0s);  // a burst of as many as there are units
  for (std::size_t i = 2; i < starts.size(); ++i) {
    CHECK(starts[i] >= std::chrono::seconds(i - 1));
    CHECK(starts[i] <= std::chrono::seconds(i - 1) + 10ms);
  }
}

TEST_CASE("what tasks say they cost is added up") {
  World world;
  world.runner.scripts["a"] = {{.says = {{0s, {{"cost", {{"tokens", 10}, {"cents", 0.5}}}}},
                                         {1ms, {{"cost", {{"tokens", 5}}}}}}}};
  world.runner.scripts["b"] = {{.says = {{0s, {{"cost", {{"tokens", 7}}}}}}}};
  const Report report = world.finish(plan({task("a"), task("b")}));
  CHECK(outcome_of(report, "a").cost == json::object{{"tokens", 15}, {"cents", 0.5}});
}

TEST_CASE("a task whose guesses were wrong twice waits for results") {
  World world;
  std::vector<Task> tasks;
  std::vector<std::string> above;
  for (int i = 0; i < 4; ++i) {
    const auto name = "u" + std::to_string(i);
    const Duration takes = std::chrono::seconds(2 * (i + 1));
    world.runner.scripts[name] = {
        {.takes = takes,
         .says = {{100ms, {{"interface", 1}}}, {takes - 10ms, {{"interface", 2}}}}}};
    above.push_back(name);
    tasks.push_back(task(name));
  }
  world.runner.scripts["guess"] = {{.takes = 100s}};
  tasks.push_back(task("guess", {}, above));
  EngineLimits limits;
  limits.slots = 8;
  World other(limits);
  other.runner.scripts = world.runner.scripts;
  const Report report = other.finish(plan(tasks));
  CHECK(report.ok);
  CHECK(report.guesses_lost == 2);
  CHECK(outcome_of(report, "guess").attempts == 3);
  CHECK(report.wall == 108s);
}
