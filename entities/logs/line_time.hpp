#pragma once
// The time a line of a log begins with, in the forms that services write. Pure; reads at most the
// first `line_time_reach` bytes, so that a time which a stranger wrote further on is not taken.
#include <cstddef>
#include <optional>
#include <string_view>

#include "core/time.hpp"

namespace vigil::entities::logs {

constexpr std::size_t line_time_reach = 160;

enum class YearIs { written, guessed };
enum class ZoneIs { written, unknown };

struct LineTime {
  TimePoint at;  // as UTC; local to the machine that wrote it when the zone is unknown
  YearIs year = YearIs::written;
  ZoneIs zone = ZoneIs::unknown;
  std::size_t begin = 0;  // where it stands in the line: [begin, end)
  std::size_t end = 0;
};

// The first time in the line. A date without a year is the last such date that is no more than a
// day after `now`. nullopt when there is none.
std::optional<LineTime> find_line_time(std::string_view line, TimePoint now);
// The same, if it stands at exactly this place.
std::optional<LineTime> line_time_at(std::string_view line, std::size_t place, TimePoint now);

}  // namespace vigil::entities::logs
