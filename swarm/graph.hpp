#pragma once
// The edges of a plan as numbers, so that 100,000 tasks stay cheap. Private to swarm. Pure.
#include <cstdint>
#include <vector>

#include "swarm/plan.hpp"

namespace vigil::swarm {

enum class EdgeKind { result, interface };

struct Edge {
  std::uint32_t task = 0;  // place in Plan::tasks
  EdgeKind kind = EdgeKind::result;
};

struct Graph {
  std::vector<std::vector<Edge>> needs;       // what each task waits for
  std::vector<std::vector<Edge>> dependents;  // who waits for it
  std::vector<std::uint32_t> order;           // every task after all it needs
};

// Fails when a name is used twice, a need is unknown or named twice, or the tasks form a cycle; the
// message names the tasks.
Result<Graph> make_graph(const Plan& plan);

// For each task the longest way from its start to the end of the plan, over edges of both kinds.
std::vector<Duration> remaining_paths(const Graph& graph, const std::vector<Duration>& durations);

}  // namespace vigil::swarm
