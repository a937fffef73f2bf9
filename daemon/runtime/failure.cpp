#include <fmt/format.h>

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
