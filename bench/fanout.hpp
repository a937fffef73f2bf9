#pragma once
// vigil-bench fanout: a thousand questions to a model of one second each, all at once, through the
// engine, the runner and the HTTP client, against a server of this program's own.
#include "bench/ingest.hpp"

namespace vigil::bench {

void run_fanout(Pace pace);
// Answers chat completions on any free port, whose number it prints first: at once the beginning,
// the rest a second later. After each hundred answers it prints how many tokens it told in all.
void serve_models();

}  // namespace vigil::bench
