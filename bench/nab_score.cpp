#include "bench/nab_score.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace vigil::bench {
namespace {

double sigmoid(double position) { return position > 3 ? -1 : 2 / (1 + std::exp(5 * position)) - 1; }

}  // namespace

double nab_raw_score(const std::vector<std::size_t>& detections, std::size_t rows,
                     const std::vector<NabWindow>& windows, const NabProfile& profile) {
  const auto beginning = std::min<std::size_t>(rows * 15 / 100, 750);
  std::vector<std::optional<double>> best(windows.size());
  double score = 0;
  for (const auto row : detections) {
    if (row < beginning) continue;
    const NabWindow* before = nullptr;
    bool inside = false;
    for (std::size_t at = 0; at < windows.size(); ++at) {
      const auto& [first, last] = windows[at];
      if (first <= row && row <= last) {
        const double position =
            -static_cast<double>(last - row + 1) / static_cast<double>(last - first + 1);
        const double gain = sigmoid(position) / sigmoid(-1);
        best[at] = std::max(best[at].value_or(gain), gain);
        inside = true;
      } else if (last < row && (before == nullptr || before->second < last)) {
        before = &windows[at];
      }
    }
    if (inside) continue;
    const double position = before == nullptr
                                ? 0
                                : static_cast<double>(row - before->second) /
                                      static_cast<double>(before->second - before->first);
    score +=
        before == nullptr ? -profile.false_positive : profile.false_positive * sigmoid(position);
  }
  for (const auto& gain : best) score += gain.value_or(-profile.false_negative);
  return score;
}

double nab_score(double raw_sum, std::size_t windows, const NabProfile& profile) {
  const double nothing = -profile.false_negative * static_cast<double>(windows);
  return 100 * (raw_sum - nothing) / (static_cast<double>(windows) - nothing);
}

}  // namespace vigil::bench
