#pragma once
// Hands out slots and resources to the swarms that run: the owner with the fewest running tasks
// goes first, within it the swarm with the fewest, within that the longest remaining path. Private
// to swarm; loop thread only.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "swarm/engine.hpp"
#include "swarm/ready_queue.hpp"

namespace vigil::swarm {

// What the scheduler sees of a swarm.
class Contender {
 public:
  virtual ~Contender() = default;
  // Must take the task out of its ready queue, and give the slot back through Slot.
  virtual void start(std::uint32_t task, const Holding& holding) = 0;
  // Must call Scheduler::dispatch after that time, unless it was removed meanwhile.
  virtual void dispatch_in(Duration wait) = 0;

  ReadyQueue ready;
  ReadyQueue spare;     // started only when no swarm has anything ready; the same lanes
  bool paused = false;  // starts nothing
  std::string owner;
  int running = 0;
  int running_max = 0;  // 0: no limit of its own
  std::uint64_t served = 0;
};

class Scheduler {
 public:
  Scheduler(EngineLimits limits, Clock& clock);

  void add(Contender& swarm);
  void remove(Contender& swarm);
  // Starts whatever can start now. To be called whenever something became ready.
  void dispatch();
  void release(Contender& swarm, const Holding& holding);

  // The holding of a task: more units than exist become all that exist.
  Holding holding_of(const Task& task);
  void set_units(const std::string& resource, int units);
  const EngineLimits& limits() const { return limits_; }
  int running() const { return running_; }

 private:
  struct Owner {
    std::vector<Contender*> swarms;
    int running = 0;
    std::uint64_t served = 0;
  };
  struct Resource {
    int units = 1;
    int held = 0;
    double per_us = 0;  // starts; 0: as many as there are units
    double starts = 0;  // that may happen now
    Duration counted{0};
  };
  struct Choice {
    Owner* owner = nullptr;
    Contender* swarm = nullptr;
    ReadyQueue::Best best{};
  };
  enum class Queue { ready, spare };
  Choice choose(Queue queue);
  std::size_t number_of(const std::string& resource);
  bool fits(const Holding& holding);
  void take(const Holding& holding);
  void wake_for_rates();

  EngineLimits limits_;
  Clock& clock_;
  std::map<std::string, Owner> owners_;
  std::map<std::string, std::size_t> resource_numbers_;
  std::vector<Resource> resources_;
  int running_ = 0;
  bool may_wait_ = false;  // some tasks hold no slot
  std::uint64_t served_ = 0;
  Duration rate_wait_{0};       // the shortest until a start that only its rate holds back
  Contender* waker_ = nullptr;  // who was asked to call again
  Duration wakes_at_{0};
};

// One running task's claim; given back when destroyed, whatever way the task ended.
class Slot {
 public:
  Slot(Scheduler& scheduler, Contender& swarm, Holding holding)
      : scheduler_(&scheduler), swarm_(&swarm), holding_(std::move(holding)) {}
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() { release(); }
  void release() {
    if (scheduler_ == nullptr) return;
    std::exchange(scheduler_, nullptr)->release(*swarm_, holding_);
  }

 private:
  Scheduler* scheduler_;
  Contender* swarm_;
  Holding holding_;
};

}  // namespace vigil::swarm
