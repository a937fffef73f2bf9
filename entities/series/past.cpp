#include "entities/series/past.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.hpp"

namespace vigil::entities::series {
namespace {

constexpr std::uint64_t usual_every = 64;
constexpr std::uint64_t usual_first = 8;
constexpr std::size_t outermost_one_in = 100;
constexpr std::size_t nearest = 3;  // one or two odd stretches of the past do not excuse a third

// The mean of what is left when the outermost hundredths on either side are taken away.
double inner_mean(std::vector<double> values) {
  const auto cut = static_cast<std::ptrdiff_t>(values.size() / outermost_one_in);
  const auto first = values.begin() + cut;
  const auto last = values.end() - cut;
  if (cut > 0) {
    std::nth_element(values.begin(), first, values.end());
    std::nth_element(first, last, values.end());
  }
  double sum = 0;
  for (auto at = first; at != last; ++at) sum += *at;
  return sum / static_cast<double>(last - first);
}

double squared(double value) { return value * value; }

}  // namespace

std::span<const double> Past::values() const {
  return std::span(values_).last(std::min(values_.size(), values_max));
}

void Past::keep(double value) {
  if (values_.size() == 2 * values_max) {
    values_.erase(values_.begin(), values_.begin() + values_max);
  }
  values_.push_back(value);
  ++seen_;
  if (seen_ % usual_every == 0 || seen_ == usual_first) take_usual();
}

void Past::take_usual() {
  const auto all = values();
  std::vector<double> steps;
  for (std::size_t at = 1; at < all.size(); ++at) steps.push_back(std::abs(all[at] - all[at - 1]));
  usual_mean_ = inner_mean({all.begin(), all.end()});
  usual_step_ = inner_mean(std::move(steps));
}

double Past::mean_of(std::size_t count) const {
  VIGIL_CHECK(count > 0 && count <= values().size());
  double sum = 0;
  for (const double value : values().last(count)) sum += value;
  return sum / static_cast<double>(count);
}

double Past::deviation_of(std::size_t count) const {
  const double mean = mean_of(count);
  double sum = 0;
  for (const double value : values().last(count)) sum += squared(value - mean);
  return std::sqrt(sum / static_cast<double>(count));
}

double Past::step_of(std::size_t count) const {
  VIGIL_CHECK(count > 0 && count < values().size());
  const auto latest = values().last(count + 1);
  double sum = 0;
  for (std::size_t at = 1; at < latest.size(); ++at) sum += std::abs(latest[at] - latest[at - 1]);
  return sum / static_cast<double>(count);
}

double Past::strangeness() const {
  const auto all = values();
  if (all.size() < 2 * shape_size + nearest - 1) return 0;
  const double* const now = all.data() + all.size() - shape_size;
  const std::size_t count = all.size() - 2 * shape_size + 1;  // fours that do not touch the latest
  std::array<double, nearest> best;
  best.fill(std::numeric_limits<double>::infinity());
  constexpr std::size_t block = 64;
  std::array<double, block> distances;
  for (std::size_t from = 0; from < count; from += block) {
    const auto here = std::min(block, count - from);
    const double* const past = all.data() + from;
    for (std::size_t at = 0; at < here; ++at) {  // apart from the choice, for the vector units
      distances[at] = (squared(past[at] - now[0]) + squared(past[at + 1] - now[1])) +
                      (squared(past[at + 2] - now[2]) + squared(past[at + 3] - now[3]));
    }
    for (std::size_t at = 0; at < here; ++at) {
      if (distances[at] >= best.back()) continue;
      best.back() = distances[at];
      for (auto i = nearest - 1; i > 0 && best[i] < best[i - 1]; --i)
        std::swap(best[i], best[i - 1]);
    }
  }
  return std::sqrt(best.back());
}

bool Past::set_state(std::uint64_t seen, std::span<const double> values, double mean, double step) {
  const bool fits = values.size() == std::min<std::uint64_t>(seen, values_max) &&
                    std::isfinite(mean) && std::isfinite(step) && step >= 0 &&
                    std::ranges::all_of(values, [](double one) { return std::isfinite(one); });
  if (!fits) return false;
  seen_ = seen;
  values_.assign(values.begin(), values.end());
  usual_mean_ = mean;
  usual_step_ = step;
  return true;
}

}  // namespace vigil::entities::series
