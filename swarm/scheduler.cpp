#include "swarm/scheduler.hpp"

#include <algorithm>
#include <tuple>

#include "core/check.hpp"

namespace vigil::swarm {
namespace {

constexpr double us_per_minute = 60e6;
constexpr std::size_t slot = 0;  // the number of what every process holds one of

bool is_process(const Holding& holding) {
  return !holding.empty() && holding.front().first == slot;
}

}  // namespace

Scheduler::Scheduler(EngineLimits limits, Clock& clock)
    : limits_(std::move(limits)), clock_(clock) {
  limits_.slots = std::max(limits_.slots, 1);
  Resource slots;
  slots.units = limits_.slots;
  resources_.push_back(slots);
}

void Scheduler::add(Contender& swarm) { owners_[swarm.owner].swarms.push_back(&swarm); }

void Scheduler::remove(Contender& swarm) {
  const auto owner = owners_.find(swarm.owner);
  VIGIL_CHECK(owner != owners_.end() && swarm.running == 0);
  std::erase(owner->second.swarms, &swarm);
  if (owner->second.swarms.empty()) owners_.erase(owner);
  if (waker_ != &swarm) return;
  waker_ = nullptr;
  dispatch();
}

void Scheduler::dispatch() {
  while (resources_[slot].held < limits_.slots || may_wait_) {
    rate_wait_ = Duration::max();
    Choice choice = choose(Queue::ready);
    if (choice.swarm == nullptr) choice = choose(Queue::spare);
    if (choice.swarm == nullptr) return wake_for_rates();
    const Holding holding = *choice.best.holding;
    take(holding);
    ++running_;
    if (is_process(holding)) ++choice.owner->running;
    ++choice.swarm->running;
    choice.owner->served = choice.swarm->served = ++served_;
    choice.swarm->start(choice.best.task, holding);
  }
}

// A rate lets a start happen later, and nothing else may call dispatch() until then.
void Scheduler::wake_for_rates() {
  if (rate_wait_ == Duration::max()) return;
  const Duration at = clock_.steady_now() + rate_wait_;
  if (waker_ != nullptr && wakes_at_ <= at && wakes_at_ > clock_.steady_now()) return;
  for (auto& [name, owner] : owners_) {
    for (Contender* swarm : owner.swarms) {
      if (swarm->ready.empty() && swarm->spare.empty()) continue;
      waker_ = swarm;
      wakes_at_ = at;
      return swarm->dispatch_in(rate_wait_);
    }
  }
}

void Scheduler::take(const Holding& holding) {
  for (const auto& [number, units] : holding) {
    Resource& resource = resources_[number];
    resource.held += units;
    if (resource.per_us > 0) resource.starts -= 1;
  }
}

void Scheduler::release(Contender& swarm, const Holding& holding) {
  for (const auto& [resource, units] : holding) resources_[resource].held -= units;
  --running_;
  --swarm.running;
  if (is_process(holding)) --owners_.at(swarm.owner).running;
  dispatch();
}

std::size_t Scheduler::number_of(const std::string& name) {
  const auto [place, is_new] = resource_numbers_.emplace(name, resources_.size());
  if (!is_new) return place->second;
  const auto known = limits_.resources.find(name);
  Resource resource;
  if (known != limits_.resources.end()) resource.units = std::max(known->second, 1);
  const auto rate = limits_.starts_per_minute.find(name);
  if (rate != limits_.starts_per_minute.end()) resource.per_us = rate->second / us_per_minute;
  resource.starts = resource.units;
  resource.counted = clock_.steady_now();
  resources_.push_back(resource);
  return place->second;
}

Holding Scheduler::holding_of(const Task& task) {
  Holding holding;
  if (task.ask) {
    may_wait_ = true;
    holding.emplace_back(number_of("model:" + task.ask->model), 1);
  } else {
    holding.emplace_back(slot, 1);
  }
  for (const auto& [name, units] : task.resources) {
    const auto number = number_of(name);
    holding.emplace_back(number, std::min(units, resources_[number].units));
  }
  return holding;
}

void Scheduler::set_units(const std::string& name, int units) {
  limits_.resources[name] = units;
  const auto known = resource_numbers_.find(name);
  if (known == resource_numbers_.end()) return;
  resources_[known->second].units = std::max(units, 1);
  dispatch();
}

bool Scheduler::fits(const Holding& holding) {
  Duration wait{0};
  for (const auto& [number, units] : holding) {
    Resource& resource = resources_[number];
    if (resource.held + units > resource.units) return false;
    if (resource.per_us <= 0) continue;
    const Duration now = clock_.steady_now();
    const auto passed = static_cast<double>((now - resource.counted).count());
    resource.counted = now;
    resource.starts =
        std::min(resource.starts + passed * resource.per_us, static_cast<double>(resource.units));
    if (resource.starts >= 1) continue;
    const double missing = (1 - resource.starts) / resource.per_us;
    wait = std::max(wait, Duration{static_cast<std::int64_t>(missing) + 1});
  }
  if (wait > Duration{0}) rate_wait_ = std::min(rate_wait_, wait);
  return wait == Duration{0};
}

Scheduler::Choice Scheduler::choose(Queue queue) {
  Choice choice;
  const auto rank = [](const Owner& owner, const Contender& swarm) {
    return std::tuple(owner.running, owner.served, swarm.running, swarm.served);
  };
  for (auto& [name, owner] : owners_) {
    const bool may_run = limits_.slots_per_owner <= 0 || owner.running < limits_.slots_per_owner;
    if (!may_run && !may_wait_) continue;
    const auto does_fit = [&](const Holding& holding) {
      return (may_run || !is_process(holding)) && fits(holding);
    };
    for (Contender* swarm : owner.swarms) {
      const ReadyQueue& tasks = queue == Queue::ready ? swarm->ready : swarm->spare;
      if (tasks.empty() || swarm->paused) continue;
      if (swarm->running_max > 0 && swarm->running >= swarm->running_max) continue;
      if (choice.swarm != nullptr && rank(*choice.owner, *choice.swarm) <= rank(owner, *swarm)) {
        continue;
      }
      ReadyQueue::Best best{};
      if (tasks.find(does_fit, best)) choice = {&owner, swarm, best};
    }
  }
  return choice;
}

}  // namespace vigil::swarm
