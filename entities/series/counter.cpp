#include "entities/series/counter.hpp"

#include <cmath>

namespace vigil::entities::series {
namespace {

void for_each_rise(std::span<const Point> points, auto take) {
  const Point* before = nullptr;
  for (const auto& point : points) {
    if (!std::isfinite(point.value) || (before != nullptr && point.at <= before->at)) continue;
    if (before == nullptr) {
      take(point, Duration{0}, point.value);
    } else {
      const bool is_new = point.value < before->value;
      take(point, point.at - before->at, is_new ? point.value : point.value - before->value);
    }
    before = &point;
  }
}

}  // namespace

std::vector<Point> rates_of(std::span<const Point> points) {
  std::vector<Point> out;
  for_each_rise(points, [&](const Point& point, Duration since, double rise) {
    const double seconds = std::chrono::duration<double>(since).count();
    if (seconds > 0) out.push_back({point.at, rise / seconds});
  });
  return out;
}

std::vector<Point> totals_of(std::span<const Point> points) {
  std::vector<Point> out;
  for_each_rise(points, [&](const Point& point, Duration, double rise) {
    out.push_back({point.at, out.empty() ? rise : out.back().value + rise});
  });
  return out;
}

}  // namespace vigil::entities::series
