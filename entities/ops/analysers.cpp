#include "entities/ops/analysers.hpp"

#include "entities/ops/host_readings.hpp"
#include "entities/ops/watch_look.hpp"

namespace vigil::entities::ops {

namespace {

constexpr Analyser all[] = {
    {"ops.host", "pressure, load, memory, disks, open files and failed units of a machine",
     "root (where / of the machine is), mounts (only these), units (true, false)", run_host},
    {"ops.readings", "what a program printed, as readings: a number, a Nagios plugin's line, JSON",
     "file", run_readings},
};

}  // namespace

std::span<const Analyser> analysers() { return all; }

}  // namespace vigil::entities::ops
