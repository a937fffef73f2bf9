#pragma once
// The daemon's log: one line per thing worth a person's time. Any thread. To standard error; with
// journald priority prefixes when the service manager reads it (JOURNAL_STREAM is set).
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "core/error.hpp"

namespace vigil {

enum class LogLevel { debug, info, warn, error, off };

Result<LogLevel> parse_log_level(std::string_view text);
void set_log_level(LogLevel level);
bool log_enabled(LogLevel level);
void log_line(LogLevel level, std::string_view message);

// A foreign string made safe for a log line or a terminal: control characters escaped, cut at 200
// bytes, in quotes.
std::string quoted(std::string_view foreign);

template <class... Args>
void log_at(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(level)) log_line(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::warn, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::error, format, std::forward<Args>(args)...);
}

}  // namespace vigil
