#include "entities/series/detector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vigil::entities::series {
namespace {

// The constants below were chosen on one part of a public benchmark. docs/anomalies.md says how,
// and how little the score depends on each.
constexpr std::size_t level_points = 6;
constexpr std::size_t unrest_points = 16;
constexpr std::size_t still_points = 100;
constexpr std::uint64_t usual_points_min = 8;
constexpr double stillest_share = 0.001;  // of the usual step: what is stiller is equally still
constexpr double lingering_points = 24;

constexpr std::uint64_t points_min = 64;  // before that nothing is called usual
constexpr double bar_slope = 2.7;
constexpr double points_of_bar = 10;  // where the bar would be at 0
constexpr double slope_by_alarms = 0.3;
constexpr double remembered_points = 30'000;  // the bar does not rise for ever

// One alarm tells of an incident; what follows soon is most often the same one.
constexpr std::uint64_t settle_points = 20;
constexpr double quiet_share = 0.03;
constexpr double quiet_points_min = 100;
constexpr double quiet_points_max = 300;
constexpr double much_stronger = 1.6;

constexpr double value_max = 1e150;  // its square is a number still

double known(std::uint64_t seen) { return std::min(static_cast<double>(seen), remembered_points); }

}  // namespace

Finding Detector::observe(TimePoint at, double value) {
  if (!std::isfinite(value) || (last_ && at <= *last_)) return {};
  last_ = at;
  value = std::clamp(value, -value_max, value_max);
  const auto slot = Season::slot_at(at);
  past_.keep(value);
  const auto rare = rarities(slot, value);
  double sum = 0;
  for (const double one : rare) sum += one;
  lingering_ += (sum - lingering_) / lingering_points;
  Finding finding;
  if (past_.seen() > points_min) {
    const double times = (sum + lingering_) / bar();
    finding.score = times / (1 + times);
    finding.is_anomaly = is_told(times);
    if (finding.is_anomaly) finding.reason = reason(rare, slot);
  }
  season_.keep(slot, value);
  return finding;
}

Detector::Rarities Detector::rarities(std::size_t slot, double value) {
  Rarities rare{};
  const auto judge = [&](Aspect aspect, double measure) {
    rare[aspect] = tails_[aspect].surprise(measure);
    tails_[aspect].keep(measure);
  };
  const auto seen = past_.seen();
  if (seen > usual_points_min) {
    judge(level, std::abs(past_.mean_of(level_points) - past_.usual_mean()));
    judge(time_of_day, std::abs(value - season_.usual(slot)));
  }
  if (seen > unrest_points) judge(unrest, past_.deviation_of(unrest_points));
  judge(shape, past_.strangeness());
  if (seen > still_points) {
    const double step = past_.step_of(still_points) + stillest_share * past_.usual_step();
    judge(stillness, step > 0 ? 1 / std::max(step, 1 / value_max) : 0);
  }
  return rare;
}

// Of many points some must be rare: by what n points give of themselves, each way of looking adds
// up to log n decades now and then.
double Detector::bar() const {
  const double gap = static_cast<double>(past_.seen() - alarm_at_);
  const double alarms = alarms_ * std::exp(-gap / remembered_points);
  return strictness_ * bar_slope * std::log10(known(past_.seen()) / points_of_bar) *
         (1 + slope_by_alarms * std::log10(1 + alarms));
}

bool Detector::is_told(double times) {
  if (times < 1) return false;
  const auto seen = past_.seen();
  if (alarm_at_ > 0 && seen - alarm_at_ <= settle_points) {
    alarm_times_ = std::max(alarm_times_, times);
    return false;
  }
  if (seen < quiet_until_ && times <= much_stronger * alarm_times_) return false;
  alarms_ = 1 + alarms_ * std::exp(-static_cast<double>(seen - alarm_at_) / remembered_points);
  alarm_at_ = seen;
  alarm_times_ = times;
  quiet_until_ = seen + static_cast<std::uint64_t>(std::clamp(quiet_share * known(seen),
                                                              quiet_points_min, quiet_points_max));
  return true;
}

std::string Detector::reason(const Rarities& rare, std::size_t slot) const {
  const auto rarest = std::ranges::max_element(rare);
  const auto latest = past_.values().last(2);
  const auto what = [&] {
    switch (static_cast<Aspect>(rarest - rare.begin())) {
      case level:
        return fmt::format(
            "{:.6g}, and {:.6g} on average over {} points, where about {:.6g} is usual", latest[1],
            past_.mean_of(level_points), level_points, past_.usual_mean());
      case unrest:
        return fmt::format("{:.6g}: it moves within {:.6g} over {} points, as it rarely does",
                           latest[1], past_.deviation_of(unrest_points), unrest_points);
      case time_of_day:
        return fmt::format("{:.6g} where about {:.6g} is usual at this time of day", latest[1],
                           season_.usual(slot));
      case stillness:
        return fmt::format("flat at {:.6g}: {:.4g} a step over {} points, where {:.4g} is usual",
                           latest[1], past_.step_of(still_points), still_points,
                           past_.usual_step());
      default:
        return fmt::format("{:.6g} after {:.6g}: unlike what was seen in {} points", latest[1],
                           latest[0], past_.values().size());
    }
  }();
  if (*rarest <= 0) return fmt::format("{:.6g}, after much that is rare", latest[1]);
  const double one_in = std::pow(10, std::min(*rarest, 6.0));
  return fmt::format("{} (one in {:.0f}{})", what, one_in, *rarest > 6 ? " or rarer" : "");
}

}  // namespace vigil::entities::series
