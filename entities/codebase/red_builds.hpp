#pragma once
// What follows when the repository's own commands fail, and when they pass again: flaky or broken,
// seen before, slower than before, since which commit. Pure; any thread.
#include <optional>
#include <string>

#include "entities/codebase/case_state.hpp"
#include "entities/codebase/review.hpp"
#include "entities/codebase/review_plan.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities::codebase {

// Takes in what the commands of a review came to. Findings of flaky tests weigh less afterwards,
// and findings know more; a search for the first bad commit may begin. What it adds to the sentence
// of the decision, or nothing.
std::string look_into_builds(const ReviewSetup& setup, const Wake& wake,
                             const swarm::Report& report, const Recollection& memory,
                             CaseState& state, Review& review, Decision& decision);

// A swarm of a search ended. Nothing when it is none.
std::optional<Decision> decide_on_search(const ReviewSetup& setup, const Wake& wake,
                                         const Recollection& memory);

// The case is the watched branch: it has no number, and its branch is the configured one, or main
// or master where none is.
bool is_watched(const ReviewSetup& setup, const CaseState& state);

}  // namespace vigil::entities::codebase
