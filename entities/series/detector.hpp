#pragma once
// Notices what is unusual in one series, a point at a time, against the series' own past and
// nothing else. Each point is looked at in five ways: its level, its unrest, its shape together
// with the points before it, its time of day, and how still the series stands. How rare each is
// among its own past (tail.hpp) is added up, and held against a bar that rises with what is known
// of the series and with the alarms it gave. There is nothing to tune; the same points give the
// same findings; memory is bounded: under 80 KB, however long the series. About 5 us a point. One
// thread at a time.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/time.hpp"
#include "entities/series/past.hpp"
#include "entities/series/season.hpp"
#include "entities/series/tail.hpp"

namespace vigil::entities::series {

struct Finding {
  double score = 0;  // 0..1, by how far all that is unusual adds up; 0.5: just an anomaly
  bool is_anomaly = false;
  std::string reason;  // for people; empty unless it is an anomaly
};

class Detector {
 public:
  // 1 suits most; at 1.2 it asks for a fifth more before it gives an alarm.
  explicit Detector(double strictness = 1) : strictness_(strictness) {}

  // Values that are no numbers, and points not later than the last one, are passed over. It says
  // nothing of the first 64 points, nor, for a while after an alarm, of what is not much stronger.
  Finding observe(TimePoint at, double value);

  // All it knows, as bytes for `restore`, under 40 KB. What is restored goes on as if never
  // stopped.
  std::string save() const;
  // Fails on bytes of another version or that `save` cannot have made: start anew then.
  static Result<Detector> restore(std::string_view bytes, double strictness = 1);

 private:
  enum Aspect : std::size_t { level, unrest, shape, time_of_day, stillness, aspect_count };
  using Rarities = std::array<double, aspect_count>;  // in decades

  Rarities rarities(std::size_t slot, double value);
  double bar() const;
  bool is_told(double times);
  std::string reason(const Rarities& rare, std::size_t slot) const;

  double strictness_;  // a setting, so not part of what is saved
  Past past_;
  Season season_;
  std::array<Tail, aspect_count> tails_;
  std::optional<TimePoint> last_;
  double lingering_ = 0;  // the mean of what was rare over the latest points
  double alarms_ = 0;     // up to the last one; old ones count less
  double alarm_times_ = 0;
  std::uint64_t alarm_at_ = 0;  // as points seen; 0: never
  std::uint64_t quiet_until_ = 0;
};

}  // namespace vigil::entities::series
