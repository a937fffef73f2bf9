#include "entities/ops/analysers.hpp"

#include "entities/ops/costs.hpp"
#include "entities/ops/host_readings.hpp"
#include "entities/ops/probe.hpp"
#include "entities/ops/watch_look.hpp"

namespace vigil::entities::ops {

namespace {

constexpr Analyser all[] = {
    {"ops.host", "pressure, load, memory, disks, open files and failed units of a machine",
     "root (where / of the machine is), mounts (only these), units (true, false)", run_host},
    {"ops.metrics", "what a program exposes for Prometheus, in its text form or as OpenMetrics",
     "url or files; select (as a rule's reading), timeout, ca_file, bearer_file", run_metrics},
    {"ops.probe", "whether servers answer, how soon, and how long their certificates hold",
     "targets (https://, http://, tcp://, tls://), status, match, timeout, follow, ca_file",
     run_probe},
    {"ops.readings", "what a program printed, as readings: a number, a Nagios plugin's line, JSON",
     "file", run_readings},
    {"ops.costs", "a cloud bill in the FOCUS form: exact sums, the month so far and its forecast",
     "files; column (BilledCost, EffectiveCost...), budget (of a month: 1000, or { EUR = 1000 })",
     run_costs},
};

}  // namespace

std::span<const Analyser> analysers() { return all; }

}  // namespace vigil::entities::ops
