#pragma once
// vigil-bench traces: recorded workflows (WfFormat), their tasks as sleeps of real milliseconds,
// results on disk: how far from the lower bound the engine ends, knowing nothing and knowing how
// long tasks take, beside list schedules that cost nothing.
#include <string>

#include "bench/ingest.hpp"

namespace vigil::bench {

// `directory` holds wfcommons/*.json. Says so and prints nothing when it is absent.
void run_traces(Pace pace, const std::string& directory);

}  // namespace vigil::bench
