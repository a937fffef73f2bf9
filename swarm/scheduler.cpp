#include "swarm/scheduler.hpp"

#include <algorithm>
#include <tuple>

#include "core/check.hpp"

namespace vigil::swarm {

Scheduler::Scheduler(EngineLimits limits) : limits_(std::move(limits)) {
  limits_.slots = std::max(limits_.slots, 1);
}

void Scheduler::add(Contender& swarm) { owners_[swarm.owner].swarms.push_back(&swarm); }

void Scheduler::remove(Contender& swarm) {
  const auto owner = owners_.find(swarm.owner);
  VIGIL_CHECK(owner != owners_.end() && swarm.running == 0);
  std::erase(owner->second.swarms, &swarm);
  if (owner->second.swarms.empty()) owners_.erase(owner);
}

void Scheduler::dispatch() {
  while (running_ < limits_.slots) {
    const Choice choice = choose();
    if (choice.swarm == nullptr) return;
    const Holding holding = *choice.best.holding;
    for (const auto& [resource, units] : holding) resources_[resource].held += units;
    ++running_;
    ++choice.owner->running;
    ++choice.swarm->running;
    choice.owner->served = choice.swarm->served = ++served_;
    choice.swarm->start(choice.best.task, holding);
  }
}

void Scheduler::release(Contender& swarm, const Holding& holding) {
  for (const auto& [resource, units] : holding) resources_[resource].held -= units;
  --running_;
  --swarm.running;
  --owners_.at(swarm.owner).running;
  dispatch();
}

Holding Scheduler::holding_of(const Task& task) {
  Holding holding;
  for (const auto& [name, units] : task.resources) {
    const auto [place, is_new] = resource_numbers_.emplace(name, resources_.size());
    if (is_new) {
      const auto known = limits_.resources.find(name);
      resources_.push_back({known == limits_.resources.end() ? 1 : std::max(known->second, 1), 0});
    }
    holding.emplace_back(place->second, std::min(units, resources_[place->second].units));
  }
  return holding;
}

bool Scheduler::fits(const Holding& holding) const {
  return std::ranges::all_of(holding, [this](const auto& wanted) {
    const Resource& resource = resources_[wanted.first];
    return resource.held + wanted.second <= resource.units;
  });
}

Scheduler::Choice Scheduler::choose() {
  Choice choice;
  const auto does_fit = [this](const Holding& holding) { return fits(holding); };
  const auto rank = [](const Owner& owner, const Contender& swarm) {
    return std::tuple(owner.running, owner.served, swarm.running, swarm.served);
  };
  for (auto& [name, owner] : owners_) {
    if (limits_.slots_per_owner > 0 && owner.running >= limits_.slots_per_owner) continue;
    for (Contender* swarm : owner.swarms) {
      if (swarm->ready.empty()) continue;
      if (swarm->running_max > 0 && swarm->running >= swarm->running_max) continue;
      if (choice.swarm != nullptr && rank(*choice.owner, *choice.swarm) <= rank(owner, *swarm)) {
        continue;
      }
      ReadyQueue::Best best{};
      if (swarm->ready.find(does_fit, best)) choice = {&owner, swarm, best};
    }
  }
  return choice;
}

}  // namespace vigil::swarm
