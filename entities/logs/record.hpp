#pragma once
// One record of a log: a line with a header that is known (entities/logs/line.hpp), or a JSON
// object as journalctl -o json, containers and structured loggers write. Pure; any thread.
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace vigil::entities::logs {

enum class Severity { other, info, warning, error };
constexpr std::size_t severities = 4;
std::string_view to_text(Severity severity);
// "WARN", "err", "3" as syslog counts; what is not known is other.
Severity severity_of(std::string_view word);

struct Record {
  std::optional<TimePoint> at;
  std::string host;
  std::string program;
  std::string process;  // its number, where a journal says it
  Severity severity = Severity::other;
  std::string message;
};

// Nothing: the line is blank, or goes on with the record before (the frames of a stack).
std::optional<Record> read_record(std::string_view line, TimePoint now);

}  // namespace vigil::entities::logs
