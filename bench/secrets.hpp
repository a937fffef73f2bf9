#pragma once
// vigil-bench secrets: precision and recall of the search for secrets on a labelled set of made-up
// credentials and look-alikes, by kind and over all, beside what entropy alone would find; and how
// many megabytes of source it reads in a second.
#include "bench/ingest.hpp"

namespace vigil::bench {

void run_secrets(Pace pace);

}  // namespace vigil::bench
