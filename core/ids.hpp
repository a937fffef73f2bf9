#pragma once
// Strong ids: the row number a thing has in the database. 0 means "not stored yet".
#include <compare>
#include <cstdint>
#include <functional>

namespace vigil {

template <class Tag>
struct Id {
  std::int64_t value = 0;
  auto operator<=>(const Id&) const = default;
  explicit operator bool() const { return value != 0; }
};

using EventId = Id<struct EventTag>;  // also its place in the journal
using WakeId = Id<struct WakeTag>;
using CaseId = Id<struct CaseTag>;
using DecisionId = Id<struct DecisionTag>;  // also its place in the ledger
using SwarmId = Id<struct SwarmTag>;
using ActionId = Id<struct ActionTag>;
using TimerId = Id<struct TimerTag>;

}  // namespace vigil

template <class Tag>
struct std::hash<vigil::Id<Tag>> {
  std::size_t operator()(vigil::Id<Tag> id) const noexcept {
    return std::hash<std::int64_t>{}(id.value);
  }
};
