#pragma once
// vigil-task ops.logs: the kinds of lines of a log, and how often each comes. Blocking.
#include "entities/analyser.hpp"

namespace vigil::entities::logs {

Result<json::value> look_at_logs(const Request& request);

}  // namespace vigil::entities::logs
