#pragma once
// vigil-bench wake: from the last byte of a webhook to the first task's process, through the
// journal, the router, the decision, its commit and the swarm.
#include "bench/ingest.hpp"

namespace vigil::bench {
void run_wake(Pace pace);
}
