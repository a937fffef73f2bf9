// Work on interfaces: who starts on one, and what becomes of it when the final one is known.
#include "swarm/swarm_run.hpp"

namespace vigil::swarm {
namespace {

// After so many wrong guesses a task waits for results: what it needs is not settled enough.
constexpr int guesses_max = 2;

}  // namespace

void SwarmRun::publish(std::uint32_t task, Copy* copy, json::value interface) {
  Node& node = nodes_[task];
  if (node.phase != Phase::busy) return;
  const bool is_first = !node.interface;
  const Sha256 digest = sha256(vigil::to_text(interface));
  if (copy->interface_after == Duration{0}) {
    copy->interface_after = std::max(services_.clock.steady_now() - copy->began, Duration{1});
  }
  node.interface = std::make_unique<Interface>(Interface{std::move(interface), digest});
  tell(task, "published its interface");
  if (!is_first) return;  // who consumed an earlier one is judged when this task ends
  for (const Edge& edge : graph_.dependents[task]) {
    if (edge.kind == EdgeKind::interface) release(edge.task);
  }
  services_.scheduler.dispatch();
}

// The interface `task` may have started on is final now: its work stands, or it runs again.
void SwarmRun::settle(std::uint32_t upstream, std::uint32_t task) {
  Node& node = nodes_[task];
  Speculation& speculation = *node.speculation;
  const auto consumed = speculation.consumed.find(upstream);
  if (node.phase == Phase::over || consumed == speculation.consumed.end()) return;
  const bool same = consumed->second == nodes_[upstream].interface->digest;
  speculation.consumed.erase(consumed);
  if (same) {
    const bool has_children = node.family && node.family->left > 0;
    const bool is_final = speculation.consumed.empty() && !has_children;
    if (node.phase == Phase::held && is_final) conclude(task, node.held);
    return;
  }
  if (node.phase == Phase::held) {
    node.outcome.wasted += std::exchange(node.outcome.took, Duration{0});
    guess_was_wrong(task);
  } else if (node.phase == Phase::busy) {
    stop_copies(task, Stop::rerun, "the interface it started on is not the final one");
  }
}

void SwarmRun::guess_was_wrong(std::uint32_t task) {
  Node& node = nodes_[task];
  Speculation& speculation = *node.speculation;
  ++report_.guesses_lost;
  speculation.consumed.clear();
  speculation.guessed = false;
  abandon_children(task, "what it was spawned from has changed");
  if (++speculation.wrong < guesses_max) return make_ready(task);
  speculation.waits_for_results = true;
  node.missing = 0;
  for (const Edge& edge : graph_.needs[task]) {
    node.missing += nodes_[edge.task].phase == Phase::over ? 0U : 1U;
  }
  if (node.missing == 0) return make_ready(task);
  node.phase = Phase::waiting;
  node.outcome.state = TaskState::waiting;
}

}  // namespace vigil::swarm
