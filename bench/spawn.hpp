#pragma once
// vigil-bench spawn: how many tasks of /bin/true a second, with results on disk, beside a bare loop
// of posix_spawn and pidfds, and beside what people would use instead, in the same run.
#include "bench/ingest.hpp"

namespace vigil::bench {
void run_spawn(Pace pace);
}
