#include "swarm/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <unordered_map>
#include <unordered_set>

#include "core/log.hpp"
#include "swarm/chain.hpp"

namespace vigil::swarm {
namespace {

double ratio(Duration above, Duration below) {
  if (below <= Duration{0}) return 0;
  return static_cast<double>(above.count()) / static_cast<double>(below.count());
}

bool was_run(const TaskOutcome& outcome) {
  return outcome.state == TaskState::done && outcome.attempts > 0;
}

// Whole numbers stay whole as long as they can.
json::value sum_of(const json::value& one, const json::value& other) {
  const auto* a = one.if_int64();
  const auto* b = other.if_int64();
  std::int64_t sum = 0;
  if (a != nullptr && b != nullptr && !__builtin_add_overflow(*a, *b, &sum)) return sum;
  return one.to_number<double>() + other.to_number<double>();
}

void add_cost(const json::object& cost, json::object& sums) {
  for (const auto& [name, amount] : cost) {
    if (!amount.is_number()) continue;
    json::value& sum = sums[name];
    sum = sum.is_null() ? amount : sum_of(sum, amount);
  }
}

// The tasks of attempt 1 are called PARENT/CHILD, of attempt 2 PARENT.2/CHILD.
bool is_of_attempt(const std::string& name, const TaskOutcome& parent) {
  const auto prefix = parent.attempts <= 1 ? fmt::format("{}/", parent.name)
                                           : fmt::format("{}.{}/", parent.name, parent.attempts);
  return name.starts_with(prefix);
}

// Whatever was spawned by an attempt that did not count in the end, by place.
std::vector<bool> find_abandoned(const std::vector<TaskOutcome>& tasks) {
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!tasks[i].parent.empty()) places.emplace(tasks[i].parent, tasks.size());
  }
  std::vector<bool> abandoned(tasks.size());
  if (places.empty()) return abandoned;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const TaskOutcome& task = tasks[i];
    if (const auto known = places.find(task.name); known != places.end()) known->second = i;
    const auto parent = task.parent.empty() ? places.end() : places.find(task.parent);
    if (parent == places.end() || parent->second >= i) continue;
    abandoned[i] = abandoned[parent->second] || !is_of_attempt(task.name, tasks[parent->second]);
  }
  return abandoned;
}

void measure_chains(const Plan& plan, const std::vector<bool>& abandoned, Report& report) {
  std::unordered_map<std::string_view, const TaskOutcome*> outcomes;
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    if (!abandoned[i]) outcomes.emplace(report.tasks[i].name, &report.tasks[i]);
  }
  std::vector<const TaskOutcome*> by_place;
  by_place.reserve(plan.tasks.size());
  for (const Task& task : plan.tasks) {
    const auto found = outcomes.find(task.name);
    by_place.push_back(found == outcomes.end() ? nullptr : found->second);
  }
  report.critical_path = report.critical_results = Duration{0};
  const auto graph = make_graph(plan);
  if (!graph) return;
  const Chain chain = longest_chain(plan, *graph, by_place, Waits::on_interfaces);
  report.critical_path = report.critical_results = chain.length;
  const auto guesses = [](const Task& task) { return !task.needs_interface.empty(); };
  if (std::ranges::any_of(plan.tasks, guesses)) {
    report.critical_results = longest_chain(plan, *graph, by_place, Waits::on_results).length;
  }
  for (const std::uint32_t task : chain.tasks) {
    // The outcomes are the report's own.
    if (const TaskOutcome* outcome = by_place[task]) {
      report.tasks[static_cast<std::size_t>(outcome - report.tasks.data())].critical = true;
    }
  }
}

// Questions wait for others and hold no slot: they do not add up on workers.
Duration sum_on_slots(const Report& report, const Plan& plan, const std::vector<bool>& abandoned) {
  std::unordered_set<std::string_view> asks;
  for (const Task& task : plan.tasks) {
    if (task.ask) asks.insert(task.name);
  }
  Duration sum{0};
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    const TaskOutcome& outcome = report.tasks[i];
    if (!abandoned[i] && !asks.contains(outcome.name)) sum += outcome.took;
  }
  return sum;
}

}  // namespace

std::string_view to_text(TaskState state) {
  switch (state) {
    case TaskState::waiting:
      return "waiting";
    case TaskState::running:
      return "running";
    case TaskState::done:
      return "done";
    case TaskState::failed:
      return "failed";
    case TaskState::cancelled:
      return "cancelled";
    case TaskState::skipped:
      return "skipped";
  }
  return "waiting";
}

Result<TaskState> task_state_from(std::string_view text) {
  for (const auto state : {TaskState::waiting, TaskState::running, TaskState::done,
                           TaskState::failed, TaskState::cancelled, TaskState::skipped}) {
    if (to_text(state) == text) return state;
  }
  return fail(ErrorCode::invalid_input, fmt::format("{} is no state of a task", quoted(text)));
}

double Report::speedup() const { return ratio(task_sum, wall); }
double Report::efficiency() const { return ratio(lower_bound, wall); }

double Report::speed() const {
  const auto done = std::ranges::count_if(tasks, was_run);
  if (task_sum <= Duration{0}) return 0;
  return static_cast<double>(done) / std::chrono::duration<double>(task_sum).count();
}

double Report::correctness() const {
  const auto done = std::ranges::count_if(tasks, was_run);
  return done == 0 ? 0 : static_cast<double>(first_time_right) / static_cast<double>(done);
}

void measure(Report& report, const Plan& plan) {
  report.task_sum = report.wasted = report.saved = Duration{0};
  report.attempts = report.first_time_right = report.reused = 0;
  report.cost.clear();
  const auto abandoned = find_abandoned(report.tasks);
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    TaskOutcome& outcome = report.tasks[i];
    outcome.critical = false;
    (abandoned[i] ? report.wasted : report.task_sum) += outcome.took;
    report.wasted += outcome.wasted;
    report.attempts += outcome.attempts;
    report.first_time_right += was_run(outcome) && outcome.attempts == 1 ? 1 : 0;
    report.reused += outcome.saved > Duration{0} ? 1 : 0;
    report.saved += outcome.saved;
    add_cost(outcome.cost, report.cost);
  }
  measure_chains(plan, abandoned, report);
  report.lower_bound = report.critical_path;
  if (report.slots > 0) {
    const Duration on_slots = sum_on_slots(report, plan, abandoned);
    report.lower_bound = std::max(report.lower_bound, on_slots / report.slots);
  }
}

}  // namespace vigil::swarm
