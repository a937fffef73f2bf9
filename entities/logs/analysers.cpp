#include "entities/logs/analysers.hpp"

#include <array>

#include "entities/logs/look_at_logs.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::array table{
    Analyser{"ops.logs", "a log by kinds of messages: what is new, more than usual, or silent",
             "files, the oldest first (- is standard input); window (10m), top (20), bytes (from "
             "the end of each file, 64 MiB)",
             look_at_logs},
};

}  // namespace

std::span<const Analyser> analysers() { return table; }

}  // namespace vigil::entities::logs
