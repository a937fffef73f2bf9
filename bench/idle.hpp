#pragma once
// vigil-bench idle: what a waiting daemon costs: memory per entity, and whether any of its threads
// runs at all while nothing is due.
#include "bench/ingest.hpp"

namespace vigil::bench {
void run_idle(Pace pace);
}
