#pragma once
// What was changed lately: pushes, releases and deployments of any forge or pipeline, and whatever
// a pipeline emits as deploy.done. Remembered for a day's worth of incidents; see recall.hpp. Pure.
#include "core/event.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities::ops {

// By its type: one of its words says so (github.deployment_status.created, git.push, deploy.done).
bool is_change(const Event& event);

// One fact for each change, in a ring of slots; a deployment that is told again keeps its own.
Decision decide_on_changes(const Wake& wake, const Recollection& memory);

}  // namespace vigil::entities::ops
