#pragma once
// vigil-bench scale: plans of 1,000, 10,000 and 100,000 tasks that do nothing, so that what is left
// is the engine: time and memory for each task, and how long it ever holds the loop. Each plan runs
// in a process of its own, whose peak memory is its own.
#include <string>

#include "bench/ingest.hpp"

namespace vigil::bench {

void run_scale(Pace pace);
// One of those processes: prints its numbers as one JSON line. `where`: memory or disk.
void run_scale_once(const std::string& shape, int tasks, const std::string& where);

}  // namespace vigil::bench
