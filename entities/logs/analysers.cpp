#include "entities/logs/analysers.hpp"

#include <array>

#include "entities/logs/look_at_logs.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::array table{
    Analyser{"ops.logs", "what a log says, by kind of line: what is new, more or less than usual",
             "files (- is standard input); state (a file kept from run to run), top (how many "
             "kinds are shown, 20)",
             look_at_logs},
};

}  // namespace

std::span<const Analyser> analysers() { return table; }

}  // namespace vigil::entities::logs
