#include "daemon/runtime/mailboxes.hpp"

#include <algorithm>
#include <utility>

namespace vigil::runtime {

constexpr std::size_t events_held_max = 2'000;

void Mailboxes::put(Waiting wake, TimePoint now) {
  if (events_held_ >= events_held_max) wake.events.clear();
  events_held_ += wake.events.size();
  if (const auto known = due_of_.find(wake.id); known != due_of_.end()) {
    // It gathered more: keep the events, take the new time.
    auto events = std::move(known->second->second.events);
    events.insert(events.end(), wake.events.begin(), wake.events.end());
    wake.events = std::move(events);
    due_.erase(known->second);
    due_of_.erase(known);
  }
  if (wake.not_before > now || wake.gathering) {
    if (wake.holds_case) boxes_[wake.case_id].deciding = true;
    const auto id = wake.id;
    const auto at = wake.not_before;
    due_of_[id] = due_.emplace(at, std::move(wake));
    return;
  }
  const auto case_id = wake.case_id;
  auto& box = boxes_[case_id];
  const auto place = std::ranges::upper_bound(box.ready, wake.id, {}, &Waiting::id);
  box.ready.insert(place, std::move(wake));
  ++ready_count_;
  queue(case_id, box);
}

void Mailboxes::queue(CaseId case_id, Box& box) {
  if (box.deciding || box.queued || box.ready.empty()) return;
  box.queued = true;
  order_.push_back(case_id);
}

std::optional<Waiting> Mailboxes::take() {
  while (!order_.empty()) {
    const auto case_id = order_.front();
    order_.pop_front();
    auto& box = boxes_[case_id];
    box.queued = false;
    if (box.ready.empty() || box.deciding) {
      if (!box.deciding) boxes_.erase(case_id);  // its wakes were taken out
      continue;
    }
    if (const auto held = held_.find(box.ready.front().entity); held != held_.end()) {
      held->second.cases.push_back(case_id);  // comes back with resume()
      continue;
    }
    Waiting wake = std::move(box.ready.front());
    box.ready.pop_front();
    box.deciding = true;
    --ready_count_;
    events_held_ -= wake.events.size();
    if (!wake.source.empty()) {
      ++deciding_of_source_[wake.source];
      source_of_deciding_[case_id] = wake.source;
    }
    return wake;
  }
  return std::nullopt;
}

void Mailboxes::release(CaseId case_id) {
  if (const auto source = source_of_deciding_.find(case_id); source != source_of_deciding_.end()) {
    const auto count = deciding_of_source_.find(source->second);
    if (--count->second == 0) deciding_of_source_.erase(count);
    source_of_deciding_.erase(source);
  }
  const auto found = boxes_.find(case_id);
  if (found == boxes_.end()) return;
  found->second.deciding = false;
  if (found->second.ready.empty()) {
    if (!found->second.queued) boxes_.erase(found);
    return;
  }
  queue(case_id, found->second);
}

std::vector<Waiting> Mailboxes::take_due(TimePoint now) {
  std::vector<Waiting> out;
  while (!due_.empty() && due_.begin()->first <= now) {
    out.push_back(std::move(due_.begin()->second));
    events_held_ -= out.back().events.size();
    due_of_.erase(out.back().id);
    due_.erase(due_.begin());
    if (std::exchange(out.back().holds_case, false)) release(out.back().case_id);
  }
  return out;
}

std::optional<TimePoint> Mailboxes::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

std::vector<Waiting> Mailboxes::take_of(const std::string& source) {
  std::vector<Waiting> out;
  const auto wanted = [&](const Waiting& wake) { return wake.source == source && !wake.careful; };
  for (auto& [id, box] : boxes_) {
    std::deque<Waiting> left;
    for (auto& wake : std::exchange(box.ready, {})) {
      if (wanted(wake)) {
        out.push_back(std::move(wake));
        --ready_count_;
      } else {
        left.push_back(std::move(wake));
      }
    }
    box.ready = std::move(left);
  }
  for (auto due = due_.begin(); due != due_.end();) {
    if (!wanted(due->second)) {
      ++due;
      continue;
    }
    out.push_back(std::move(due->second));
    due_of_.erase(out.back().id);
    due = due_.erase(due);
  }
  for (auto& wake : out) {
    events_held_ -= wake.events.size();
    if (std::exchange(wake.holds_case, false)) release(wake.case_id);
  }
  return out;
}

void Mailboxes::put_back(Waiting wake, TimePoint now) {
  const auto case_id = wake.case_id;
  put(std::move(wake), now);
  release(case_id);
}

void Mailboxes::hold(const std::string& entity) { ++held_[entity].reasons; }

void Mailboxes::resume(const std::string& entity) {
  const auto held = held_.find(entity);
  if (held == held_.end() || --held->second.reasons > 0) return;
  const auto cases = std::move(held->second.cases);
  held_.erase(held);
  for (const auto case_id : cases) {
    if (const auto box = boxes_.find(case_id); box != boxes_.end()) queue(case_id, box->second);
  }
}

bool Mailboxes::busy_with(const std::string& source) const {
  if (deciding_of_source_.contains(source)) return true;
  const auto from = [&](const Waiting& wake) { return wake.source == source; };
  for (const auto& [id, box] : boxes_) {
    if (std::ranges::any_of(box.ready, from)) return true;
  }
  return std::ranges::any_of(due_, [&](const auto& entry) { return from(entry.second); });
}

}  // namespace vigil::runtime
