#pragma once
// vigil-bench spawn: how many tasks of /bin/true a second, with results on disk, beside a bare loop
// of posix_spawn and pidfds, and beside what people would use instead, in the same run.
#include <string>
#include <vector>

namespace vigil::bench {

struct SpawnOptions {
  int tasks = 10'000;  // of each variant, over all rounds
  std::vector<int> slots = {2, 8, 64};
  std::string only;  // a part of the name of the variants to run; the bare loop always does
};
void run_spawn(const SpawnOptions& options);

}  // namespace vigil::bench
