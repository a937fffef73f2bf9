#pragma once
// The longest chain of a run: what no number of workers could have shortened. Private to swarm.
// Pure; any thread.
#include <cstdint>
#include <vector>

#include "swarm/graph.hpp"
#include "swarm/plan.hpp"
#include "swarm/report.hpp"

namespace vigil::swarm {

enum class Waits {
  on_interfaces,  // who needs an interface waits for the first one that was published
  on_results      // for the result of whatever is needed
};

struct Chain {
  Duration length{0};
  std::vector<std::uint32_t> tasks;  // those whose work makes up the length: places in Plan::tasks
};

// `outcomes` by place in Plan::tasks; nullptr for a task that takes no time.
Chain longest_chain(const Plan& plan, const Graph& graph,
                    const std::vector<const TaskOutcome*>& outcomes, Waits waits);

}  // namespace vigil::swarm
