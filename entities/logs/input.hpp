#pragma once
// The lines of what an analyser of logs was asked to read. Blocking; for vigil-task.
#include <functional>
#include <string_view>

#include "entities/analyser.hpp"

namespace vigil::entities::logs {

struct LinesRead {
  std::uint64_t lines = 0;
  std::uint64_t cut = 0;  // longer than a line may be
};

// Hands on each line of `files` ("-" is standard input), without its end, of large ones those
// within the last `bytes` (64 MiB); what is longer than line_bytes_max is cut. Before them those
// that the program of a watch printed. Fails when a file cannot be read, and when none is given.
Result<LinesRead> read_lines(const Request& request,
                             const std::function<void(std::string_view)>& take);

}  // namespace vigil::entities::logs
