#pragma once
// vigil-bench ingest: signed webhooks into a real vigild, durable, beside the machine's limits and
// the same doors without storage, in the same run.

namespace vigil::bench {

enum class Pace { quick, full };
void run_ingest(Pace pace);
// The doors alone, in a process of their own: everything is checked, nothing is stored.
void serve_without_storage(const char* config_directory);

}  // namespace vigil::bench
