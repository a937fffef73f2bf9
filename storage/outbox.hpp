#pragma once
// The outbox: actions asked for by decisions, on their way to the world (promise 3).
#include <optional>
#include <string>
#include <vector>

#include "core/event.hpp"
#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::storage {

class Database;

// proposed -> approved -> sending -> delivered | failed | unknown; proposed or approved -> denied |
// expired, or superseded by a newer one with its sticky key; approved -> failed when it can never
// be sent; sending -> approved for a retry; failed or unknown -> approved when a person asks.
struct Action {
  ActionId id;
  std::string key;  // idempotency key, stable over retries: v1:<decision>:<n>; unique
  DecisionId decision;
  std::string entity;
  CaseId case_id;
  std::string case_key;  // read only
  std::string kind;
  std::string sink;
  json::object payload;
  std::string sticky_key;
  std::string
      state;  // proposed approved sending delivered failed unknown denied expired superseded
  Taint taint = Taint::untrusted;
  int attempts = 0;
  TimePoint created;
  TimePoint not_before;
  std::optional<TimePoint> expires;
  TimePoint settled;
  json::value result;
  std::string error;
};

class Outbox {
 public:
  explicit Outbox(Database& database) : database_(database) {}
  // Supersedes undelivered ones with the same entity, case, sink and sticky key.
  ActionId add(const Action& action);
  std::optional<Action> find(ActionId id);
  std::vector<Action> due(TimePoint now, int limit);      // approved and not_before <= now
  std::vector<Action> expired(TimePoint now, int limit);  // proposed and past `expires`
  std::optional<TimePoint> earliest();  // of approved not_before and proposed expires
  bool begin(ActionId id);              // approved -> sending, attempts + 1
  void retry(ActionId id, TimePoint not_before, const std::string& error);  // sending -> approved
  // To a final state. False when it already is in one, or when the step is none of those above.
  bool settle(ActionId id, const std::string& state, const json::value& result,
              const std::string& error, TimePoint now);
  bool approve(ActionId id, TimePoint now);  // proposed (or unknown, failed) -> approved
  std::vector<Action> in_state(const std::string& state, int limit);
  std::int64_t count_in_state(const std::string& state);
  // Newest first. An empty entity or state: all of them; `before` 0: from the newest on.
  std::vector<Action> list(const std::string& entity, ActionId before, int limit);
  std::vector<Action> list(const std::string& entity, const std::string& state, ActionId before,
                           int limit);
  // What the sink answered to the last delivered action with this sticky key: to edit it in place.
  std::optional<json::value> last_result(const std::string& entity, CaseId case_id,
                                         const std::string& sink, const std::string& sticky_key);
  // That action itself.
  std::optional<Action> last_delivered(const Action& like);

 private:
  Database& database_;
};

}  // namespace vigil::storage
