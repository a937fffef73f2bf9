#include "entities/series/rows.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

namespace vigil::entities::series {
namespace {

constexpr double seconds_max = 9e12 / 1e3;  // far beyond any clock, well inside microseconds

std::string_view trim(std::string_view text) {
  constexpr std::string_view blank = " \t\r\"";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<TimePoint> time_of(std::string_view text) {
  if (const auto seconds = number_of(text)) {
    if (!std::isfinite(*seconds) || std::abs(*seconds) > seconds_max) return std::nullopt;
    return from_unix_us(static_cast<std::int64_t>(*seconds * 1e6));
  }
  std::string written(text);
  if (written.size() >= 19 && written[10] == ' ') {
    written[10] = 'T';
    if (written.find_first_of("Z+-", 19) == std::string::npos) written += 'Z';
  }
  const auto at = parse_rfc3339(written);
  if (!at) return std::nullopt;
  return *at;
}

std::optional<Point> point_of(std::string_view line) {
  const auto comma = line.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto at = time_of(trim(line.substr(0, comma)));
  if (!at) return std::nullopt;
  const auto rest = line.substr(comma + 1);
  const auto written = trim(rest.substr(0, rest.find(',')));
  if (written.empty()) return Point{*at, std::numeric_limits<double>::quiet_NaN()};
  const auto value = number_of(written);
  if (!value) return std::nullopt;
  return Point{*at, *value};
}

}  // namespace

Result<std::vector<Point>> parse_rows(std::string_view text) {
  std::vector<Point> points;
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const auto end = text.find('\n');
    const auto line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.empty()) continue;
    const auto point = point_of(line);
    if (point && points.size() == rows_max) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("more than {} rows: give a shorter stretch of time", rows_max));
    }
    if (point) {
      points.push_back(*point);
    } else if (line_number > 1) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("line {}: expected \"timestamp,value\", such as "
                              "2026-01-31T12:00:00Z,42.5",
                              line_number));
    }
  }
  if (points.empty()) {
    return fail(ErrorCode::invalid_input, "no row of \"timestamp,value\": is this the right file?");
  }
  return points;
}

}  // namespace vigil::entities::series
