#pragma once
// vigil-bench logs: how well lines of real logs are grouped by the statement that wrote them,
// beside the published figures of Drain, and how many are read in a second.
#include <string>

#include "bench/ingest.hpp"

namespace vigil::bench {

// `directory` holds loghub/ and fail2ban/. Says so when it is absent.
void run_logs(Pace pace, const std::string& directory);

}  // namespace vigil::bench
