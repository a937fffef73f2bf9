#include "entities/market/zigzag.hpp"

#include <array>
#include <cmath>

namespace vigil::entities::market {

std::vector<TurningPoint> turning_points(std::span<const Candle> candles, double percent) {
  const auto name = parse_indicator("zigzag");
  const auto legs = name->kind->make(std::array{percent});
  std::vector<TurningPoint> out;
  for (std::size_t i = 0; i < candles.size(); ++i) {
    legs->take(candles[i]);
    const double age = legs->value(2);
    if (std::isnan(age)) continue;
    out.push_back({i - whole(age), legs->value(0), legs->value(1) < 0});
  }
  return out;
}

std::vector<double> line_through(std::span<const TurningPoint> points,
                                 std::span<const Candle> candles) {
  std::vector<double> out(candles.size(), unknown);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto from = points[i].index;
    const bool last = i + 1 == points.size();
    const auto to = last ? candles.size() - 1 : points[i + 1].index;
    const double end = last ? candles[to].close : points[i + 1].close;
    for (auto at = from; at <= to; ++at) {
      const double share =
          to == from ? 0 : static_cast<double>(at - from) / static_cast<double>(to - from);
      out[at] = points[i].close + share * (end - points[i].close);
    }
  }
  return out;
}

}  // namespace vigil::entities::market
