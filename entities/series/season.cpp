#include "entities/series/season.hpp"

#include <algorithm>
#include <cmath>

namespace vigil::entities::series {
namespace {

constexpr std::uint32_t slot_seen_min = 3;
constexpr std::uint64_t seen_min = 32;
constexpr double newest_of_slot = 0.05;
constexpr double newest_of_all = 0.002;
// One value moves what is usual as if it were at most that many usual distances away.
constexpr double distances_max = 1000;

double weight(double newest, double count) { return std::max(newest, 1 / count); }

}  // namespace

std::size_t Season::slot_at(TimePoint at) {
  constexpr std::int64_t day_s = 86'400;
  const auto s = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  return static_cast<std::size_t>((s % day_s + day_s) % day_s) * slots / day_s;
}

double Season::usual(std::size_t slot) const {
  return state_.count[slot] >= slot_seen_min ? state_.mean[slot] : state_.overall;
}

void Season::keep(std::size_t slot, double value) {
  const double limit = distances_max * state_.spread;
  const auto bounded = [&](double off) {
    return state_.seen >= seen_min ? std::clamp(off, -limit, limit) : off;
  };
  const double distance = std::abs(bounded(value - usual(slot)));
  auto& mean = state_.mean[slot];
  auto& count = state_.count[slot];
  const double slot_weight = weight(newest_of_slot, count + 1.0);
  mean = count == 0 ? value : mean + slot_weight * bounded(value - mean);
  count += count < slot_seen_min * 10 ? 1 : 0;  // enough for its weight to be the least
  const double all_weight = weight(newest_of_all, static_cast<double>(state_.seen) + 1);
  state_.overall += all_weight * bounded(value - state_.overall);
  if (state_.seen > 0) state_.spread += all_weight * (distance - state_.spread);
  ++state_.seen;
}

bool Season::set_state(const State& state) {
  const auto is_number = [](double value) { return std::isfinite(value); };
  if (!std::ranges::all_of(state.mean, is_number) || !is_number(state.overall) ||
      !is_number(state.spread) || state.spread < 0) {
    return false;
  }
  state_ = state;
  return true;
}

}  // namespace vigil::entities::series
