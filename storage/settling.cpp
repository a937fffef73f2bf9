#include "storage/settling.hpp"

#include <boost/json/object.hpp>
#include <utility>

namespace vigil::storage {

std::optional<Settled> settle_and_wake(Stores& stores, ActionId action, const std::string& state,
                                       const json::value& result, const std::string& error,
                                       TimePoint now) {
  if (!stores.outbox.settle(action, state, result, error, now)) return std::nullopt;
  const auto row = stores.outbox.find(action);
  json::value payload = json::object{{"action", action.value}};
  return Settled{action, wake_about(stores, *row, "action", std::move(payload), now).id};
}

Wake wake_about(Stores& stores, const Action& action, std::string kind, json::value payload,
                TimePoint now) {
  Wake wake;
  wake.entity = action.entity;
  wake.case_id = action.case_id;
  wake.kind = std::move(kind);
  wake.payload = std::move(payload);
  wake.created = now;
  wake.not_before = now;
  wake.id = stores.wakes.add(wake);
  return wake;
}

}  // namespace vigil::storage
