#pragma once
// The swarms of a search for the first bad commit: one that names the commits, then one for each
// round, its commits tested side by side. Pure; any thread.
#include "entities/codebase/review_plan.hpp"
#include "entities/codebase/search.hpp"

namespace vigil::entities::codebase {

constexpr std::string_view search_title = "bisect ";  // begins those of these swarms
constexpr std::string_view probe_prefix = "probe/";   // tasks: a candidate
constexpr std::string_view again_prefix = "again/";   // the bad one once more: is it flaky?
constexpr std::string_view good_prefix = "good/";     // where the candidates begin: was it good?

// Sets the title of the search, too.
swarm::Plan plan_history(const ReviewSetup& setup, Search& search);
// `commits` are tested now; the first round looks at both ends as well.
swarm::Plan plan_round(const ReviewSetup& setup, Search& search,
                       const std::vector<std::string>& commits);

}  // namespace vigil::entities::codebase
