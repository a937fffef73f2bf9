#pragma once
// The analyser comms.mail: reads one message and says what stands in it (docs/comms.md).
#include "entities/analyser.hpp"
#include "entities/comms/mail.hpp"

namespace vigil::entities::comms {

// The members of mail.message that come from the message itself.
json::object facts_of(const Mail& mail);

Result<json::value> look_at_mail(const Request& request);

}  // namespace vigil::entities::comms
