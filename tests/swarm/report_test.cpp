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
  CHECK(to_json(after->tasks[0]).size() == 9);  // what is as ever is left out
  CHECK_FALSE(report_from_json(json::value("x")));
  CHECK_FALSE(report_from_json(json::value{{"tasks", {{{"name", "a"}, {"state", "odd"}}}}}));
}

TEST_CASE("every number of a report survives its JSON") {
  Report before = sample();
  before.critical_results = 9us;
  before.saved = 8us;
  before.first_time_right = 1;
  before.guesses_won = 2;
  before.guesses_lost = 3;
  before.hedges_won = 4;
  before.reused = 5;
  before.cost = {{"tokens", 6}};
  auto& task = before.tasks[0];
  task.parent = "p";
  task.definition = "abc";
  task.interface_after = 7us;
  task.cost = {{"cents", 0.25}};
  task.cache_key = "def";
  task.saved = 6us;
  task.critical = true;
  const auto after = report_from_json(parse_json(to_text(json::value(to_json(before)))).value());
  REQUIRE(after);
  CHECK(to_json(*after) == to_json(before));
  CHECK(after->critical_results == 9us);
  CHECK(after->saved == 8us);
  CHECK(after->guesses_lost == 3);
  CHECK(after->hedges_won == 4);
  CHECK(after->cost == before.cost);
  CHECK(after->tasks[0].parent == "p");
  CHECK(after->tasks[0].definition == "abc");
  CHECK(after->tasks[0].interface_after == 7us);
  CHECK(after->tasks[0].cost == task.cost);
  CHECK(after->tasks[0].cache_key == "def");
  CHECK(after->tasks[0].saved == 6us);
  CHECK(after->tasks[0].critical);
}

TEST_CASE("the text for a terminal says what there is to say, and nothing else") {
  Report report;
  report.title = "audit";
  report.ok = true;
  report.wall = 4s;
  report.slots = 4;
  report.task_sum = 12s;
  report.critical_path = report.critical_results = report.lower_bound = 3s;
  report.tasks = {outcome("a", 6s), outcome("b", 6s)};
  report.attempts = report.first_time_right = 2;
  CHECK(to_text(report) ==
        "\"audit\": ok, 2 of 2 tasks done in 4s\n"
        "  one worker would have needed 12s: 3.0 times faster on 4 slots\n"
        "  longest chain 3s\n"
        "  no schedule can be shorter than 3s: efficiency 75 %\n"
        "  right the first time: 2 of 2\n");
  report.critical_results = 5s;
  report.wasted = 500ms;
  report.attempts = 3;
  report.guesses_won = 4;
  report.guesses_lost = 1;
  report.hedges_won = 1;
  report.reused = 1;
  report.first_time_right = 1;
  report.saved = 1h;
  report.cost = {{"tokens", 1200}, {"cents", 0.5}, {"\x1b[31m", 1}};
  const auto text = to_text(report);
  CAPTURE(text);
  for (const auto* line :
       {"  longest chain 3s: 5s if everyone had waited for results\n",
        "  right the first time: 1 of 1; 3 attempts, 500ms wasted\n",
        "  guesses won 4, lost 1; 1 second attempt beside a slow one ended first; "
        "1 earlier result taken, 1h saved; cost 1200 tokens, 0.5 cents, 1 \""}) {
    CHECK(text.find(line) != std::string::npos);
  }
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(std::ranges::count(text, '\n') == 6);
  report.tasks[1].state = TaskState::failed;
  report.reused = 0;
  CHECK(to_text(report).find("  1 of 2 tasks done, all of them right the first time; 3 attempts") !=
        std::string::npos);
  report.first_time_right = 0;
  CHECK(to_text(report).find("  1 of 2 tasks done, 0 of them right") != std::string::npos);
  CHECK(to_text(Report()) == "swarm: not ok, 0 of 0 tasks done in 0us\n");
}

TEST_CASE("the text for a terminal is a few lines and holds no control characters") {
  Report report = sample();
  for (int i = 0; i < 100; ++i) report.tasks.push_back(report.tasks[1]);
  const auto text = to_text(report);
  CHECK(std::ranges::count(text, '\n') <= 12);
  CHECK(text.find("and 96 more failed") != std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
}
