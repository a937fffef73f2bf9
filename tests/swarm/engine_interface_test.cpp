// Starting on interfaces: what stands, what runs again, what is dropped.
#include <doctest/doctest.h>

#include "tests/swarm/fakes.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace vigil::swarm::testing;

namespace {

json::object interface(json::value value) { return {{"interface", std::move(value)}}; }

// An upstream of ten seconds that says its interface after one.
Script upstream(std::vector<std::pair<Duration, json::object>> says, bool ok = true) {
  return {.takes = 10s, .ok = ok, .says = std::move(says)};
}

std::vector<Started> starts_of(const World& world, const std::string& name) {
  std::vector<Started> starts;
  std::ranges::copy_if(world.runner.started, std::back_inserter(starts),
                       [&](const Started& start) { return start.task == name; });
  return starts;
}

}  // namespace

TEST_CASE("a dependent starts on the interface and its work stands when that is final") {
  World world;
  world.runner.scripts["up"] = {upstream({{1s, interface({{"v", 1}})}})};
  world.runner.scripts["down"] = {{.takes = 12s}};
  const Report report = world.finish(plan({task("up"), task("down", {}, {"up"})}));
  CHECK(report.ok);
  CHECK(report.wall == 13s);
  const auto starts = starts_of(world, "down");
  REQUIRE(starts.size() == 1);
  CHECK(starts[0].at == World::start + 1s);
  CHECK(starts[0].inputs.at("up") == json::value{{"v", 1}});
  CHECK(outcome_of(report, "down").wasted == 0s);
}

TEST_CASE("published again with the same content is the same interface") {
  World world;
  world.runner.scripts["up"] = {
      upstream({{1s, interface({{"v", 1}})}, {5s, interface({{"v", 1}})}})};
  const Report report = world.finish(plan({task("up"), task("down", {}, {"up"})}));
  CHECK(report.ok);
  CHECK(starts_of(world, "down").size() == 1);
}

TEST_CASE("a dependent that runs on an interface that changed is stopped and runs on the result") {
  World world;
  world.runner.scripts["up"] = {upstream({{1s, interface("old")}, {5s, interface("new")}})};
  world.runner.scripts["down"] = {{.takes = 30s}, {.takes = 2s}};
  const Report report = world.finish(plan({task("up"), task("down", {}, {"up"})}));
  CHECK(report.ok);
  CHECK(report.wall == 12s);
  const auto starts = starts_of(world, "down");
  REQUIRE(starts.size() == 2);
  CHECK(starts[0].inputs.at("up") == json::value("old"));
  CHECK(starts[1].inputs.at("up") == json::value("up"));
  CHECK(outcome_of(report, "down").wasted == 9s);
  CHECK(outcome_of(report, "down").attempts == 2);
  CHECK(world.runner.cancelled == std::vector<std::string>{"down"});
}

TEST_CASE("work that ended on an interface that changed is thrown away and done again") {
  World world;
  world.runner.scripts["up"] = {upstream({{1s, interface("old")}, {5s, interface("new")}})};
  const Report report = world.finish(plan({task("up"), task("down", {}, {"up"})}));
  CHECK(report.ok);
  CHECK(report.wall == 11s);
  CHECK(starts_of(world, "down").size() == 2);
  CHECK(outcome_of(report, "down").wasted == 1s);
  CHECK(world.checkpoints.ends.size() == 2);  // the first end of `down` was never made durable
}

TEST_CASE("a join that needs the dependent never starts before the guess is confirmed") {
  World world;
  world.runner.scripts["up"] = {upstream({{1s, interface("same")}})};
  const Report report =
      world.finish(plan({task("up"), task("down", {}, {"up"}), task("join", {"down"})}));
  CHECK(report.ok);
  CHECK(starts_of(world, "join").at(0).at == World::start + 10s);
  CHECK(report.wall == 11s);
}

TEST_CASE("when the upstream fails, its dependents are cancelled and what follows is skipped") {
  World world;
  world.runner.scripts["up"] = {upstream({{1s, interface("x")}}, false)};
  world.runner.scripts["running"] = {{.takes = 60s}};
  const Report report =
      world.finish(plan({task("up"), task("running", {}, {"up"}), task("ended", {}, {"up"}),
                         task("late", {"running"}, {"up"}), task("after", {"ended"})}));
  CHECK_FALSE(report.ok);
  CHECK(report.wall == 10s);
  CHECK(outcome_of(report, "running").state == TaskState::cancelled);
  CHECK(outcome_of(report, "ended").state == TaskState::cancelled);
  CHECK(outcome_of(report, "ended").wasted == 1s);
  CHECK(outcome_of(report, "late").state == TaskState::skipped);
  CHECK(outcome_of(report, "after").state == TaskState::skipped);
  CHECK(outcome_of(report, "after").error.find("'up' failed") != std::string::npos);
}

TEST_CASE("without an interface the dependent waits for the result") {
  World world;
  const Report report = world.finish(plan({task("up"), task("down", {}, {"up"})}));
  CHECK(report.ok);
  CHECK(report.wall == 2s);
  CHECK(starts_of(world, "down").at(0).inputs.at("up") == json::value("up"));
}

TEST_CASE("guesses build on guesses, and all of them fall with the first") {
  World world;
  world.runner.scripts["a"] = {upstream({{1s, interface("a1")}, {9s, interface("a2")}})};
  world.runner.scripts["b"] = {{.takes = 3s, .says = {{1s, interface("b1")}}},
                               {.takes = 3s, .says = {{1s, interface("b2")}}}};
  world.runner.scripts["c"] = {{.takes = 1s}};
  const Report report = world.finish(
      plan({task("a"), task("b", {}, {"a"}), task("c", {}, {"b"}), task("end", {"c"})}));
  CHECK(report.ok);
  // b ran on a1 and on the result of a; c on b1 and, since b2 came out, on the result of b.
  CHECK(starts_of(world, "b").size() == 2);
  const auto starts = starts_of(world, "c");
  REQUIRE(starts.size() == 2);
  CHECK(starts[0].inputs.at("b") == json::value("b1"));
  CHECK(starts[1].inputs.at("b") == json::value("b"));
  CHECK(starts_of(world, "end").size() == 1);
  CHECK(report.wall == 15s);
}

TEST_CASE(
    "a failure on a guess is forgotten when the guess was wrong, and counts when it was not") {
  World world;
  world.runner.scripts["up"] = {upstream({{1s, interface("old")}, {5s, interface("new")}})};
  world.runner.scripts["down"] = {{.ok = false}, {.ok = true}};
  CHECK(world.finish(plan({task("up"), task("down", {}, {"up"})})).ok);

  World second;
  second.runner.scripts["up"] = {upstream({{1s, interface("x")}})};
  second.runner.scripts["down"] = {{.ok = false}};
  const Report report = second.finish(plan({task("up"), task("down", {}, {"up"})}));
  CHECK_FALSE(report.ok);
  CHECK(outcome_of(report, "down").state == TaskState::failed);
}

TEST_CASE("an upstream that is tried again keeps the interface it published") {
  World world;
  auto flaky = task("up");
  flaky.retries = 1;
  world.runner.scripts["up"] = {upstream({{1s, interface("x")}}, false),
                                upstream({{1s, interface("x")}})};
  world.runner.scripts["down"] = {{.takes = 5s}};
  const Report report = world.finish(plan({flaky, task("down", {}, {"up"})}));
  CHECK(report.ok);
  CHECK(starts_of(world, "down").size() == 1);
}

TEST_CASE("a dependent waiting to be tried again runs on the result once the upstream is done") {
  World world;
  world.runner.scripts["up"] = {upstream({{1s, interface("old")}, {5s, interface("new")}})};
  auto down = task("down", {}, {"up"});
  down.retries = 1;
  down.retry_backoff = 20s;
  world.runner.scripts["down"] = {{.ok = false}, {.ok = true}};
  const Report report = world.finish(plan({task("up"), down}));
  CHECK(report.ok);
  CHECK(starts_of(world, "down").at(1).inputs.at("up") == json::value("up"));
  CHECK(report.wall == 23s);
}

TEST_CASE("two interfaces: each that changes costs one more run") {
  World world;
  world.runner.scripts["a"] = {upstream({{1s, interface("a1")}, {2s, interface("a2")}})};
  world.runner.scripts["b"] = {{.takes = 20s, .says = {{1s, interface("b")}}}};
  world.runner.scripts["down"] = {{.takes = 2s}};
  const Report report = world.finish(plan({task("a"), task("b"), task("down", {}, {"a", "b"})}));
  CHECK(report.ok);
  const auto starts = starts_of(world, "down");
  REQUIRE(starts.size() == 2);
  CHECK(starts[1].inputs.at("a") == json::value("a"));
  CHECK(starts[1].inputs.at("b") == json::value("b"));
  CHECK(report.wall == 20s);
}

TEST_CASE("cancelling a swarm with guesses in every state leaves nothing behind") {
  World world;
  world.runner.scripts["up"] = {upstream({{1s, interface("x")}})};
  world.runner.scripts["slow"] = {{.takes = 60s}};
  Running& running = world.begin(
      plan({task("up"), task("slow", {}, {"up"}), task("held", {}, {"up"}), task("j", {"held"})}));
  world.go_to(5s);
  CHECK(world.engine.cancel(SwarmId{1}, "enough"));
  world.settle();
  REQUIRE(running.report);
  CHECK(outcome_of(*running.report, "held").state == TaskState::cancelled);
  CHECK(outcome_of(*running.report, "j").state == TaskState::skipped);
  CHECK(world.engine.running_tasks() == 0);
}
