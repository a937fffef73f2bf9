#include <fmt/format.h>

#include <algorithm>

#include "daemon/runtime/commit.hpp"

namespace vigil::runtime {

void commit_burial(storage::Stores& stores, const storage::Wake& wake, const std::string& error,
                   TimePoint now) {
  stores.wakes.bury(wake.id, error);
  storage::Entry entry;  // not under the wake's id: a revived wake may still be decided
  entry.at = now;
  entry.entity = wake.entity;
  entry.case_id = wake.case_id;
  entry.wake_kind = wake.kind;
  entry.events = wake.events;
  entry.verdict = "failed";
  entry.why = fmt::format("{}; the wake is a dead letter: vigilctl dead list", error);
  stores.ledger.append(entry);
}

bool commit_dropped(storage::Stores& stores, WakeId wake, TimePoint now) {
  const auto row = stores.wakes.find(wake);
  if (!row || !row->dead || !stores.wakes.erase(wake)) return false;
  storage::Entry entry;
  entry.at = now;
  entry.entity = row->entity;
  entry.case_id = row->case_id;
  entry.wake_kind = row->kind;
  entry.events = row->events;
  entry.verdict = "dropped";
  entry.why = "a person dropped the dead letter";
  stores.ledger.append(entry);
  return true;
}

std::vector<Waiting> commit_superseded(storage::Stores& stores, std::vector<Waiting> waiting,
                                       EventId last, const std::string& why, TimePoint now) {
  std::vector<Waiting> kept;
  for (auto& one : waiting) {
    const auto wake = stores.wakes.find(one.id);
    if (!wake || wake->dead) continue;
    const bool wanted = std::ranges::any_of(wake->events, [&](EventId id) {
      if (id > last) return true;
      const auto event = stores.journal.find(id);
      return event && event->source != one.source;
    });
    if (wanted) {
      one.not_before = wake->not_before;
      one.gathering = wake->gathering;
      kept.push_back(std::move(one));
      continue;
    }
    stores.wakes.erase(wake->id);
    storage::Entry entry;
    entry.at = now;
    entry.entity = wake->entity;
    entry.case_id = wake->case_id;
    entry.wake_kind = wake->kind;
    entry.events = wake->events;
    entry.verdict = "superseded";
    entry.why = why;
    stores.ledger.append(entry);
  }
  return kept;
}

Failed commit_failure(storage::Stores& stores, const Failure& failure) {
  Failed out;
  if (!failure.counted) stores.wakes.begin_attempt(failure.wake);
  const auto wake = stores.wakes.find(failure.wake);
  if (!wake || wake->dead) {
    out.gone = true;
    return out;
  }
  out.attempts = wake->attempts;
  if (wake->attempts >= attempts_max) {
    out.dead = true;
    commit_burial(stores, *wake, fmt::format("{} (tried {} times)", failure.error, wake->attempts),
                  failure.now);
    return out;
  }
  const auto pause = std::chrono::seconds{1} * (1 << (2 * (wake->attempts - 1)));  // 1 4 16 64 s
  out.not_before = failure.now + pause;
  stores.wakes.retry(failure.wake, out.not_before, failure.error);
  return out;
}

}  // namespace vigil::runtime
