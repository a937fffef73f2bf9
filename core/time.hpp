#pragma once
// Time as values. Inside the program std::chrono; numbers and texts only at the edges.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace vigil {

using Duration = std::chrono::microseconds;
using TimePoint = std::chrono::sys_time<Duration>;  // UTC

inline std::int64_t to_unix_us(TimePoint at) { return at.time_since_epoch().count(); }
inline TimePoint from_unix_us(std::int64_t us) { return TimePoint{Duration{us}}; }

// RFC 3339 in UTC with milliseconds: 2026-11-23T10:15:00.250Z
std::string to_rfc3339(TimePoint at);
// Any RFC 3339 date-time; an offset is applied.
Result<TimePoint> parse_rfc3339(std::string_view text);

// "250ms", "5s", "1h30m", "2d"; units us ms s m h d w, largest first. A bare number is refused.
Result<Duration> parse_duration(std::string_view text);
// The shortest such text, rounded for reading: "1.24s", "5m", "2h30m".
std::string to_text(Duration duration);

}  // namespace vigil
