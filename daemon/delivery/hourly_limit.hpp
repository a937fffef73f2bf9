#pragma once
// So many starts within any hour and no more. Pure; loop thread only.
#include <algorithm>
#include <deque>

#include "core/time.hpp"

namespace vigil::delivery {

class HourlyLimit {
 public:
  static constexpr Duration hour = std::chrono::hours{1};

  // One that happened before the daemon started; in any order.
  void remember(TimePoint start) {
    starts_.insert(std::ranges::upper_bound(starts_, start), start);
  }
  // True: it is one of the `most`, and counted.
  bool take(TimePoint now, int most) {
    while (!starts_.empty() && starts_.front() <= now - hour) starts_.pop_front();
    if (starts_.size() >= static_cast<std::size_t>(most)) return false;
    starts_.push_back(now);
    return true;
  }
  // When take() will say yes; only after it said no.
  TimePoint free_at(int most) const {
    return starts_[starts_.size() - static_cast<std::size_t>(most)] + hour;
  }

 private:
  std::deque<TimePoint> starts_;  // within the last hour, in order
};

}  // namespace vigil::delivery
