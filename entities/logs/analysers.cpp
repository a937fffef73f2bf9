#include "entities/logs/analysers.hpp"

#include <array>

#include "entities/logs/look_at_attacks.hpp"
#include "entities/logs/look_at_logs.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::array table{
    Analyser{"ops.logs", "a log by kinds of messages: what is new, more than usual, or silent",
             "files, the oldest first (- is standard input); window (10m), top (20), bytes (from "
             "the end of each file, 64 MiB), state (a file kept from run to run)",
             look_at_logs},
    Analyser{"ops.attacks", "who tries to get in, by what sshd, mail, web and other servers logged",
             "files (- is standard input); service (sshd, postfix...; all), attacks (5) within "
             "window (10m) make a host a finding, since (1h: what is older does not count)",
             look_at_attacks},
};

}  // namespace

std::span<const Analyser> analysers() { return table; }

}  // namespace vigil::entities::logs
