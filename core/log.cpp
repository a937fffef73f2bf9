#include "core/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

namespace vigil {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

std::string_view journal_prefix(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "<7>";
    case LogLevel::info:
      return "<6>";
    case LogLevel::warn:
      return "<4>";
    default:
      return "<3>";
  }
}

struct Log {
  bool to_journal = std::getenv("JOURNAL_STREAM") != nullptr;
  std::shared_ptr<spdlog::logger> logger = spdlog::stderr_color_mt("vigild");
  Log() {
    logger->set_pattern(to_journal ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v",
                        spdlog::pattern_time_type::utc);
  }
};

Log& the_log() {
  static Log log;
  return log;
}

}  // namespace

Result<LogLevel> parse_log_level(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "info") return LogLevel::info;
  if (text == "warn") return LogLevel::warn;
  if (text == "error") return LogLevel::error;
  if (text == "off") return LogLevel::off;
  return fail(ErrorCode::invalid_input, "expected one of debug, info, warn, error, off");
}

void set_log_level(LogLevel level) { the_log().logger->set_level(level_of(level)); }

bool log_enabled(LogLevel level) { return the_log().logger->should_log(level_of(level)); }

void log_line(LogLevel level, std::string_view message) {
  auto& log = the_log();
  if (log.to_journal) {
    log.logger->log(level_of(level), "{}{}", journal_prefix(level), message);
  } else {
    log.logger->log(level_of(level), "{}", message);
  }
}

std::string quoted(std::string_view foreign) {
  constexpr std::size_t bytes_max = 200;
  std::string out = "\"";
  for (const char c : foreign.substr(0, bytes_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += foreign.size() > bytes_max ? "\"..." : "\"";
  return out;
}

}  // namespace vigil
