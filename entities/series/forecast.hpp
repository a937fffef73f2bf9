#pragma once
// When a series that grows reaches a limit, such as a disk that fills. Pure; any thread.
#include <optional>
#include <span>
#include <string>

#include "entities/series/rows.hpp"

namespace vigil::entities::series {

struct Trend {
  double per_day = 0;    // the median of the slopes between pairs of points
  double agreement = 0;  // 0..1: the share of pairs that go the way of the median
  double level_now = 0;  // of the line, at the last point: one odd value does not move it
  TimePoint last;
};

// Nothing when fewer than eight values are numbers, or all are of one instant. The order of the
// points does not matter; a series that is longer than 400 is thinned evenly.
std::optional<Trend> trend_of(std::span<const Point> points);

struct Eta {
  std::optional<Duration> left;  // from the last point; none when it is not going there
  std::string why;               // "in about 3 days, ..." for people
};

Eta reaches(const Trend& trend, double limit);

}  // namespace vigil::entities::series
