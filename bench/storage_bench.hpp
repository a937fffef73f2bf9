#pragma once
// vigil-bench storage: events a second through the journal's writer, durable, beside the fsyncs the
// disk gives and what bare SQLite does with the same bytes in the same run.
#include "bench/ingest.hpp"

namespace vigil::bench {
void run_storage(Pace pace);
}
