#include <algorithm>

#include <fmt/format.h>

#include "daemon/runtime/answers.hpp"
#include "daemon/runtime/commit.hpp"
#include "daemon/runtime/reactivity.hpp"

namespace vigil::runtime {
namespace {

storage::Entry router_entry(const Arrival& arrival, TimePoint now) {
  storage::Entry entry;
  entry.at = now;
  entry.wake_kind = "event";
  entry.events = {arrival.event->id};
  entry.verdict = "ignored";
  return entry;
}

// Of its payload, as a guardian in another language is told it.
std::int64_t bytes_of(const Event& event) {
  return static_cast<std::int64_t>(to_text(event.data).size());
}

bool gathers(const config::Reactivity& rules) {
  return rules.debounce || rules.batch || rules.throttle || rules.active_hours;
}

Waiting waiting_for(const Arrival& arrival, const storage::Case& of, const config::Entity& entity) {
  Waiting wake;
  wake.case_id = of.id;
  wake.entity = entity.name;
  wake.source = arrival.event->source;
  wake.events = {arrival.event};
  return wake;
}

Waiting join(storage::Stores& stores, const storage::Wake& open, const Arrival& arrival,
             const storage::Case& of, const config::Entity& entity, const Admission& admission) {
  auto wake = waiting_for(arrival, of, entity);
  wake.id = open.id;
  wake.not_before = admission.not_before;
  wake.gathering = !admission.full;
  stores.wakes.extend(open.id, {arrival.event->id}, bytes_of(*arrival.event), wake.not_before);
  if (admission.full) stores.wakes.close_gathering(open.id, wake.not_before);
  return wake;
}

Waiting add(storage::Stores& stores, const Arrival& arrival, const storage::Case& of,
            const config::Entity& entity, const Admission& admission, TimePoint now) {
  auto wake = waiting_for(arrival, of, entity);
  wake.gathering = admission.kind == Admission::Kind::gather;
  wake.not_before = admission.not_before;
  storage::Wake row;
  row.entity = entity.name;
  row.case_id = of.id;
  row.kind = "event";
  row.events = {arrival.event->id};
  row.gathering = wake.gathering;
  if (row.gathering) row.bytes = bytes_of(*arrival.event);
  row.created = now;
  row.not_before = wake.not_before;
  wake.id = stores.wakes.add(row);
  return wake;
}

// One event for one entity: into a wake, or a line in the ledger that says why not.
void admit_one(storage::Stores& stores, const Arrival& arrival, const Routed& routed, TimePoint now,
               RoutedBatch& out) {
  const auto& entity = routed.who->settings;
  auto entry = router_entry(arrival, now);
  entry.entity = entity.name;
  if (!routed.interest.relevant) {
    entry.why = routed.interest.why;
    stores.ledger.append(entry);
    return;
  }
  const auto of = stores.cases.open(entity.name, routed.interest.case_key, now);
  const auto& rules = *entity.reactivity;
  for (const auto& pattern : rules.cancel_on) {
    if (!entities::matches_glob(pattern, arrival.event->type)) continue;
    out.cancel.push_back(of.id);
    break;
  }
  CaseGate gate{.last_acted = of.last_acted,
                .window_start = of.window_start,
                .window_count = of.window_count,
                .gathering_since = {},
                .gathering_until = {}};
  std::optional<storage::Wake> open;
  if (gathers(rules)) open = stores.wakes.gathering_of(of.id);
  if (open) {
    gate.gathering = true;
    gate.gathering_since = open->created;
    gate.gathering_until = open->not_before;
    gate.gathering_events = static_cast<int>(open->events.size());
    gate.gathering_bytes = open->bytes;
    gate.arriving_bytes = bytes_of(*arrival.event);
  }
  const auto admission = admit(rules, gate, now);
  if (admission.window_start != of.window_start || admission.window_count != of.window_count) {
    stores.cases.set_window(of.id, admission.window_start, admission.window_count);
  }
  if (admission.follows) stores.wakes.close_gathering(open->id, open->not_before);
  switch (admission.kind) {
    case Admission::Kind::silence:
      entry.case_id = of.id;
      entry.verdict = admission.verdict;
      entry.why = admission.why;
      stores.ledger.append(entry);
      return;
    case Admission::Kind::join:
      out.wakes.push_back(join(stores, *open, arrival, of, entity, admission));
      return;
    case Admission::Kind::wake:
    case Admission::Kind::gather:
      out.wakes.push_back(add(stores, arrival, of, entity, admission, now));
      return;
  }
}

// Commands to approve and deny, once: with the cursor that says the event was routed.
void take_answers(storage::Stores& stores, const Arrival& arrival, TimePoint now,
                  RoutedBatch& out) {
  const auto& settings = arrival.inhabitants->settings();
  for (const auto& answer : answers_in(*arrival.event, settings)) {
    auto answered = commit_answer(stores, settings.approvals, answer, now);
    auto entry = router_entry(arrival, now);
    entry.rule = "approvals";
    entry.verdict = answered.refused.empty() ? "acted" : "ignored";
    entry.why = answered.refused.empty()
                    ? fmt::format("{} {} action {}", answer.by,
                                  answer.approve ? "approved" : "denied", answer.action.value)
                    : fmt::format("{}: {}", answer.by, answered.refused);
    if (answered.action) {
      entry.entity = answered.action->entity;
      entry.case_id = answered.action->case_id;
    }
    stores.ledger.append(entry);
    if (answered.wake) out.wakes.push_back(*answered.wake);
    out.answered |= answered.refused.empty();
  }
}

}  // namespace

RoutedBatch commit_arrivals(storage::Stores& stores, const std::vector<Arrival>& arrivals,
                            TimePoint now) {
  RoutedBatch out;
  EventId last;
  for (const auto& arrival : arrivals) {
    if (arrival.routed.empty()) {
      auto entry = router_entry(arrival, now);
      entry.why = arrival.missed;
      stores.ledger.append(entry);
    }
    for (const auto& routed : arrival.routed) admit_one(stores, arrival, routed, now, out);
    if (!arrival.replayed) take_answers(stores, arrival, now, out);
    if (!arrival.replayed) last = std::max(last, arrival.event->id);
  }
  if (last) stores.cursors.set(router_cursor, last.value);
  return out;
}

}  // namespace vigil::runtime
