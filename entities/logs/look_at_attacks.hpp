#pragma once
// vigil-task ops.attacks: who tries to get in, by what services logged. Blocking.
#include "entities/analyser.hpp"

namespace vigil::entities::logs {

// `findings` are hosts with so many attacks within a window; `readings` count for a watch.
Result<json::value> look_at_attacks(const Request& request);

}  // namespace vigil::entities::logs
