#pragma once
// The whole chain of one event: every ledger row about it, the swarms and actions these asked for,
// what came of them, and the decisions that followed from their outcomes. Reads only.
#include <boost/json/object.hpp>

#include "core/event.hpp"
#include "core/json.hpp"
#include "storage/stores.hpp"

namespace vigil::admin {

// {"event", "decisions": [{..., "swarms": [{..., "decision"}], "actions": [{..., "decision"}]}],
//  "waiting": [...]}: what is not decided yet and why stands under "waiting".
json::object explain(storage::Stores& stores, const Event& event);

// What a ledger row asked for, by kind ("swarms" | "actions").
std::vector<std::int64_t> asked_ids(const storage::Entry& entry, std::string_view kind);

}  // namespace vigil::admin
