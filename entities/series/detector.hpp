#pragma once
// Notices what is unusual in one series, a point at a time, against the series' own past: its level
// and its change from point to point, each by the time of day; before a time of day is known,
// against the latest points. Memory is fixed (under 8 KB), there is nothing to tune, and the same
// points give the same findings. One thread at a time; saving its state is the owner's concern.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/time.hpp"

namespace vigil::entities::series {

struct Finding {
  double score = 0;  // 0..1, by how far the value is outside what was usual; 0.5: just an anomaly
  bool is_anomaly = false;
  std::string reason;  // for people; empty unless it is an anomaly
};

// What is usual in each half hour of the day (UTC): a mean and a mean deviation, slowly forgotten.
class Season {
 public:
  struct Usual {
    double mean = 0;
    double spread = 0;
    std::uint32_t count = 0;
  };
  static constexpr std::size_t slots = 48;
  static std::size_t slot_at(TimePoint at);

  // How many usual spreads the value is away; nothing until that time of day was seen.
  std::optional<double> away(std::size_t slot, double value) const;
  const Usual& usual(std::size_t slot) const { return usual_[slot]; }
  void keep(std::size_t slot, double value);

 private:
  double spread_at(std::size_t slot) const;
  std::array<Usual, slots> usual_{};
  double overall_ = 0;  // the mean deviation at any time of day
  std::uint64_t count_ = 0;
};

class Detector {
 public:
  // Values that are no numbers, and points not later than the last one, are passed over. After an
  // alarm it keeps quiet for a while, and so it does until it has seen enough.
  Finding observe(TimePoint at, double value);

 private:
  void keep(std::size_t slot, double value);
  Finding judge(std::size_t slot, double value);
  void compare_with_latest(double value, Finding& finding);

  static constexpr std::size_t past_max = 512;
  Season levels_;
  Season changes_;
  std::array<double, past_max> past_{};
  std::size_t seen_ = 0;
  std::size_t same_ = 0;      // how many points in a row had the last value
  std::size_t same_max_ = 0;  // the longest such run before this one
  bool flat_told_ = false;    // of this run
  std::size_t quiet_ = 0;     // points until it may alarm again
  std::optional<TimePoint> last_;
  double last_value_ = 0;
};

}  // namespace vigil::entities::series
