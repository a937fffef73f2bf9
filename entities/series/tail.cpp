#include "entities/series/tail.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace vigil::entities::series {
namespace {

constexpr std::uint32_t seen_min = 64;
constexpr std::uint32_t rare_one_in = 50;
constexpr std::uint32_t rare_min = 8;
// Tails of things that are measured; the bounds keep a few equal values from proving anything.
constexpr double exponent_min = 1;
constexpr double exponent_max = 10;

static_assert(Tail::top_max >= Tail::seen_max / rare_one_in);

}  // namespace

double Tail::surprise(double value) const {
  if (state_.seen < seen_min || !(value > 0)) return 0;
  const double seen = state_.seen;
  const auto rare = std::max(rare_min, state_.seen / rare_one_in);
  const auto largest = top().first(std::min(rare, state_.kept));
  const double usual_max = largest.back();
  if (value <= usual_max) return 0;
  if (usual_max <= 0) {  // most are nothing at all: only how many were something is known
    const auto above = std::ranges::count_if(top(), [&](double one) { return one >= value; });
    return above == 0 ? std::log10(2 * seen) : std::log10(seen / static_cast<double>(above));
  }
  double logs = 0;
  for (const double one : largest) logs += std::log(one / usual_max);
  const double mean = logs / static_cast<double>(largest.size() - 1);
  const double exponent =
      mean > 0 ? std::clamp(1 / mean, exponent_min, exponent_max) : exponent_max;
  return std::log10(seen / static_cast<double>(largest.size())) +
         exponent * (std::log10(value) - std::log10(usual_max));
}

void Tail::keep(double value) {
  auto& [top, kept, seen, keep_largest] = state_;
  ++seen;
  if (kept < top_max || value > top[kept - 1]) {
    if (kept < top_max) ++kept;
    const auto end = top.begin() + kept;
    const auto place = std::upper_bound(top.begin(), end - 1, value, std::greater<>());
    std::move_backward(place, end - 1, end);
    *place = value;
  }
  if (seen >= seen_max) forget_half();
}

void Tail::forget_half() {
  std::uint32_t left = 0;
  for (std::uint32_t at = state_.keep_largest ? 0 : 1; at < state_.kept; at += 2) {
    state_.top[left++] = state_.top[at];
  }
  std::fill(state_.top.begin() + left, state_.top.end(), 0.0);
  state_.kept = left;
  state_.seen /= 2;
  state_.keep_largest = !state_.keep_largest;
}

bool Tail::set_state(const State& state) {
  const auto top = std::span(state.top).first(std::min<std::size_t>(state.kept, top_max));
  const bool counts_fit = state.kept <= top_max && state.kept <= state.seen &&
                          state.seen < seen_max &&
                          state.kept >= std::min(state.seen, state.seen / rare_one_in + rare_min);
  if (!counts_fit || !std::ranges::all_of(top, [](double one) { return std::isfinite(one); }) ||
      !std::ranges::is_sorted(top, std::greater<>())) {
    return false;
  }
  state_ = state;
  std::fill(state_.top.begin() + state_.kept, state_.top.end(), 0.0);
  return true;
}

}  // namespace vigil::entities::series
