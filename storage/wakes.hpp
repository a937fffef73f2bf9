#pragma once
// Wakes that are not decided yet: gathering (debounce, batch), waiting for their time, ready, or
// dead. A decided wake is erased in the transaction of its decision.
#include <optional>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::storage {

class Database;

struct Wake {
  WakeId id;
  std::string entity;
  CaseId case_id;
  std::string case_key;         // read only: joined from the case
  std::string kind;             // event | swarm | timer | action | feedback
  std::vector<EventId> events;  // kind event
  json::value payload;          // other kinds: what happened, as entities/decision.hpp spells it
  std::int64_t bytes = 0;       // of the events' payloads, for the bound on what gathers
  bool gathering = false;       // more events may join it until not_before
  TimePoint created;
  TimePoint not_before;
  int attempts = 0;  // decisions begun and not finished
  bool dead = false;
  std::string error;  // of the last attempt
};

class Wakes {
 public:
  explicit Wakes(Database& database) : database_(database) {}
  WakeId add(const Wake& wake);
  std::optional<Wake> find(WakeId id);
  std::optional<Wake> gathering_of(CaseId case_id);
  // The one wake of a case to decide next: the oldest that is not dead; one at a time per case.
  std::optional<Wake> oldest_of(CaseId case_id);
  // Keeps gathering. `bytes`: of the payloads of those events.
  void extend(WakeId id, const std::vector<EventId>& more, std::int64_t bytes,
              TimePoint not_before);
  void extend(WakeId id, const std::vector<EventId>& more, TimePoint not_before) {
    extend(id, more, 0, not_before);
  }
  void close_gathering(WakeId id, TimePoint not_before);
  void begin_attempt(WakeId id);  // attempts + 1
  void retry(WakeId id, TimePoint not_before, const std::string& error);
  void bury(WakeId id, const std::string& error);
  bool revive(WakeId id, TimePoint now);            // dead -> ready, attempts 0
  bool erase(WakeId id);                            // false: already gone
  std::vector<Wake> open(WakeId after, int limit);  // not dead, by id: recovery
  std::vector<Wake> dead(int limit);
  std::int64_t count_open();
  std::int64_t count_dead();

 private:
  Database& database_;
};

}  // namespace vigil::storage
