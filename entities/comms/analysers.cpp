#include "entities/comms/analysers.hpp"

#include "entities/comms/look_at_mail.hpp"
#include "entities/comms/look_at_triage.hpp"
#include "entities/comms/model_mail.hpp"

namespace vigil::entities::comms {

namespace {

constexpr Analyser all[] = {
    {"comms.mail", "a mail: who, what, what it asks, what is promised, what is attached",
     "file, or message (as base64)", look_at_mail},
    {"comms.triage", "which class a mail is of, and why; learns and undoes examples",
     "files, or features and id; file (what is learned), learn (a class), unlearn (true)",
     look_at_triage},
    {"comms.model_mail", "of what a model said of a mail the points that quote it, and the draft",
     "text, wanted; inputs.said", run_model_mail},
};

}  // namespace

std::span<const Analyser> analysers() { return all; }

}  // namespace vigil::entities::comms
