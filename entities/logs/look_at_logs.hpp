#pragma once
// vigil-task ops.logs: a log by kinds of messages, and what of it is unlike its own past, as text
// and as readings that a watch can judge. Blocking.
#include "entities/analyser.hpp"

namespace vigil::entities::logs {

Result<json::value> look_at_logs(const Request& request);

}  // namespace vigil::entities::logs
