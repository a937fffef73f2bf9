#include "swarm/report.hpp"

#include <doctest/doctest.h>

#include <boost/json/object.hpp>
#include <random>

using namespace vigil;
using namespace vigil::swarm;
using namespace std::chrono_literals;

namespace {

// The longest chain of needs that ends with `task`, by trying every one of them.
Duration longest_to(const Plan& plan, const Report& report, std::size_t task) {
  Duration before{0};
  for (const auto& need : plan.tasks[task].needs) {
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
      if (plan.tasks[i].name == need) before = std::max(before, longest_to(plan, report, i));
    }
  }
  return before + report.tasks[task].took;
}

TaskOutcome outcome(std::string name, Duration took) {
  TaskOutcome made;
  made.name = std::move(name);
  made.state = TaskState::done;
  made.took = took;
  made.attempts = 1;
  return made;
}

Report sample() {
  Report report;
  report.swarm = SwarmId{7};
  report.title = "audit";
  report.error = "one of two";
  report.started = from_unix_us(1'700'000'000'123'456);
  report.wall = 2'000'001us;
  report.slots = 2;
  report.result = {{"x", 1}};
  report.tasks = {outcome("a", 1s), outcome("b", 2s)};
  report.tasks[1].state = TaskState::failed;
  report.tasks[1].error = "exit code 2: no\nsuch \x1b[31mthing";
  report.tasks[1].exit_code = 2;
  report.tasks[1].output_cut_bytes = 12;
  report.tasks[1].wasted = 5ms;
  report.tasks[0].started = report.started;
  return report;
}

}  // namespace

TEST_CASE("the measures equal what trying every chain gives") {
  std::mt19937 random(20'261'123);
  for (int round = 0; round < 200; ++round) {
    Plan plan;
    Report report;
    const auto count = 1 + random() % 9;
    for (std::size_t i = 0; i < count; ++i) {
      Task task;
      task.name = "t" + std::to_string(i);
      task.argv = {"true"};
      for (std::size_t j = 0; j < i; ++j) {
        if (random() % 3 == 0) task.needs.push_back("t" + std::to_string(j));
      }
      plan.tasks.push_back(task);
      report.tasks.push_back(outcome(task.name, Duration{random() % 1'000'000}));
      report.tasks.back().wasted = Duration{random() % 1'000};
    }
    report.slots = 1 + static_cast<int>(random() % 4);
    measure(report, plan);
    Duration longest{0};
    Duration sum{0};
    Duration wasted{0};
    for (std::size_t i = 0; i < count; ++i) {
      longest = std::max(longest, longest_to(plan, report, i));
      sum += report.tasks[i].took;
      wasted += report.tasks[i].wasted;
    }
    CHECK(report.critical_path == longest);
    CHECK(report.task_sum == sum);
    CHECK(report.wasted == wasted);
    CHECK(report.attempts == static_cast<int>(count));
    CHECK(report.lower_bound == std::max(longest, sum / report.slots));
  }
}

TEST_CASE("an edge on an interface does not lengthen the critical path") {
  Plan plan;
  plan.tasks.resize(2);
  plan.tasks[0].name = "a";
  plan.tasks[1].name = "b";
  plan.tasks[1].needs_interface = {"a"};
  Report report;
  report.tasks = {outcome("a", 3s), outcome("b", 2s)};
  report.slots = 2;
  measure(report, plan);
  CHECK(report.critical_path == 3s);
}

TEST_CASE("speed-up and efficiency of a run that took no time are 0") {
  const Report nothing;
  CHECK(nothing.speedup() == 0);
  CHECK(nothing.efficiency() == 0);
}

TEST_CASE("a report survives its JSON to the microsecond") {
  Report before = sample();
  Plan plan;
  plan.tasks.resize(2);
  plan.tasks[0].name = "a";
  plan.tasks[1].name = "b";
  measure(before, plan);
  const auto text = to_text(json::value(to_json(before)));
  const auto after = report_from_json(parse_json(text).value());
  REQUIRE(after);
  CHECK(to_text(json::value(to_json(*after))) == text);
  CHECK(after->started == before.started);
  CHECK(after->wall == before.wall);
  CHECK(after->tasks[1].error == before.tasks[1].error);
  CHECK(after->tasks[1].state == TaskState::failed);
  CHECK(after->tasks[1].output_cut_bytes == 12);
  CHECK_FALSE(report_from_json(json::value("x")));
  CHECK_FALSE(report_from_json(json::value{{"tasks", {{{"name", "a"}, {"state", "odd"}}}}}));
}

TEST_CASE("the text for a terminal is a few lines and holds no control characters") {
  Report report = sample();
  for (int i = 0; i < 100; ++i) report.tasks.push_back(report.tasks[1]);
  const auto text = to_text(report);
  CHECK(std::ranges::count(text, '\n') <= 12);
  CHECK(text.find("and 96 more failed") != std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
}
