#pragma once
// The lowest and the highest close within a window of time or of bars, exactly, without keeping all
// of them: a close that a later one undercuts can never be the lowest again. At most points_max of
// each are kept: beyond, every second one is let go, and an extreme may be missed by one bar. One
// thread at a time.
#include <deque>
#include <optional>

#include "entities/market/condition.hpp"

namespace vigil::entities::market {

class Window {
 public:
  static constexpr std::size_t points_max = 512;

  Window(Duration within, int bars) : within_(within), bars_(bars) {}
  // The extremes of what lies within the window that ends at `now`, before it is added.
  void forget_before(TimePoint now);
  std::optional<Decimal> lowest() const;
  std::optional<Decimal> highest() const;
  void add(TimePoint now, const Decimal& close);
  void keep(Archive& archive);

 private:
  struct Point {
    TimePoint at;
    std::size_t bar = 0;
    Decimal close;
  };
  using Points = std::deque<Point>;
  void forget(Points& points, TimePoint now) const;
  static void thin(Points& points);
  static void keep(Points& points, Archive& archive);

  Duration within_;
  int bars_;
  std::size_t count_ = 0;
  Points lows_, highs_;
};

}  // namespace vigil::entities::market
