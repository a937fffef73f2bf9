#pragma once
// What a review tells outside: the comment where the change is discussed, the status of its commit.
// Pure; any thread.
#include "entities/codebase/case_state.hpp"
#include "entities/codebase/review.hpp"
#include "entities/codebase/review_plan.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities::codebase {

// A status goes somewhere, and there is a commit to set it on.
bool has_status(const ReviewSetup& setup, const CaseState& state);

// `word` as forges spell the states of a commit: pending, success, failure, error. There is one
// status for each commit: the next replaces it.
Action status_action(const ReviewSetup& setup, const CaseState& state, std::string_view word,
                     std::string description);
std::string_view verdict_of(const Review& review);  // such a word

// One comment for each case, edited in place. A push has no thread: its commit is marked.
Action comment_action(const ReviewSetup& setup, const CaseState& state, const Review& review,
                      const Progress& progress);

}  // namespace vigil::entities::codebase
