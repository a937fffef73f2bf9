#include "swarm/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace vigil::swarm {
namespace {

using Places = std::unordered_map<std::string_view, std::uint32_t>;

// `named_by` says who named a task last, so that a join of very many tasks stays cheap.
Result<void> add_edges(const Plan& plan, const Places& places, std::uint32_t task, EdgeKind kind,
                       std::vector<std::uint32_t>& named_by, Graph& graph) {
  const Task& from = plan.tasks[task];
  const auto& names = kind == EdgeKind::result ? from.needs : from.needs_interface;
  for (const std::string& name : names) {
    const auto place = places.find(name);
    if (place == places.end()) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("task '{}' needs '{}', which is not in the plan", from.name, name));
    }
    if (std::exchange(named_by[place->second], task) == task) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("task '{}' names '{}' twice in needs and needs_interface: once is "
                              "enough",
                              from.name, name));
    }
    graph.needs[task].push_back({place->second, kind});
    graph.dependents[place->second].push_back({task, kind});
  }
  return {};
}

// Walks back along needs among the tasks that never became free until one comes up again.
std::string name_cycle(const Plan& plan, const Graph& graph,
                       const std::vector<std::uint32_t>& missing) {
  const auto stuck = std::find_if(missing.begin(), missing.end(), [](auto n) { return n > 0; });
  auto at = static_cast<std::uint32_t>(stuck - missing.begin());
  std::vector<std::uint32_t> path;
  std::vector<bool> seen(missing.size());
  while (!seen[at]) {
    seen[at] = true;
    path.push_back(at);
    for (const Edge& edge : graph.needs[at]) {
      if (missing[edge.task] == 0) continue;
      at = edge.task;
      break;
    }
  }
  path.erase(path.begin(), std::find(path.begin(), path.end(), at));
  std::string text;
  const std::size_t shown = std::min<std::size_t>(path.size(), 10);
  for (std::size_t i = 0; i < shown; ++i) text += plan.tasks[path[i]].name + " needs ";
  if (shown < path.size()) text += fmt::format("({} more) needs ", path.size() - shown);
  return text + plan.tasks[at].name;
}

}  // namespace

Result<Graph> make_graph(const Plan& plan) {
  const std::size_t count = plan.tasks.size();
  Graph graph;
  graph.needs.resize(count);
  graph.dependents.resize(count);
  Places places;
  places.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (places.emplace(plan.tasks[i].name, i).second) continue;
    return fail(
        ErrorCode::invalid_input,
        fmt::format("two tasks are called '{}': give each its own name", plan.tasks[i].name));
  }
  std::vector<std::uint32_t> named_by(count, static_cast<std::uint32_t>(count));
  for (std::uint32_t i = 0; i < count; ++i) {
    auto results = add_edges(plan, places, i, EdgeKind::result, named_by, graph);
    if (!results) return std::unexpected(results.error());
    auto interfaces = add_edges(plan, places, i, EdgeKind::interface, named_by, graph);
    if (!interfaces) return std::unexpected(interfaces.error());
  }
  std::vector<std::uint32_t> missing(count);
  graph.order.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    missing[i] = static_cast<std::uint32_t>(graph.needs[i].size());
    if (missing[i] == 0) graph.order.push_back(i);
  }
  for (std::size_t next = 0; next < graph.order.size(); ++next) {
    for (const Edge& edge : graph.dependents[graph.order[next]]) {
      if (--missing[edge.task] == 0) graph.order.push_back(edge.task);
    }
  }
  if (graph.order.size() < count) {
    return fail(ErrorCode::invalid_input,
                "the tasks wait for each other: " + name_cycle(plan, graph, missing));
  }
  return graph;
}

std::vector<Duration> remaining_paths(const Graph& graph, const std::vector<Duration>& durations) {
  std::vector<Duration> paths(durations);
  for (auto task = graph.order.rbegin(); task != graph.order.rend(); ++task) {
    Duration longest{0};
    for (const Edge& edge : graph.dependents[*task]) longest = std::max(longest, paths[edge.task]);
    paths[*task] += longest;
  }
  return paths;
}

}  // namespace vigil::swarm
