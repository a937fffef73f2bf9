#pragma once
// One look at a calendar for the source that watches it, and what a CalDAV server answers. Run as
// analysers in a contained child.
#include "entities/analyser.hpp"

namespace vigil::entities::calendar {

// calendar.look: the coming occurrences of a file, a folder, or of texts that were fetched.
Result<json::value> run_look(const Request& request);
// calendar.dav: a multistatus (RFC 4918, 4791, 6578) as JSON.
Result<json::value> run_dav(const Request& request);

}  // namespace vigil::entities::calendar
