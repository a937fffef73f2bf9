#pragma once
// What one bar costs each indicator, one after another.
#include "bench/ingest.hpp"

namespace vigil::bench {

void run_indicators(Pace pace);

}  // namespace vigil::bench
