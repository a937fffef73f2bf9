#pragma once
// Turning points of a whole series and the lines between them, for charts. Unlike an indicator they
// look back: where a leg turned is known only once the price came back. Pure; any thread.
#include <span>
#include <vector>

#include "entities/market/indicator.hpp"

namespace vigil::entities::market {

struct TurningPoint {
  std::size_t index = 0;
  double close = 0;
  bool is_high = false;
  friend bool operator==(const TurningPoint&, const TurningPoint&) = default;
};
std::vector<TurningPoint> turning_points(std::span<const Candle> candles, double percent);

// At each candle the line through the points, up to the last close; unknown before the first.
std::vector<double> line_through(std::span<const TurningPoint> points,
                                 std::span<const Candle> candles);

}  // namespace vigil::entities::market
