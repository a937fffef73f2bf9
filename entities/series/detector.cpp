#include "entities/series/detector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace vigil::entities::series {
namespace {

constexpr std::size_t points_min = 64;  // before that nothing is called usual
constexpr std::size_t quiet_points = 48;
constexpr std::size_t flat_min = 24;
constexpr double spread_of_normal = 1.4826;  // from a median deviation to a standard one
constexpr double deviations_max = 8;

double median(std::span<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

Finding Detector::observe(TimePoint at, double value) {
  if (!std::isfinite(value) || (last_ && at <= *last_)) return {};
  last_ = at;
  Finding finding;
  if (seen_ > 0 && value == last_value_) {
    ++same_;
  } else {
    same_max_ = std::max(same_max_, same_);
    same_ = 1;
  }
  if (seen_ >= points_min) finding = judge(value);
  if (quiet_ > 0) {
    --quiet_;
    finding.is_anomaly = false;
    finding.reason.clear();
  } else if (finding.is_anomaly) {
    quiet_ = quiet_points;
  }
  keep(value);
  return finding;
}

void Detector::keep(double value) {
  past_[seen_ % past_max] = value;
  last_value_ = value;
  ++seen_;
}

Finding Detector::judge(double value) {
  auto copy = past_;
  const auto past = std::span(copy).first(std::min(seen_, past_max));
  const double usual = median(past);
  for (double& one : past) one = std::abs(one - usual);
  // The mean helps where more than half of the values are one and the same.
  double mean = 0;
  for (const double one : past) mean += one / static_cast<double>(past.size());
  const double spread = std::max(spread_of_normal * median(past), mean);
  const double away = std::abs(value - usual);
  const double floor = 1e-9 * std::max(1.0, std::abs(usual));
  const double deviations = away <= floor ? 0 : away / std::max(spread, floor);
  Finding finding;
  finding.score = 1 - std::exp(-deviations / deviations_max);
  if (deviations >= deviations_max) {
    finding.is_anomaly = true;
    finding.reason =
        fmt::format("{:.6g} where about {:.6g} is usual: {:.1f} times its usual spread", value,
                    usual, deviations);
  } else if (spread > floor && same_ == std::max(flat_min, 3 * same_max_ + 1)) {
    finding.is_anomaly = true;
    finding.score = std::max(finding.score, 0.7);
    finding.reason = fmt::format("flat at {:.6g} for {} points, before at most for {}", value,
                                 same_, std::max<std::size_t>(1, same_max_));
  }
  return finding;
}

}  // namespace vigil::entities::series
