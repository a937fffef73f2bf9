#pragma once
// Results of the forge's own checks (check runs, workflows, pipelines, statuses): which failed, was
// the same failure seen before and what ended it, did one commit both pass and fail. Pure; any
// thread.
#include <vector>

#include "entities/codebase/case_state.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities::codebase {

// `events` holds at least one of a check; `state` knows already whose they are.
Decision decide_on_checks(const std::vector<ForgeEvent>& events, CaseState state,
                          const Recollection& memory, TimePoint now);

}  // namespace vigil::entities::codebase
