// What measure() makes of a run: chains, factors, sums.
#include <doctest/doctest.h>

#include <boost/json/object.hpp>

#include "swarm/report.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace std::chrono_literals;

namespace {

struct Made {
  Plan plan;
  Report report;

  TaskOutcome& add(std::string name, Duration took, std::vector<std::string> needs = {},
                   std::vector<std::string> needs_interface = {}) {
    Task task;
    task.name = name;
    task.needs = std::move(needs);
    task.needs_interface = std::move(needs_interface);
    plan.tasks.push_back(std::move(task));
    TaskOutcome outcome;
    outcome.name = std::move(name);
    outcome.state = TaskState::done;
    outcome.took = took;
    outcome.attempts = 1;
    report.tasks.push_back(std::move(outcome));
    return report.tasks.back();
  }
  std::vector<std::string> critical() {
    measure(report, plan);
    std::vector<std::string> names;
    for (const auto& task : report.tasks) {
      if (task.critical) names.push_back(task.name);
    }
    return names;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("an edge on an interface counts from when it was published") {
  Made made;
  made.add("a", 3s).interface_after = 500ms;
  made.add("b", 4s, {}, {"a"});
  made.add("c", 1s, {"b"});
  CHECK(made.critical() == Names{"a", "b", "c"});
  CHECK(made.report.critical_path == 5500ms);
  CHECK(made.report.critical_results == 8s);
}

TEST_CASE("an interface that was never published is waited for like a result") {
  Made made;
  made.add("a", 3s);
  made.add("b", 2s, {}, {"a"});
  CHECK(made.critical() == Names{"a", "b"});
  CHECK(made.report.critical_path == 5s);
  CHECK(made.report.critical_results == 5s);
}

TEST_CASE("nothing is final before what it guessed on") {
  Made made;
  made.add("slow", 10s).interface_after = 1s;
  made.add("quick", 2s, {}, {"slow"});
  made.add("after", 3s, {"quick"});
  made.add("aside", 12s);
  // `quick` is not on the chain: making it quicker would not help.
  CHECK(made.critical() == Names{"slow", "after"});
  CHECK(made.report.critical_path == 13s);
  CHECK(made.report.critical_results == 15s);
}

TEST_CASE("chains go through what a task spawned, and what hangs on it waits for that") {
  Made made;
  made.add("p", 2s);
  made.add("after", 1s, {"p"});
  made.add("p/one", 5s).parent = "p";
  made.add("p/two", 4s, {"p/one"}).parent = "p";
  CHECK(made.critical() == Names{"after", "p/one", "p/two"});
  CHECK(made.report.critical_path == 10s);
  // What a planner planned starts when it is done.
  made.plan.tasks[0].planner = true;
  CHECK(made.critical() == Names{"p", "after", "p/one", "p/two"});
  CHECK(made.report.critical_path == 12s);
}

TEST_CASE("what a failed attempt had spawned is waste, not work") {
  Made made;
  made.add("p", 1s).attempts = 2;
  made.add("p/old", 50s).parent = "p";
  made.add("p/old/deep", 3s).parent = "p/old";
  made.add("p.2/new", 7s).parent = "p";
  CHECK(made.critical() == Names{"p.2/new"});
  CHECK(made.report.critical_path == 7s);
  CHECK(made.report.task_sum == 8s);
  CHECK(made.report.wasted == 53s);
}

TEST_CASE("the factors of throughput count what was right the first time") {
  Made made;
  made.add("a", 1s);
  made.add("b", 2s).attempts = 3;
  made.add("c", 1s).state = TaskState::failed;
  auto& reused = made.add("d", 0s);
  reused.attempts = 0;
  reused.saved = 30s;
  made.report.wall = 2s;
  made.report.slots = 2;
  measure(made.report, made.plan);
  const Report& report = made.report;
  CHECK(report.first_time_right == 1);
  CHECK(report.reused == 1);
  CHECK(report.saved == 30s);
  CHECK(report.speed() == doctest::Approx(0.5));        // two tasks in four seconds of work
  CHECK(report.correctness() == doctest::Approx(0.5));  // one of the two that ran
  CHECK(report.speedup() == doctest::Approx(2));
  CHECK(report.speed() * report.speedup() * report.correctness() == doctest::Approx(0.5));
  CHECK(Report().speed() == 0);
  CHECK(Report().correctness() == 0);
}

TEST_CASE("costs are added up by their names, whatever else stands there") {
  Made made;
  made.add("a", 1s).cost = {{"tokens", 10}, {"cents", 0.5}, {"model", "small"}};
  made.add("b", 1s).cost = {{"tokens", 5}, {"cents", 1}};
  made.add("c", 1s).cost = {{"huge", INT64_MAX}};
  made.add("d", 1s).cost = {{"huge", INT64_MAX}};
  measure(made.report, made.plan);
  measure(made.report, made.plan);  // once more changes nothing
  CHECK(made.report.cost.at("tokens") == 15);
  CHECK(made.report.cost.at("cents") == 1.5);
  CHECK(made.report.cost.at("huge").as_double() > 1e19);
  CHECK(made.report.cost.size() == 3);
}

TEST_CASE("a plan that is no DAG, or none at all, has no chain") {
  Made made;
  CHECK(made.critical().empty());
  made.add("a", 1s, {"b"});
  made.add("b", 1s, {"a"});
  CHECK(made.critical().empty());
  CHECK(made.report.critical_path == 0s);
  CHECK(made.report.task_sum == 2s);
}

TEST_CASE("a hundred thousand tasks are measured in a moment") {
  Made made;
  std::vector<std::string> all;
  for (int i = 0; i < 99'999; ++i) {
    all.push_back("t" + std::to_string(i));
    made.add(all.back(), 1ms);
  }
  made.add("join", 1ms, all);
  measure(made.report, made.plan);
  CHECK(made.report.critical_path == 2ms);
}
