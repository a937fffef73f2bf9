#pragma once
// Trades a second through a stream source: a real socket, bars, and everything that can go wrong
// with a trade, beside what a listener that misses nothing would have made of it.
#include "bench/ingest.hpp"

namespace vigil::bench {

void run_streams(Pace pace);

}  // namespace vigil::bench
