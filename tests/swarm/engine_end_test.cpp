// How runs end before their tasks do, and how they go on after a crash.
#include <doctest/doctest.h>

#include "tests/swarm/fakes.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace vigil::swarm::testing;

namespace {

bool was_aborted(const Running& running) {
  try {
    if (running.thrown) std::rethrow_exception(running.thrown);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  }
  return false;
}

}  // namespace

TEST_CASE("keep_going finishes what does not depend on the failure and skips the rest") {
  World world;
  world.runner.scripts["bad"] = {{.ok = false}};
  const Report report = world.finish(
      plan({task("bad"), task("behind", {"bad"}), task("far", {"behind"}), task("other")}));
  CHECK_FALSE(report.ok);
  CHECK(outcome_of(report, "bad").state == TaskState::failed);
  CHECK(outcome_of(report, "behind").state == TaskState::skipped);
  CHECK(outcome_of(report, "far").state == TaskState::skipped);
  CHECK(outcome_of(report, "far").error.find("'bad' failed") != std::string::npos);
  CHECK(outcome_of(report, "other").state == TaskState::done);
  CHECK(report.error.find("3 of 4 tasks not done; 'bad' failed") != std::string::npos);
}

TEST_CASE("stop cancels the rest at once") {
  World world;
  world.runner.scripts["bad"] = {{.ok = false}};
  world.runner.scripts["long"] = {{.takes = 60s}};
  Plan strict = plan({task("bad"), task("long"), task("after", {"long"})});
  strict.on_failure = OnFailure::fail;
  const Report report = world.finish(strict);
  CHECK(report.wall == 1s);
  CHECK_FALSE(report.ok);
  CHECK_FALSE(report.cancelled);
  CHECK(outcome_of(report, "long").state == TaskState::cancelled);
  CHECK(outcome_of(report, "after").state == TaskState::skipped);
  CHECK(world.runner.cancelled == std::vector<std::string>{"long"});
  CHECK(report.error.find("'bad' failed") != std::string::npos);
}

TEST_CASE("the failure of an optional task leaves the swarm ok, with what stands behind it") {
  World world;
  auto nice = task("nice");
  nice.optional = true;
  world.runner.scripts["nice"] = {{.ok = false}};
  Plan friendly = plan({nice, task("behind", {"nice"}), task("needed")});
  friendly.on_failure = OnFailure::fail;
  const Report report = world.finish(friendly);
  CHECK(report.ok);
  CHECK(outcome_of(report, "nice").state == TaskState::failed);
  CHECK(outcome_of(report, "behind").state == TaskState::skipped);
}

TEST_CASE("a swarm whose own result is missing is not ok, even if only an optional task failed") {
  World world;
  auto nice = task("nice");
  nice.optional = true;
  world.runner.scripts["nice"] = {{.ok = false}};
  Plan hopeful = plan({nice, task("join", {"nice"})});
  hopeful.result_of = "join";
  const Report report = world.finish(hopeful);
  CHECK_FALSE(report.ok);
  CHECK(report.result.is_null());
}

TEST_CASE("cancel ends one swarm, says why, and leaves its neighbours alone") {
  World world;
  Running& first = world.begin(plan({task("a"), task("b", {"a"})}));
  Running& second = world.begin(plan({task("c")}));
  world.go_to(500ms);
  CHECK(world.engine.cancel(SwarmId{1}, "asked by a person"));
  CHECK_FALSE(world.engine.cancel(SwarmId{9}, "nobody"));
  world.settle();
  REQUIRE(first.report);
  CHECK(first.report->cancelled);
  CHECK_FALSE(first.report->ok);
  CHECK(first.report->error == "asked by a person");
  CHECK(outcome_of(*first.report, "a").state == TaskState::cancelled);
  CHECK(outcome_of(*first.report, "a").wasted == 500ms);
  CHECK(outcome_of(*first.report, "a").took == 0s);
  CHECK(outcome_of(*first.report, "b").state == TaskState::skipped);
  world.finish();
  CHECK(second.report->ok);
  CHECK_FALSE(world.engine.cancel(SwarmId{1}, "too late"));
  REQUIRE(world.checkpoints.ends.size() == 2);
  CHECK(world.checkpoints.ends[0].outcome.state == TaskState::cancelled);
}

TEST_CASE("a cancelled run stops its children, then throws, and leaves the checkpoints open") {
  World world;
  Running& running = world.begin(plan({task("a"), task("b")}));
  world.go_to(100ms);
  running.cancel.emit(asio::cancellation_type::terminal);
  world.settle();
  CHECK(was_aborted(running));
  CHECK(world.runner.running == 0);
  CHECK(world.runner.cancelled.size() == 2);
  CHECK(world.checkpoints.starts.size() == 2);
  CHECK(world.checkpoints.ends.empty());
  CHECK(world.engine.running_tasks() == 0);
}

TEST_CASE("a swarm can be cancelled while a task waits to be tried again") {
  World world;
  auto flaky = task("flaky");
  flaky.retries = 5;
  flaky.retry_backoff = 1h;
  world.runner.scripts["flaky"] = {{.ok = false}};
  Running& running = world.begin(plan({flaky}));
  world.go_to(10s);
  CHECK(world.engine.cancel(SwarmId{1}, "enough"));
  world.settle();
  REQUIRE(running.report);
  CHECK(outcome_of(*running.report, "flaky").state == TaskState::cancelled);
}

TEST_CASE("the plan's timeout ends the swarm") {
  World world;
  world.runner.scripts["endless"] = {{.takes = std::chrono::hours{9}}};
  Plan hasty = plan({task("quick"), task("endless")});
  hasty.timeout = 10s;
  const Report report = world.finish(hasty);
  CHECK(report.wall == 10s);
  CHECK_FALSE(report.ok);
  CHECK(report.error.find("did not end within its 10s") != std::string::npos);
  CHECK(outcome_of(report, "quick").state == TaskState::done);
  CHECK(outcome_of(report, "endless").state == TaskState::cancelled);
}

TEST_CASE("fences grow from the base with each attempt, and ends carry their attempt's") {
  World world;
  auto flaky = task("flaky");
  flaky.retries = 1;
  world.runner.scripts["flaky"] = {{.ok = false}, {.ok = true}};
  Run run;
  run.id = SwarmId{3};
  run.plan = plan({flaky, task("next", {"flaky"})});
  run.fence_base = 100;
  world.begin(std::move(run));
  world.finish();
  CHECK(world.checkpoints.fences == std::vector<std::int64_t>{101, 102, 103});
  REQUIRE(world.checkpoints.ends.size() == 2);
  CHECK(world.checkpoints.ends[0].fence == 102);
  CHECK(world.checkpoints.ends[1].fence == 103);
}

TEST_CASE("after a crash, what was done or failed stays so and the rest runs") {
  World world;
  Run run;
  run.id = SwarmId{4};
  run.plan = plan({task("a"), task("b", {"a"}), task("bad"), task("c", {"bad"}), task("d")});
  TaskOutcome done;
  done.name = "a";
  done.state = TaskState::done;
  done.result = "from before";
  done.took = 7s;
  done.attempts = 1;
  done.started = World::start - 1min;
  TaskOutcome failed = done;
  failed.name = "bad";
  failed.state = TaskState::failed;
  TaskOutcome open = done;
  open.name = "d";
  open.state = TaskState::cancelled;
  run.finished = {done, failed, open};
  run.fence_base = 10;
  Running& running = world.begin(std::move(run));
  world.finish();
  REQUIRE(running.report);
  const Report& report = *running.report;
  CHECK(names_of(world.runner.started) == std::vector<std::string>{"b", "d"});
  CHECK(world.runner.started[0].inputs.at("a") == json::value("from before"));
  CHECK(outcome_of(report, "c").state == TaskState::skipped);
  CHECK(report.started == World::start - 1min);
  CHECK(report.wall == 61s);
  CHECK(world.checkpoints.fences.front() == 11);
}

TEST_CASE("a run whose tasks were all finished before ends at once") {
  World world;
  Run run;
  run.plan = plan({task("a")});
  TaskOutcome done;
  done.name = "a";
  done.state = TaskState::done;
  run.finished = {done};
  Running& running = world.begin(std::move(run));
  world.settle();
  REQUIRE(running.report);
  CHECK(running.report->ok);
  CHECK(world.runner.started.empty());
}

TEST_CASE("a broken disk ends the run with what broke") {
  World world;
  Running& running = world.begin(plan({task("a"), task("b")}));
  world.go_to(500ms);
  world.checkpoints.broken = true;
  world.finish();
  REQUIRE(running.thrown);
  CHECK_THROWS_WITH(std::rethrow_exception(running.thrown), "disk full");
  CHECK(world.engine.running_tasks() == 0);
}
