#pragma once
// The tasks of one swarm that could start now, longest remaining path first. Tasks that hold the
// same resources share a lane, so one that waits for a resource never stands in front of one that
// does not. Private to swarm.
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "core/time.hpp"

namespace vigil::swarm {

// Units of resources, by the scheduler's numbers for them.
using Holding = std::vector<std::pair<std::size_t, int>>;

class ReadyQueue {
 public:
  // A number for tasks with that holding; the same for equal ones.
  std::size_t lane_of(const Holding& holding);

  void push(std::size_t lane, std::uint32_t task, Duration remaining_path);
  void erase(std::size_t lane, std::uint32_t task, Duration remaining_path);
  void clear();
  bool empty() const { return size_ == 0; }

  // The task with the longest remaining path among lanes whose holding `fits`.
  struct Best {
    std::uint32_t task;
    const Holding* holding;
  };
  template <class Fits>
  bool find(const Fits& fits, Best& best) const {
    const Entry* first = nullptr;
    for (const Lane& lane : lanes_) {
      if (lane.tasks.empty()) continue;
      const Entry& head = *lane.tasks.begin();
      if ((first != nullptr && !(head < *first)) || !fits(lane.holding)) continue;
      first = &head;
      best = {head.second, &lane.holding};
    }
    return first != nullptr;
  }

 private:
  using Entry = std::pair<Duration, std::uint32_t>;  // negated path, then the plan's order
  struct Lane {
    Holding holding;
    std::set<Entry> tasks;
  };
  std::vector<Lane> lanes_;
  std::size_t size_ = 0;
};

}  // namespace vigil::swarm
