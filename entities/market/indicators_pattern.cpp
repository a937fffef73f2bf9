// Shapes of candles, and the legs between turning points.
#include <algorithm>
#include <cmath>

#include "entities/market/indicator_parts.hpp"

namespace vigil::entities::market {
namespace {

class HeikinAshi final : public Indicator {
 public:
  explicit HeikinAshi(std::span<const double>) {}
  void take(const Candle& candle) override {
    const double close = (candle.open + candle.high + candle.low + candle.close) / 4;
    const double open = std::isnan(open_) ? (candle.open + candle.close) / 2 : (open_ + close_) / 2;
    open_ = open;
    close_ = close;
    out_ = {
        close,   open,   std::max({candle.high, open, close}), std::min({candle.low, open, close}),
        unknown, unknown};
  }
  void keep(Archive& archive) override {
    archive(open_);
    archive(close_);
  }

 private:
  double open_ = unknown;
  double close_ = unknown;
};

// 1: open and close are nearly the same.
class Doji final : public Indicator {
 public:
  explicit Doji(std::span<const double> p) : percent_(p[0]) {}
  void take(const Candle& candle) override {
    const double change = 100 * std::abs(ratio(candle.close - candle.open, candle.open));
    out_[0] = change <= percent_ ? 1 : 0;
  }
  void keep(Archive&) override {}

 private:
  double percent_;
};

// 1: all body and it rose; -1: all body and it fell.
class Marubozu final : public Indicator {
 public:
  explicit Marubozu(std::span<const double> p) : percent_(p[0]) {}
  void take(const Candle& candle) override {
    const double body = candle.close - candle.open;
    const double share = 100 * ratio(std::abs(body), candle.high - candle.low);
    out_[0] = !(share >= percent_) ? 0 : body > 0 ? 1 : -1;
  }
  void keep(Archive&) override {}

 private:
  double percent_;
};

// Turning points of closes: a leg ends where the price came back by so many percent.
class ZigZag final : public Indicator {
 public:
  explicit ZigZag(std::span<const double> p) : share_(p[0] / 100) {}
  void take(const Candle& candle) override {
    const double close = candle.close;
    ++age_;
    if (std::isnan(extreme_)) {
      extreme_ = close;
      age_ = 0;
    } else if (leg_ == 0) {
      if (std::abs(close - extreme_) >= share_ * extreme_) begin(close > extreme_ ? 1 : -1, close);
    } else if (leg_ * (close - extreme_) >= 0) {
      extreme_ = close;
      age_ = 0;
    } else if (leg_ * (extreme_ - close) >= share_ * extreme_) {
      out_[0] = extreme_;
      out_[2] = static_cast<double>(age_);
      begin(-leg_, close);
      out_[1] = leg_;
      return;
    }
    out_[1] = leg_;
    out_[2] = unknown;
  }
  void keep(Archive& archive) override {
    archive(extreme_);
    archive(leg_);
    archive(age_);
    archive(out_[0]);
  }

 private:
  void begin(double leg, double close) {
    leg_ = leg;
    extreme_ = close;
    age_ = 0;
  }
  double share_;
  double extreme_ = unknown;  // of the present leg
  double leg_ = 0;            // 1 rises, -1 falls, 0: not known yet
  std::size_t age_ = 0;       // bars since the extreme
};

}  // namespace

std::span<const IndicatorKind> pattern_kinds() {
  static const std::vector<IndicatorKind> table{
      {"heikin_ashi", "candles of means", {"close", "open", "high", "low"}, {}, make<HeikinAshi>},
      {"doji",
       "1 when open and close are so many percent apart, or less",
       {"doji"},
       {0.1},
       make<Doji>},
      {"marubozu",
       "1 (rose) or -1 (fell) when the body is so many percent of the candle",
       {"marubozu"},
       {95},
       make<Marubozu>},
      {"zigzag",
       "last turning point, confirmed by so many percent back",
       {"pivot", "leg", "age"},
       {5},
       make<ZigZag>},
  };
  return table;
}

}  // namespace vigil::entities::market
