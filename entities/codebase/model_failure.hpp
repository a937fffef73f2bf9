#pragma once
// Why a build may be red, as a model reads what the command printed: it quotes the lines it rests
// on, and a guess whose quotations do not stand there is dropped. The case keeps it; nothing is
// sent and no status changes because of it.
#include <optional>
#include <string>

#include "entities/analyser.hpp"
#include "entities/codebase/builds.hpp"
#include "entities/codebase/review.hpp"
#include "entities/codebase/review_plan.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities::codebase {

// A swarm of its own, so that a day without tokens costs nothing but the guess. Nothing when nobody
// may be asked, or the command printed nothing. Pure.
std::optional<swarm::Plan> plan_failure_question(const ReviewSetup& setup, const Build& build,
                                                 const Review& review);
// Such a swarm ended. Nothing when it is none. Pure.
std::optional<Decision> decide_on_failure(const Wake& wake, const Recollection& memory);

// codebase.model_failure: inputs.guess, if all it quotes stands in `log`.
Result<json::value> run_model_failure(const Request& request);

}  // namespace vigil::entities::codebase
