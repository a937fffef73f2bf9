#include "entities/ops/analysers.hpp"

#include "entities/ops/watch_look.hpp"

namespace vigil::entities::ops {

namespace {

constexpr Analyser all[] = {
    {"ops.readings", "what a program printed, as readings: a number, a Nagios plugin's line, JSON",
     "file", run_readings},
};

}  // namespace

std::span<const Analyser> analysers() { return all; }

}  // namespace vigil::entities::ops
