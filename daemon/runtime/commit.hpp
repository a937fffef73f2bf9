#pragma once
// Turns routed events and decisions into rows. These functions run on the writer's thread, inside
// the savepoint of their change: all of it happens or nothing (promises 2 and 5).
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "daemon/runtime/inhabitants.hpp"
#include "daemon/runtime/mailboxes.hpp"
#include "entities/decision.hpp"
#include "storage/stores.hpp"

namespace vigil::runtime {

// A wake's row as its mailbox holds it.
Waiting waiting_of(const storage::Wake& wake);

// One event and everybody who wants it.
struct Arrival {
  std::shared_ptr<const Inhabitants> inhabitants;  // what `routed` points into
  EventPtr event;
  std::vector<Routed> routed;
  std::string missed;     // why nobody does
  bool replayed = false;  // the cursor stays where it is
};

// Name of the cursor that says how far the journal was routed.
constexpr const char* router_cursor = "router";

struct RoutedBatch {
  std::vector<Waiting> wakes;
  std::vector<CaseId> cancel;  // cases whose running swarms an event cancels
  bool answered = false;       // a command approved or denied something
};
RoutedBatch commit_arrivals(storage::Stores& stores, const std::vector<Arrival>& arrivals,
                            TimePoint now);

// One decided wake.
struct Decided {
  std::shared_ptr<const Inhabitants> inhabitants;
  const config::Entity* entity = nullptr;
  WakeId wake;
  CaseId case_id;
  std::string wake_kind;
  json::value because;  // the wake's payload: which swarm, timer, action; null for events
  std::vector<EventId> events;
  Taint taint = Taint::untrusted;
  int descent = 0;  // how many decisions in a row led to this one
  entities::Decision decision;
  std::vector<std::string> used;  // facts it rests on
  Duration took{0};
  TimePoint now;
};

// What follows from itself this often in a row forks nothing and sends nothing more, and its timers
// wait: it goes round in a circle, and only what comes from outside sets it going again.
constexpr int descent_max = 100;
constexpr Duration descent_rest = std::chrono::minutes{1};
// A timer that is due so soon after a decision of its case goes on with it.
constexpr Duration descent_timer = std::chrono::seconds{1};

struct Committed {
  bool decided = false;  // false: the wake was decided already; nothing was written
  DecisionId id;
  std::vector<SwarmId> swarms;
  int actions_approved = 0;
  int actions_proposed = 0;
  std::optional<TimePoint> timer_due;
};
Committed commit_decision(storage::Stores& stores, const Decided& decided);

// A decision that could not be taken: the wake is tried again later, or, after several times, is a
// dead letter with its reason in the ledger.
constexpr int attempts_max = 5;
struct Failure {
  WakeId wake;
  std::string error;
  bool counted = false;  // the attempt was counted before it was made
  TimePoint now;
};
struct Failed {
  bool gone = false;
  bool dead = false;
  int attempts = 0;
  TimePoint not_before;
};
Failed commit_failure(storage::Stores& stores, const Failure& failure);
// The same at once, whatever the number of attempts.
void commit_burial(storage::Stores& stores, const storage::Wake& wake, const std::string& error,
                   TimePoint now);

// A person gives a dead letter up. False when it is none.
bool commit_dropped(storage::Stores& stores, WakeId wake, TimePoint now);

// Wakes that wait and are made pointless by a newer event of their source: each is answered in the
// ledger and gone. One that holds another source's event, or one after `last`, is kept: those are
// given back, as they stand.
std::vector<Waiting> commit_superseded(storage::Stores& stores, std::vector<Waiting> waiting,
                                       EventId last, const std::string& why, TimePoint now);

// May this action leave without a person's consent? (docs/design.md part 6: autonomy, Rule of Two.)
enum class Consent { act, propose, observe };
Consent consent_for(const config::Entity& entity, const config::Settings& settings,
                    const entities::Action& action, Taint taint);

}  // namespace vigil::runtime
