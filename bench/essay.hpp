#pragma once
// vigil-bench essay: a day of one worker's time, an hour as a second: what parallel work makes of
// it, and what dependents that start on interfaces make of that, each beside its own lower bound.
#include "bench/ingest.hpp"

namespace vigil::bench {
void run_essay(Pace pace);
}
