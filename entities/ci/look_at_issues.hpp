#pragma once
// The analysers ci.sarif and ci.output. Blocking: for vigil-task.
#include "entities/analyser.hpp"

namespace vigil::entities::ci {

Result<json::value> look_at_sarif(const Request& request);
Result<json::value> look_at_output(const Request& request);

}  // namespace vigil::entities::ci
