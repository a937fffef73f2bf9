#include "swarm/ready_queue.hpp"

#include <algorithm>

namespace vigil::swarm {

std::size_t ReadyQueue::lane_of(const Holding& holding) {
  const auto same = std::ranges::find(lanes_, holding, &Lane::holding);
  if (same != lanes_.end()) return static_cast<std::size_t>(same - lanes_.begin());
  lanes_.push_back({holding, {}});
  return lanes_.size() - 1;
}

void ReadyQueue::push(std::size_t lane, std::uint32_t task, Duration remaining_path) {
  size_ += lanes_[lane].tasks.emplace(-remaining_path, task).second ? 1 : 0;
}

void ReadyQueue::erase(std::size_t lane, std::uint32_t task, Duration remaining_path) {
  size_ -= lanes_[lane].tasks.erase({-remaining_path, task});
}

void ReadyQueue::clear() {
  for (Lane& lane : lanes_) lane.tasks.clear();
  size_ = 0;
}

}  // namespace vigil::swarm
