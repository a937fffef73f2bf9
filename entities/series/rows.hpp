#pragma once
// Reads a series as people keep it: lines of "timestamp,value". Any thread.
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/time.hpp"

namespace vigil::entities::series {

struct Point {
  TimePoint at;
  double value = 0;  // may be NaN: the row was there, its value was not
};

inline constexpr std::size_t rows_max = 1'000'000;

// Times are RFC 3339, "2014-04-01 00:00:00" (read as UTC) or seconds since 1970. A first line that
// is no point is taken for a heading; any other such line is an error that names it.
Result<std::vector<Point>> parse_rows(std::string_view text);

}  // namespace vigil::entities::series
