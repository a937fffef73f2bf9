#include "entities/series/forecast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace vigil::entities::series {
namespace {

constexpr std::size_t points_min = 8;
constexpr std::size_t points_max = 400;  // pairs are compared, so the work is its square
constexpr double agreement_min = 0.75;   // below that the direction is a coin's
constexpr double days_max = 365;         // nobody acts on what is further away
constexpr double us_of_day = 86'400e6;

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

std::vector<Point> thinned(std::span<const Point> points) {
  std::vector<Point> numbers;
  for (const auto& point : points) {
    if (std::isfinite(point.value)) numbers.push_back(point);
  }
  std::ranges::sort(numbers, {}, &Point::at);
  if (numbers.size() <= points_max) return numbers;
  std::vector<Point> kept;
  for (std::size_t at = 0; at < points_max; ++at) {
    kept.push_back(numbers[at * (numbers.size() - 1) / (points_max - 1)]);
  }
  return kept;
}

double days_between(const Point& from, const Point& to) {
  return static_cast<double>((to.at - from.at).count()) / us_of_day;
}

std::string in_words(double days) {
  if (days >= 2) return fmt::format("in about {:.0f} days", days);
  if (days * 24 >= 2) return fmt::format("in about {:.0f} hours", days * 24);
  return fmt::format("in about {:.0f} minutes", std::max(1.0, days * 24 * 60));
}

}  // namespace

std::optional<Trend> trend_of(std::span<const Point> points) {
  const auto kept = thinned(points);
  if (kept.size() < points_min) return std::nullopt;
  std::vector<double> slopes;
  for (std::size_t from = 0; from < kept.size(); ++from) {
    for (std::size_t to = from + 1; to < kept.size(); ++to) {
      const double days = days_between(kept[from], kept[to]);
      if (days > 0) slopes.push_back((kept[to].value - kept[from].value) / days);
    }
  }
  if (slopes.empty()) return std::nullopt;
  Trend trend;
  trend.last = kept.back().at;
  trend.per_day = median(slopes);
  const auto same_way = std::ranges::count_if(slopes, [&](double slope) {
    return trend.per_day > 0 ? slope > 0 : trend.per_day < 0 ? slope < 0 : slope == 0;
  });
  trend.agreement = static_cast<double>(same_way) / static_cast<double>(slopes.size());
  std::vector<double> levels;
  for (const auto& point : kept) {
    levels.push_back(point.value + trend.per_day * days_between(point, kept.back()));
  }
  trend.level_now = median(levels);
  return trend;
}

Eta reaches(const Trend& trend, double limit) {
  const double distance = limit - trend.level_now;
  if (distance <= 0) return {Duration{0}, fmt::format("it is at {:g} already", limit)};
  if (trend.per_day <= 0) return {std::nullopt, fmt::format("it is not going to {:g}", limit)};
  if (trend.agreement < agreement_min) {
    return {std::nullopt, fmt::format("no clear direction: only {:.0f} % of the pairs of points "
                                      "rise",
                                      trend.agreement * 100)};
  }
  const double days = distance / trend.per_day;
  if (!(days <= days_max)) return {std::nullopt, "not within a year at this pace"};
  return {Duration{static_cast<std::int64_t>(days * us_of_day)},
          fmt::format("{}, at {:.4g} a day; {:.0f} % of the pairs of points rise", in_words(days),
                      trend.per_day, trend.agreement * 100)};
}

}  // namespace vigil::entities::series
