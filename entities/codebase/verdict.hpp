#pragma once
// What follows from a review that ended: what is remembered and what is told. Pure; any thread.
#include "entities/codebase/case_state.hpp"
#include "entities/codebase/review_plan.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities::codebase {

Decision decide_on_report(const ReviewSetup& setup, const Wake& wake, const swarm::Report& report,
                          const Recollection& memory);

// Feedback on a finding, by its key: noise is not told again, useful is told again after all.
Decision decide_on_feedback(const FeedbackGiven& feedback, const Recollection& memory);

// A rule or analyser whose findings nobody wants: a preference with this before its name.
constexpr std::string_view muted_prefix = "muted:";

// A digest of all that decides what a look finds in the same commits: settings, what was dismissed
// and muted, the version of the analysers.
std::string look_digest(const ReviewSetup& setup, const Recollection& memory);
// The last look, when the next may build on it: nothing was left out, nothing it depends on
// changed.
std::optional<LastLook> last_look(const ReviewSetup& setup, const CaseState& state,
                                  const Recollection& memory);

// Keys of findings that people called noise.
std::vector<std::string> dismissed_keys(const Recollection& memory);

}  // namespace vigil::entities::codebase
