#pragma once
// Notices what is unusual in one series, a point at a time, against the series' own past.
// Memory is fixed (under 5 KB), there is nothing to tune, and the same points give the same
// findings. One thread at a time; saving its state is the owner's concern.
#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "core/time.hpp"

namespace vigil::entities::series {

struct Finding {
  double score = 0;  // 0..1, by how far the value is outside what was usual
  bool is_anomaly = false;
  std::string reason;  // for people; empty unless it is an anomaly
};

class Detector {
 public:
  // Values that are no numbers, and points not later than the last one, are passed over. After an
  // alarm it keeps quiet for a while, and so it does until it has seen enough.
  Finding observe(TimePoint at, double value);

 private:
  void keep(double value);
  Finding judge(double value);

  static constexpr std::size_t past_max = 512;
  std::array<double, past_max> past_{};
  std::size_t seen_ = 0;
  std::size_t same_ = 0;      // how many points in a row had the last value
  std::size_t same_max_ = 0;  // the longest such run before this one
  std::size_t quiet_ = 0;     // points until it may alarm again
  std::optional<TimePoint> last_;
  double last_value_ = 0;
};

}  // namespace vigil::entities::series
