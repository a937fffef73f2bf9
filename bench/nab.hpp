#pragma once
// vigil-bench nab: the detector of series over the Numenta Anomaly Benchmark, beside the published
// scores of others on the same files. The scorer is checked first, on published results.
#include <string>

#include "bench/ingest.hpp"

namespace vigil::bench {

// `directory` holds data/, windows.json, scoring-check/ and the board. Says so when it is absent.
void run_nab(Pace pace, const std::string& directory);

}  // namespace vigil::bench
