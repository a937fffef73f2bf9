#pragma once
// One line of a log, taken apart into its header and what it says. Knows syslog (RFC 3164 and
// 5424), ISO and bracketed headers, and those of Java, nginx, Apache and access logs. Pure; parts
// are views into the line. A line that has no header it knows is all content.
#include <cstddef>
#include <optional>
#include <string_view>

#include "entities/logs/line_time.hpp"

namespace vigil::entities::logs {

// What is longer is cut before anything looks at it.
constexpr std::size_t line_bytes_max = 16 * 1024;

struct Line {
  std::optional<LineTime> time;
  std::string_view host;     // of the machine that wrote it, by its own word
  std::string_view program;  // sshd, dfs.DataNode
  std::string_view level;    // as written: INFO, error
  std::string_view content;
};

// `now` guesses the year where none is written.
Line read_line(std::string_view line, TimePoint now);

}  // namespace vigil::entities::logs
