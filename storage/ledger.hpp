#pragma once
// The ledger: what was decided about every event and why, silence included. Append-only, and
// chained, so that tampering shows (chain.hpp).
#include <optional>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::storage {

class Database;

struct Entry {
  DecisionId id;
  TimePoint at;
  std::string entity;           // empty: the router itself
  CaseId case_id;               // 0: none
  std::string case_key;         // read only
  WakeId wake;                  // 0: the router's own rows; unique otherwise (promise 2)
  std::string wake_kind;        // event | swarm | timer | action | feedback
  std::vector<EventId> events;  // it answers
  std::string
      verdict;  // acted noted ignored coalesced cooling_down over_budget throttled failed ...
  std::string rule;
  std::string why;
  Duration took{0};
  json::object asked;  // counts and ids of what it asked for: plans, actions, timers, facts
};

class Ledger {
 public:
  explicit Ledger(Database& database) : database_(database) {}
  // Rows of one decision name each other: the id of the next row, taken before it is appended. Only
  // within one change of the writer.
  DecisionId next_id();
  DecisionId append(const Entry& entry);  // under entry.id when that is set
  std::optional<Entry> find(DecisionId id);
  std::vector<Entry> of_event(EventId event);                                        // oldest first
  std::vector<Entry> of_case(CaseId case_id, int limit);                             // newest first
  std::vector<Entry> list(const std::string& entity, DecisionId before, int limit);  // newest first

 private:
  Database& database_;
};

}  // namespace vigil::storage
