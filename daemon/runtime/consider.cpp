#include "daemon/runtime/consider.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <chrono>

#include "core/log.hpp"
#include "daemon/runtime/recollection.hpp"
#include "storage/descent.hpp"

namespace vigil::runtime {
namespace {

Taint worse(Taint a, Taint b) {
  return a == Taint::untrusted || b == Taint::untrusted ? Taint::untrusted : Taint::trusted;
}

// The ledger's rows carry the taint of what they were decided from, and the state of a case is made
// of all of them.
Taint taint_of(const std::optional<storage::Entry>& entry) {
  if (!entry) return Taint::trusted;
  const json::value asked(entry->asked);
  const auto text = find_text(asked, "taint");
  return text && *text == "trusted" ? Taint::trusted : Taint::untrusted;
}

Taint taint_of_case(storage::Stores& stores, CaseId case_id) {
  for (auto& entry : stores.ledger.of_case(case_id, 5)) {
    if (entry.wake) return taint_of(entry);  // the router's own rows decide nothing
  }
  return Taint::trusted;
}

// Of events that were gathered the nearest to the outside counts: nobody's own header holds back
// what others sent.
int descent_of(const EventPtr& event) {
  for (const auto& [name, value] : event->headers) {
    if (name == storage::descent_header) return storage::descent_of(value);
  }
  return 0;
}

int descent_of(storage::Stores& stores, const storage::Wake& row, const entities::Wake& wake) {
  if (const auto* arrived = std::get_if<entities::EventsArrived>(&wake.because)) {
    int out = storage::descent_told_max;
    for (const auto& event : arrived->events) out = std::min(out, descent_of(event));
    return arrived->events.empty() ? 0 : out;
  }
  if (row.kind == "swarm") {
    const SwarmId id{find_integer(row.payload, "swarm").value_or(0)};
    const auto swarm = stores.swarms.brief(id);
    return swarm ? storage::descent_of(stores.ledger.find(swarm->decision)) + 1 : 0;
  }
  if (row.kind == "action") {
    const ActionId id{find_integer(row.payload, "action").value_or(0)};
    const auto action = stores.outbox.find(id);
    return action ? storage::descent_of(stores.ledger.find(action->decision)) + 1 : 0;
  }
  if (row.kind != "timer") return 0;  // a person's feedback
  for (const auto& entry : stores.ledger.of_case(row.case_id, 5)) {
    if (!entry.wake) continue;
    return wake.now - entry.at < descent_timer ? storage::descent_of(entry) + 1 : 0;
  }
  return 0;
}

using Because = decltype(entities::Wake::because);

Because events_of(storage::Stores& stores, const storage::Wake& row, const Waiting& waiting,
                  Taint& taint) {
  entities::EventsArrived out;
  for (const auto id : row.events) {
    const auto held = std::ranges::find(waiting.events, id, [](const auto& e) { return e->id; });
    auto event = held != waiting.events.end() ? *held : stores.journal.find(id);
    if (!event) continue;  // its time in the journal is over
    taint = worse(taint, event->taint);
    out.events.push_back(std::move(event));
  }
  return out;
}

Result<Because> swarm_of(storage::Stores& stores, const json::value& payload, Taint& taint) {
  const auto swarm = stores.swarms.find(SwarmId{find_integer(payload, "swarm").value_or(0)});
  if (!swarm) return fail(ErrorCode::not_found, "its swarm is not in the database any more");
  taint = worse(taint, taint_of(stores.ledger.find(swarm->decision)));
  auto report = swarm::report_from_json(swarm->report);
  if (!report) return std::unexpected(std::move(report.error()));
  return entities::SwarmEnded{std::move(*report)};
}

Result<Because> settled_of(storage::Stores& stores, const json::value& payload, Taint& taint) {
  const auto action = stores.outbox.find(ActionId{find_integer(payload, "action").value_or(0)});
  if (!action) return fail(ErrorCode::not_found, "its action is not in the database any more");
  taint = worse(taint, action->taint);
  return entities::ActionSettled{action->id,     action->kind,  action->state,
                                 action->result, action->error, action->sticky_key};
}

Because feedback_of(storage::Stores& stores, const json::value& payload) {
  entities::FeedbackGiven out;
  out.action = ActionId{find_integer(payload, "action").value_or(0)};
  out.verdict = find_text(payload, "verdict").value_or("");
  out.note = find_text(payload, "note").value_or("");
  if (const auto action = stores.outbox.find(out.action)) out.about = action->payload;
  return out;
}

Because timer_of(const json::value& payload) {
  entities::TimerDue out;
  out.name = find_text(payload, "name").value_or("");
  out.due = from_unix_us(find_integer(payload, "due_us").value_or(0));
  if (const auto* note = find_path(payload, "note")) out.note = *note;
  return out;
}

Result<Because> because_of(storage::Stores& stores, const storage::Wake& row,
                           const Waiting& waiting, Taint& taint) {
  if (row.kind == "event") return events_of(stores, row, waiting, taint);
  if (row.kind == "swarm") return swarm_of(stores, row.payload, taint);
  if (row.kind == "timer") return timer_of(row.payload);
  if (row.kind == "action") return settled_of(stores, row.payload, taint);
  if (row.kind == "feedback") return feedback_of(stores, row.payload);
  return fail(ErrorCode::internal, fmt::format("no wake is of kind '{}'", row.kind));
}

// A wake whose events retention erased before anyone looked: it is answered, not guessed.
bool nothing_left(const entities::Wake& wake) {
  const auto* events = std::get_if<entities::EventsArrived>(&wake.because);
  return events != nullptr && events->events.empty();
}

void ask(const Inhabitant& who, Considered& out, const StoredRecollection& memory) {
  if (nothing_left(out.wake)) {
    out.decided->decision.why = "its events were erased by retention before they were decided";
    return;
  }
  if (who.is_process) {
    out.memory = to_json(memory);
    out.ask_process = true;
    return;
  }
  const auto begun = std::chrono::steady_clock::now();
  out.decided->decision = who.guardian->decide(out.wake, memory);
  out.decided->took =
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begun);
}

}  // namespace

Considered consider(storage::Stores& stores, const std::shared_ptr<const Inhabitants>& inhabitants,
                    Waiting waiting, TimePoint now) {
  Considered out;
  out.waiting = std::move(waiting);
  const auto* who = inhabitants->find(out.waiting.entity);
  const auto row = stores.wakes.find(out.waiting.id);
  out.gone = !row || row->dead;
  out.absent = !out.gone && who == nullptr;
  if (out.gone || out.absent) return out;
  auto of = stores.cases.find(row->case_id);
  if (!of) {
    out.error = "its case is not in the database";
    return out;
  }
  Decided decided;
  decided.inhabitants = inhabitants;
  decided.entity = &who->settings;
  decided.wake = row->id;
  decided.case_id = row->case_id;
  decided.wake_kind = row->kind;
  decided.events = row->events;
  decided.because = row->payload;
  decided.now = now;
  decided.taint = taint_of_case(stores, row->case_id);
  auto because = because_of(stores, *row, out.waiting, decided.taint);
  if (!because) {
    out.error = because.error().message;
    return out;
  }
  out.wake = entities::Wake{row->entity, of->key, now, decided.taint, std::move(*because)};
  decided.descent = descent_of(stores, *row, out.wake);
  out.decided = std::move(decided);
  const StoredRecollection memory(stores, std::move(*of));
  ask(*who, out, memory);
  out.decided->taint = worse(out.decided->taint, memory.taint());
  out.decided->used = memory.used(now);
  return out;
}

}  // namespace vigil::runtime
