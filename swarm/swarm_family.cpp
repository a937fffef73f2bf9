// Tasks that come while the swarm runs: spawned by a task, or one per item of a list; and how they
// come together again.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "swarm/reduce.hpp"
#include "swarm/swarm_run.hpp"

namespace vigil::swarm {

Result<void> SwarmRun::spawn(std::uint32_t task, int attempt, const json::object& asked) {
  const Task& parent = run_.plan.tasks[task];
  if (parent.spawn_max <= 0) {
    return fail(
        ErrorCode::forbidden,
        fmt::format("'{}' may not spawn tasks: its plan gives it no spawn_max", parent.name));
  }
  const Family* family = nodes_[task].family.get();
  auto brood = brood_of(parent, attempt, asked,
                        family != nullptr ? family->names : std::vector<std::string>());
  if (!brood) return std::unexpected(brood.error());
  for (std::uint32_t above = task; above != none; above = nodes_[above].parent) {
    const Task& limiting = run_.plan.tasks[above];
    const auto count = nodes_[above].spawned + brood->tasks.size();
    if (limiting.spawn_max > 0 && count > static_cast<std::size_t>(limiting.spawn_max)) {
      return fail(ErrorCode::too_large, fmt::format("'{}' may spawn {} tasks, this would be {}",
                                                    limiting.name, limiting.spawn_max, count));
    }
  }
  return add_brood(task, attempt, std::move(*brood));
}

Result<void> SwarmRun::spawn_items(std::uint32_t task, int attempt, const json::object& inputs) {
  auto brood = items_of(run_.plan.tasks[task], attempt, inputs);
  if (!brood) return std::unexpected(brood.error());
  auto added = add_brood(task, attempt, std::move(*brood));
  if (added) nodes_[task].family->is_list = true;
  return added;
}

Result<void> SwarmRun::add_brood(std::uint32_t task, int attempt, Brood brood) {
  if (nodes_[task].depth >= spawn_depth_max) {
    return fail(ErrorCode::too_large,
                fmt::format("tasks may spawn at most {} deep", spawn_depth_max));
  }
  if (nodes_.size() + brood.tasks.size() > plan_tasks_max) {
    return fail(ErrorCode::too_large, fmt::format("a swarm has at most {} tasks", plan_tasks_max));
  }
  if (!nodes_[task].family) {
    nodes_[task].family = std::make_unique<Family>();
    nodes_[task].family->attempt = attempt;
  }
  Family& family = *nodes_[task].family;
  if (!brood.result_of.empty()) family.result_of = brood.result_of;
  for (std::uint32_t above = task; above != none; above = nodes_[above].parent) {
    nodes_[above].spawned += brood.tasks.size();
  }
  const std::size_t from = family.children.size();
  const auto prefix = brood_prefix(nodes_[task].outcome.name, attempt).size();
  for (Task& child : brood.tasks) {
    family.names.push_back(child.name.substr(prefix));
    family.children.push_back(add_child(task, attempt, std::move(child)));
  }
  const std::size_t count = family.children.size() - from;
  family.left += count;
  link_children(task, from);
  tell(task, fmt::format("spawned {} task{}", count, count == 1 ? "" : "s"));
  for (std::size_t i = from; i < from + count; ++i) {
    const std::uint32_t child = family.children[i];
    if (nodes_[child].missing == 0 && nodes_[child].phase == Phase::waiting) make_ready(child);
  }
  services_.scheduler.dispatch();
  return {};
}

std::uint32_t SwarmRun::add_child(std::uint32_t parent, int attempt, Task task) {
  const auto place = static_cast<std::uint32_t>(nodes_.size());
  Node& node = nodes_.emplace_back();
  graph_.needs.emplace_back();
  graph_.dependents.emplace_back();
  node.outcome.name = task.name;
  node.outcome.parent = nodes_[parent].outcome.name;
  node.outcome.definition = definition_of(task);
  node.retries_left = task.retries;
  node.parent = parent;
  node.parent_attempt = attempt;
  node.depth = static_cast<std::uint8_t>(nodes_[parent].depth + 1);
  node.excused = nodes_[parent].excused;
  const Holding holding = services_.scheduler.holding_of(task);
  node.lane = ready.lane_of(holding);
  spare.lane_of(holding);
  if (!task.needs_interface.empty()) node.speculation = std::make_unique<Speculation>();
  const auto learned = services_.learned ? services_.learned(owner, task.name) : std::nullopt;
  node.path = nodes_[parent].path + (learned ? learned->typical : Duration{0});
  run_.plan.tasks.push_back(std::move(task));
  ++left_;
  return place;
}

// Edges among siblings and to what their parent needs; then the longest ways, from the last ones
// back.
void SwarmRun::link_children(std::uint32_t parent, std::size_t from) {
  const Family& family = *nodes_[parent].family;
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (const Edge& edge : graph_.needs[parent]) {
    places.emplace(nodes_[edge.task].outcome.name, edge.task);
  }
  for (const std::uint32_t child : family.children) {
    places.emplace(nodes_[child].outcome.name, child);
  }
  std::unordered_map<std::uint32_t, std::size_t> waiting;  // dependents whose way is not known yet
  const auto link = [&](std::uint32_t child, const std::string& name, EdgeKind kind) {
    const std::uint32_t upstream = places.at(name);
    graph_.needs[child].push_back({upstream, kind});
    graph_.dependents[upstream].push_back({child, kind});
    const Phase phase = nodes_[upstream].phase;
    const bool is_open = kind == EdgeKind::interface && nodes_[upstream].interface;
    if (phase != Phase::over && !is_open) ++nodes_[child].missing;
    if (nodes_[upstream].parent == parent) ++waiting[upstream];
  };
  for (std::size_t i = from; i < family.children.size(); ++i) {
    const std::uint32_t child = family.children[i];
    const Task& task = run_.plan.tasks[child];
    for (const auto& name : task.needs) link(child, name, EdgeKind::result);
    for (const auto& name : task.needs_interface) link(child, name, EdgeKind::interface);
  }
  std::vector<std::uint32_t> known;
  for (std::size_t i = from; i < family.children.size(); ++i) {
    if (!waiting.contains(family.children[i])) known.push_back(family.children[i]);
  }
  while (!known.empty()) {
    const std::uint32_t child = known.back();
    known.pop_back();
    for (const Edge& edge : graph_.needs[child]) {
      const auto left = waiting.find(edge.task);
      if (left == waiting.end() || left->second == 0) continue;
      Node& upstream = nodes_[edge.task];
      const bool has_started = upstream.phase != Phase::waiting;
      const Duration own = upstream.path - nodes_[parent].path;
      // Only of those that are not in a queue yet: the place there depends on it.
      if (!has_started) upstream.path = std::max(upstream.path, own + nodes_[child].path);
      if (--left->second == 0) known.push_back(edge.task);
    }
  }
}

// The result of an earlier run counts if the same was spawned again, on the same ground.
bool SwarmRun::adopt_child(std::uint32_t task) {
  Node& node = nodes_[task];
  const auto found = earlier_.find(node.outcome.name);
  if (found == earlier_.end() || found->second.state != TaskState::done) return false;
  if (found->second.definition != node.outcome.definition) return false;
  const auto is_over = [this](const Edge& edge) { return nodes_[edge.task].phase == Phase::over; };
  if (!std::ranges::all_of(graph_.needs[task], is_over)) return false;
  node.outcome = std::move(found->second);
  earlier_.erase(found);
  conclude(task, TaskState::done);
  return true;
}

void SwarmRun::child_over(std::uint32_t parent, int attempt) {
  Family* family = nodes_[parent].family.get();
  if (family == nullptr || family->attempt != attempt) return;  // it was abandoned
  --family->left;
  if (family->left == 0 && nodes_[parent].phase == Phase::held) family_over(parent);
}

// The parent's own work ended well before, and now the last child did.
void SwarmRun::family_over(std::uint32_t task) {
  Node& node = nodes_[task];
  const Family& family = *node.family;
  const Node* undone = nullptr;
  const Node* result = nullptr;
  std::size_t done = 0;
  for (const std::uint32_t child : family.children) {
    const Node& one = nodes_[child];
    if (one.outcome.name == family.result_of) result = &one;
    const bool is_done = one.outcome.state == TaskState::done;
    done += is_done ? 1 : 0;
    const bool forgiven = one.excused || run_.plan.tasks[child].optional;
    if (!is_done && !forgiven && undone == nullptr) undone = &one;
  }
  if (run_.plan.on_failure == OnFailure::partial && done > 0) undone = nullptr;
  if (result != nullptr && result->outcome.state != TaskState::done) undone = result;
  if (undone != nullptr) {
    node.outcome.error = fmt::format("spawned task '{}' {}: {}", undone->outcome.name,
                                     to_text(undone->outcome.state), undone->outcome.error);
    return hold_or_conclude(task, TaskState::failed);
  }
  if (result != nullptr) {
    node.outcome.result = result->outcome.result;
  } else if (family.is_list) {
    json::array list;
    for (const auto child : family.children) list.push_back(nodes_[child].outcome.result);
    node.outcome.result = std::move(list);
  } else if (node.outcome.result.is_null()) {
    json::object all;
    for (std::size_t i = 0; i < family.children.size(); ++i) {
      all[family.names[i]] = nodes_[family.children[i]].outcome.result;
    }
    node.outcome.result = std::move(all);
  }
  hold_or_conclude(task, TaskState::done);
}

// What a failed or repeated attempt had spawned ends with it, and counts for nothing.
void SwarmRun::abandon_children(std::uint32_t task, const std::string& why) {
  const std::unique_ptr<Family> family = std::move(nodes_[task].family);
  if (!family) return;
  for (const std::uint32_t child : family->children) {
    nodes_[child].excused = true;
    drop(child, why);
  }
}

// Siblings know each other by the names they were asked for with.
std::string_view SwarmRun::local_name(std::uint32_t task, std::string_view name) const {
  const Node& node = nodes_[task];
  if (node.parent == none) return name;
  const auto prefix = brood_prefix(node.outcome.parent, node.parent_attempt);
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  return name;
}

AttemptOutcome SwarmRun::reduce_here(std::uint32_t task, const Attempt& attempt) {
  std::vector<Part> parts;
  for (const std::string& need : attempt.task.needs) {
    const auto name = local_name(task, need);
    const auto* result = attempt.inputs.if_contains(name);
    parts.push_back(
        {std::string(name), result != nullptr ? *result : json::value(), result != nullptr});
  }
  auto reduced = reduce(attempt.task.reduce, attempt.task.input, parts);
  AttemptOutcome outcome;
  outcome.ok = reduced.has_value();
  outcome.exit_code = outcome.ok ? 0 : -1;
  outcome.retryable = false;
  if (reduced) outcome.result = std::move(*reduced);
  if (!reduced) outcome.error = reduced.error().message;
  return outcome;
}

}  // namespace vigil::swarm
