#pragma once
// vigil-bench deps: lock files of 5,000 packages against 100,000 advisories, made out of real ones
// by a seeded variation: how long the index takes, how large it is, how long a scan takes with it.
#include <string>

#include "bench/ingest.hpp"

namespace vigil::bench {

// `data` holds advisories in the OSV form (*.json, *.jsonl); without it a built-in one is varied.
void run_deps(Pace pace, const std::string& data);

}  // namespace vigil::bench
