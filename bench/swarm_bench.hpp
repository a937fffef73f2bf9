#pragma once
// vigil-bench swarm: how many tasks of /bin/true a second, beside a bare loop of posix_spawn and
// pidfds in the same run.
#include "bench/ingest.hpp"

namespace vigil::bench {
void run_swarm(Pace pace);
}
