#pragma once
// How far a decision is from what came from outside: 0 when an event woke it, one more for each
// decision between, whose swarm ended, whose action was settled, whose message came back to a door.
// The ledger keeps it, so that what goes round in a circle is seen and ends. Pure.
#include <optional>
#include <string_view>

#include "storage/ledger.hpp"

namespace vigil::storage {

constexpr const char* descent_member = "descent";  // of what a row of the ledger asked for
// With what is posted elsewhere goes how far it has come, so that it is known should it come back.
constexpr const char* descent_header = "vigil-descent";

int descent_of(const std::optional<Entry>& entry);  // nobody's: 0
int descent_of(std::string_view header);            // 0 when it is none
constexpr int descent_told_max = 1'000'000;

}  // namespace vigil::storage
