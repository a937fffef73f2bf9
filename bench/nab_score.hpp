#pragma once
// How the Numenta Anomaly Benchmark scores detections (Lavin and Ahmad, "Evaluating Real-time
// Anomaly Detection Algorithms", 2015; its constants and edge cases as measured on its published
// results). Pure; any thread.
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace vigil::bench {

struct NabProfile {
  const char* name;
  double false_positive;
  double false_negative;
};
constexpr NabProfile nab_profiles[] = {
    {"standard", 0.11, 1.0}, {"reward_low_FP_rate", 0.22, 1.0}, {"reward_low_FN_rate", 0.11, 2.0}};

// Rows, first and last, in which a detection counts.
using NabWindow = std::pair<std::size_t, std::size_t>;

// Of one series: `detections` are rows in ascending order. The best detection of a window counts;
// outside, each costs the more the farther it is behind the last window; rows of the beginning
// (15 %, at most 750) do not count.
double nab_raw_score(const std::vector<std::size_t>& detections, std::size_t rows,
                     const std::vector<NabWindow>& windows, const NabProfile& profile);

// 0 for finding nothing, 100 for finding all at once.
double nab_score(double raw_sum, std::size_t windows, const NabProfile& profile);

}  // namespace vigil::bench
