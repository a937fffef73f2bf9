// What the tasks that a planner added came to.
#include "swarm/brood_report.hpp"

#include <doctest/doctest.h>

#include <boost/json/object.hpp>

using namespace vigil;
using namespace vigil::swarm;
using namespace std::chrono_literals;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

Task task(std::string name, std::vector<std::string> needs = {}) {
  Task out;
  out.name = std::move(name);
  out.needs = std::move(needs);
  return out;
}

TaskOutcome outcome(std::string name, Duration after, Duration took,
                    TaskState state = TaskState::done) {
  TaskOutcome out;
  out.name = std::move(name);
  out.parent = "plan";
  out.state = state;
  out.attempts = state == TaskState::skipped ? 0 : 1;
  out.started = noon + after;
  out.took = took;
  return out;
}

}  // namespace

TEST_CASE("a row should take what its tasks usually take; unknown ones count nothing") {
  const auto typical = [](const std::string& name) -> std::optional<Duration> {
    if (name == "a") return 4s;
    if (name == "b") return 1s;
    if (name == "c") return 5s;
    return std::nullopt;
  };
  CHECK(expected_row({task("a"), task("b"), task("c", {"b", "elsewhere"}), task("d", {"c"})},
                     typical) == 6s);
  CHECK(expected_row({task("a"), task("c", {"a"})}, typical) == 9s);
  CHECK(expected_row({task("x"), task("y", {"x"})}, typical) == 0s);
}

TEST_CASE("only what the attempt that counts added is measured, its longest row by what it took") {
  Report report;
  report.tasks = {outcome("plan", 0s, 2s),
                  outcome("plan/old", 2s, 90s),
                  outcome("plan.2/a", 10s, 4s),
                  outcome("plan.2/b", 11s, 1s),
                  outcome("plan.2/c", 14s, 5s),
                  outcome("plan.2/d", 14s, 1s, TaskState::failed),
                  outcome("plan.2/e", 0s, 0s, TaskState::skipped)};
  report.tasks[2].cost = {{"tokens", 120}, {"money_micros", 30}, {"lies", "x"}};
  report.tasks[5].cost = {{"tokens", 7.0}, {"money_micros", -4}};
  const auto came = measure_brood(
      {task("a"), task("b"), task("c", {"a", "elsewhere"}), task("d", {"b"}), task("e", {"d"})},
      "plan.2/", report);
  CHECK(came.tasks == 4);
  CHECK(came.done == 3);
  REQUIRE(came.failed.size() == 1);
  CHECK(came.failed[0]->name == "plan.2/d");
  CHECK(came.widest == 2);
  CHECK(came.critical_path == 9s);
  CHECK(came.wall == 9s);
  CHECK(came.tokens == 127);
  CHECK(came.money_micros == 30);
}

TEST_CASE("the items of a list run side by side within the row of their task") {
  Report report;
  report.tasks = {outcome("plan/each", 0s, 0s), outcome("plan/each/0", 0s, 3s),
                  outcome("plan/each/1", 1s, 6s), outcome("plan/sum", 7s, 1s)};
  report.tasks[1].parent = report.tasks[2].parent = "plan/each";
  auto each = task("each");
  each.for_each = "input.items";
  const auto came = measure_brood({each, task("sum", {"each"})}, "plan/", report);
  CHECK(came.tasks == 4);
  CHECK(came.widest == 2);
  CHECK(came.critical_path == 7s);
  CHECK(came.wall == 8s);
}

TEST_CASE("a plan of which nothing ran comes to nothing") {
  Report report;
  report.tasks = {outcome("plan", 0s, 2s, TaskState::failed)};
  const auto came = measure_brood({task("a")}, "plan/", report);
  CHECK(came.tasks == 0);
  CHECK(came.wall == Duration{0});
  CHECK(came.critical_path == Duration{0});
}
