#pragma once
// An action reaches its end, and its entity is woken with what became of it, in one transaction:
// after a crash there are both or neither. On the writer's thread.
#include <optional>
#include <string>

#include "storage/stores.hpp"

namespace vigil::storage {

struct Settled {
  ActionId action;
  WakeId wake;  // of its case, kind "action"
};

// As Outbox::settle. Nothing: somebody else settled it, or the step is none that an action takes.
std::optional<Settled> settle_and_wake(Stores& stores, ActionId action, const std::string& state,
                                       const json::value& result, const std::string& error,
                                       TimePoint now);

// Wakes the case that an action belongs to, at once: kind "action" or "feedback".
Wake wake_about(Stores& stores, const Action& action, std::string kind, json::value payload,
                TimePoint now);

}  // namespace vigil::storage
