#pragma once
// The analyser comms.triage: learns classes of mail in a file, and says which class a mail is of
// and why. Two runs at once take turns (flock).
#include "entities/analyser.hpp"

namespace vigil::entities::comms {

Result<json::value> look_at_triage(const Request& request);

}  // namespace vigil::entities::comms
