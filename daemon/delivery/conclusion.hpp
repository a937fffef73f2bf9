#pragma once
// What becomes of an action after an attempt: a final state, or another attempt and when. Pure but
// for write().
#include <optional>
#include <string>

#include "daemon/delivery/sinks.hpp"
#include "storage/settling.hpp"

namespace vigil::delivery {

constexpr int attempts_max = 10;
constexpr Duration pause_least = std::chrono::seconds{1};
constexpr Duration pause_most = std::chrono::hours{1};
constexpr Duration asked_pause_most = std::chrono::hours{24};  // that a server may ask for

struct Conclusion {
  std::string state;     // delivered, failed, unknown; empty: another attempt
  TimePoint not_before;  // of that attempt
  json::value result;
  std::string error;
};

Conclusion conclude(const storage::Action& action, Repeat repeat, const Outcome& outcome,
                    TimePoint now);

// Of an action that a crash left between its attempt and its answer.
Conclusion conclude_interrupted(const storage::Action& action, Repeat repeat, TimePoint now);

// Of an action whose sink is not in the configuration.
Conclusion conclude_sinkless(const storage::Action& action);

// Stores it, on the writer's thread. Nothing: it is to be tried again, or somebody else settled it
// meanwhile.
std::optional<storage::Settled> write(storage::Stores& stores, ActionId action,
                                      const Conclusion& conclusion, TimePoint now);

// The pause before the next attempt: four times as long each time, up to an hour, with up to a
// quarter more that differs from action to action.
Duration pause_after(const std::string& key, int attempts);

}  // namespace vigil::delivery
