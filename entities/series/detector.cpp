#include "entities/series/detector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace vigil::entities::series {
namespace {

constexpr std::size_t points_min = 64;  // before that nothing is called usual
// One alarm tells of an incident; what follows soon is most often the same one.
constexpr std::size_t quiet_points = 200;
constexpr std::size_t flat_min = 24;
constexpr double spread_of_normal = 1.4826;  // from a median deviation to a standard one
// Usual spreads from which a level, a change from point to point, or a value beside the latest ones
// is an anomaly. With `newest_weight` and `overall_share` found on one part of a public benchmark
// (docs/anomalies.md); scores change little around them.
constexpr double levels_max = 10;
constexpr double changes_max = 14;
constexpr double latest_max = 20;
constexpr double newest_weight = 0.01;
constexpr double overall_share = 0.2;  // a slot that was very still is not believed to stay so
constexpr std::uint32_t slot_points_min = 4;

double median(std::span<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double smallest_spread(double usual) { return 1e-9 * std::max(1.0, std::abs(usual)); }

// 0 to 1; 0.5 where `times` reaches 1.
double score_of(double times) { return times / (1 + times); }

void raise(Finding& finding, double times, auto say) {
  const double score = score_of(times);
  if (score <= finding.score) return;
  finding.score = score;
  finding.is_anomaly = times >= 1;
  if (finding.is_anomaly) finding.reason = say();
}

}  // namespace

std::size_t Season::slot_at(TimePoint at) {
  constexpr std::int64_t day_s = 86'400;
  const auto s = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  return static_cast<std::size_t>((s % day_s + day_s) % day_s) * slots / day_s;
}

double Season::spread_at(std::size_t slot) const {
  const auto& usual = usual_[slot];
  return std::max({usual.spread, overall_share * overall_, smallest_spread(usual.mean)});
}

std::optional<double> Season::away(std::size_t slot, double value) const {
  const auto& usual = usual_[slot];
  if (usual.count < slot_points_min) return std::nullopt;
  const double distance = std::abs(value - usual.mean);
  return distance <= smallest_spread(usual.mean) ? 0 : distance / spread_at(slot);
}

void Season::keep(std::size_t slot, double value) {
  auto& usual = usual_[slot];
  const double off = value - usual.mean;
  const double weight = std::max(newest_weight, 1.0 / (usual.count + 1.0));
  usual.mean += weight * off;
  if (usual.count > 0) usual.spread += weight * (std::abs(off) - usual.spread);
  const double overall = std::max(newest_weight / 4, 1.0 / (static_cast<double>(count_) + 1));
  if (count_ > 0) overall_ += overall * (std::abs(off) - overall_);
  ++usual.count;
  ++count_;
}

Finding Detector::observe(TimePoint at, double value) {
  if (!std::isfinite(value) || (last_ && at <= *last_)) return {};
  last_ = at;
  const auto slot = Season::slot_at(at);
  if (seen_ > 0 && value == last_value_) {
    ++same_;
  } else {
    same_max_ = std::max(same_max_, same_);
    same_ = 1;
    flat_told_ = false;
  }
  Finding finding;
  if (seen_ >= points_min) finding = judge(slot, value);
  if (quiet_ > 0) {
    --quiet_;
    finding.is_anomaly = false;
    finding.reason.clear();
  } else if (finding.is_anomaly) {
    quiet_ = quiet_points;
  }
  keep(slot, value);
  return finding;
}

void Detector::keep(std::size_t slot, double value) {
  levels_.keep(slot, value);
  if (seen_ > 0) changes_.keep(slot, value - last_value_);
  past_[seen_ % past_max] = value;
  last_value_ = value;
  ++seen_;
}

Finding Detector::judge(std::size_t slot, double value) {
  Finding finding;
  if (const auto away = levels_.away(slot, value)) {
    raise(finding, *away / levels_max, [&] {
      return fmt::format(
          "{:.6g} where about {:.6g} is usual at this time of day: {:.1f} times its "
          "usual spread",
          value, levels_.usual(slot).mean, *away);
    });
  } else {
    compare_with_latest(value, finding);
  }
  const double change = value - last_value_;
  if (const auto away = changes_.away(slot, change)) {
    raise(finding, *away / changes_max, [&] {
      return fmt::format("{:.6g} after {:.6g}: a change {:.1f} times the usual one", value,
                         last_value_, *away);
    });
  }
  const bool is_flat =
      !flat_told_ && seen_ > same_ && same_ >= std::max(flat_min, 3 * same_max_ + 1);
  if (is_flat && quiet_ == 0 && !finding.is_anomaly) {
    flat_told_ = true;
    finding.is_anomaly = true;
    finding.score = std::max(finding.score, 0.7);
    finding.reason = fmt::format("flat at {:.6g} for {} points, before at most for {}", value,
                                 same_, std::max<std::size_t>(1, same_max_));
  }
  return finding;
}

void Detector::compare_with_latest(double value, Finding& finding) {
  auto copy = past_;
  const auto past = std::span(copy).first(std::min(seen_, past_max));
  const double usual = median(past);
  for (double& one : past) one = std::abs(one - usual);
  // The mean helps where more than half of the values are one and the same.
  double mean = 0;
  for (const double one : past) mean += one / static_cast<double>(past.size());
  const double spread = std::max(spread_of_normal * median(past), mean);
  const double distance = std::abs(value - usual);
  const double least = smallest_spread(usual);
  const double away = distance <= least ? 0 : distance / std::max(spread, least);
  raise(finding, away / latest_max, [&] {
    return fmt::format("{:.6g} where about {:.6g} is usual: {:.1f} times its usual spread", value,
                       usual, away);
  });
}

}  // namespace vigil::entities::series
