#include "swarm/brood_report.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <unordered_map>
#include <utility>

#include "swarm/chain.hpp"

namespace vigil::swarm {
namespace {

constexpr double cost_max = 1e15;

bool was_reused(const TaskOutcome& outcome) { return outcome.saved > Duration{0}; }
bool did_run(const TaskOutcome& outcome) { return outcome.attempts > 0 || was_reused(outcome); }

// One that waited for those it added did nothing itself meanwhile.
int widest_of(const std::vector<const TaskOutcome*>& outcomes) {
  std::vector<std::pair<TimePoint, int>> turns;
  for (const auto* outcome : outcomes) {
    if (outcome->took <= Duration{0}) continue;
    turns.emplace_back(outcome->started, 1);
    turns.emplace_back(outcome->started + outcome->took, -1);
  }
  std::ranges::sort(turns);  // at the same moment ends come before starts
  int now = 0;
  int most = 0;
  for (const auto& [at, change] : turns) most = std::max(most, now += change);
  return most;
}

Duration wall_of(const std::vector<const TaskOutcome*>& outcomes) {
  auto first = TimePoint::max();
  auto last = TimePoint::min();
  for (const auto* outcome : outcomes) {
    if (outcome->attempts == 0) continue;
    first = std::min(first, outcome->started);
    last = std::max(last, outcome->started + outcome->took);
  }
  return std::max(last, first) - first;
}

Duration longest_of(std::vector<Task> tasks, const std::string& prefix,
                    const std::vector<const TaskOutcome*>& outcomes) {
  std::unordered_map<std::string_view, const TaskOutcome*> by_name;
  for (const auto* outcome : outcomes) by_name.emplace(outcome->name, outcome);
  Plan plan;
  std::vector<const TaskOutcome*> by_place;
  const auto add = [&](Task task) {
    const auto found = by_name.find(task.name);
    by_place.push_back(found == by_name.end() ? nullptr : found->second);
    if (found != by_name.end()) by_name.erase(found);
    plan.tasks.push_back(std::move(task));
  };
  std::vector<std::string> siblings;
  for (const auto& task : tasks) siblings.push_back(task.name);
  for (auto& task : tasks) {
    task.name = prefix + task.name;
    for (auto* needs : {&task.needs, &task.needs_interface}) {
      // What the planner itself needed was there before.
      std::erase_if(*needs, [&](const std::string& name) {
        return std::ranges::find(siblings, name) == siblings.end();
      });
      for (auto& name : *needs) name = prefix + name;
    }
    add(std::move(task));
  }
  for (const auto* outcome : outcomes) {  // the items of their lists
    if (!by_name.contains(outcome->name)) continue;
    Task item;
    item.name = outcome->name;
    add(std::move(item));
  }
  const auto graph = make_graph(plan);
  if (!graph) return Duration{0};
  return longest_chain(plan, *graph, by_place, Waits::on_interfaces).length;
}

}  // namespace

Duration expected_row(std::vector<Task> tasks, const TypicalOf& typical) {
  std::vector<TaskOutcome> as_usual;
  for (const auto& task : tasks) {
    const auto took = typical(task.name);
    if (!took) continue;
    auto& outcome = as_usual.emplace_back();
    outcome.name = task.name;
    outcome.state = TaskState::done;
    outcome.attempts = 1;
    outcome.took = *took;
  }
  std::vector<const TaskOutcome*> outcomes;
  for (const auto& outcome : as_usual) outcomes.push_back(&outcome);
  return longest_of(std::move(tasks), "", outcomes);
}

std::int64_t cost_in(const TaskOutcome& outcome, std::string_view kind) {
  const auto* amount = outcome.cost.if_contains(kind);
  if (amount == nullptr || !amount->is_number()) return 0;
  return static_cast<std::int64_t>(std::clamp(amount->to_number<double>(), 0.0, cost_max));
}

BroodReport measure_brood(std::vector<Task> tasks, const std::string& prefix,
                          const Report& report) {
  BroodReport out;
  std::vector<const TaskOutcome*> outcomes;
  for (const auto& outcome : report.tasks) {
    if (!outcome.name.starts_with(prefix)) continue;
    outcomes.push_back(&outcome);
    out.tasks += did_run(outcome) ? 1 : 0;
    out.done += outcome.state == TaskState::done ? 1 : 0;
    if (outcome.state == TaskState::failed) out.failed.push_back(&outcome);
    out.tokens += cost_in(outcome, "tokens");
    out.money_micros += cost_in(outcome, "money_micros");
  }
  if (outcomes.empty()) return out;
  out.widest = widest_of(outcomes);
  out.wall = wall_of(outcomes);
  out.critical_path = longest_of(std::move(tasks), prefix, outcomes);
  return out;
}

}  // namespace vigil::swarm
