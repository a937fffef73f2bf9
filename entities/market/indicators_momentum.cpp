// How fast prices go: strength, rate of change, stochastics, money flow.
#include <algorithm>
#include <cmath>

#include "entities/market/indicator_parts.hpp"

namespace vigil::entities::market {
namespace {

class Rsi final : public Indicator {
 public:
  explicit Rsi(std::span<const double> p) : strength_(whole(p[0])) {}
  void take(const Candle& candle) override { out_[0] = strength_.take(candle.close); }
  void keep(Archive& archive) override { strength_.keep(archive); }

 private:
  Strength strength_;
};

class StochRsi final : public Indicator {
 public:
  explicit StochRsi(std::span<const double> p)
      : strength_(whole(p[0])), past_(whole(p[1])), smooth_(whole(p[3])), signal_(whole(p[2])) {}
  void take(const Candle& candle) override {
    const double rsi = strength_.take(candle.close);
    if (std::isnan(rsi)) return;
    past_.push(rsi);
    if (!past_.full()) return;
    const double lowest = past_.lowest();
    const double range = past_.highest() - lowest;
    smooth_.push(range == 0 ? 0 : 100 * (rsi - lowest) / range);
    if (!smooth_.full()) return;
    out_[0] = smooth_.mean();
    signal_.push(out_[0]);
    if (signal_.full()) out_[1] = signal_.mean();
  }
  void keep(Archive& archive) override {
    strength_.keep(archive);
    past_.keep(archive);
    smooth_.keep(archive);
    signal_.keep(archive);
  }

 private:
  Strength strength_;
  Ring past_, smooth_, signal_;
};

class Stochastic final : public Indicator {
 public:
  explicit Stochastic(std::span<const double> p)
      : highs_(whole(p[0])), lows_(whole(p[0])), smooth_(whole(p[2])), signal_(whole(p[1])) {}
  void take(const Candle& candle) override {
    highs_.push(candle.high);
    lows_.push(candle.low);
    if (!highs_.full()) return;
    const double lowest = lows_.lowest();
    const double range = highs_.highest() - lowest;
    smooth_.push(range == 0 ? 0 : 100 * (candle.close - lowest) / range);
    if (!smooth_.full()) return;
    out_[0] = smooth_.mean();
    signal_.push(out_[0]);
    if (signal_.full()) out_[1] = signal_.mean();
  }
  void keep(Archive& archive) override {
    highs_.keep(archive);
    lows_.keep(archive);
    smooth_.keep(archive);
    signal_.keep(archive);
  }

 private:
  Ring highs_, lows_, smooth_, signal_;
};

class RateOfChange final : public Indicator {
 public:
  explicit RateOfChange(std::span<const double> p) : past_(whole(p[0])) {}
  void take(const Candle& candle) override {
    if (past_.full()) {
      out_[1] = candle.close - past_.oldest();
      out_[0] = 100 * ratio(out_[1], past_.oldest());
    }
    past_.push(candle.close);
  }
  void keep(Archive& archive) override { past_.keep(archive); }

 private:
  Ring past_;
};

class MoneyFlow final : public Indicator {
 public:
  explicit MoneyFlow(std::span<const double> p) : flows_(whole(p[0])) {}
  void take(const Candle& candle) override {
    const double typical = (candle.high + candle.low + candle.close) / 3;
    const double flow = typical * candle.volume;
    if (!std::isnan(last_)) {
      flows_.push(typical > last_ ? flow : typical < last_ ? -flow : 0);
    }
    last_ = typical;
    if (!flows_.full()) return;
    double in = 0;
    double out = 0;
    for (std::size_t i = 0; i < flows_.count(); ++i) {
      const double one = flows_.at(i);
      (one > 0 ? in : out) += std::abs(one);
    }
    out_[0] = out == 0 ? 100 : 100 - 100 / (1 + in / out);
  }
  void keep(Archive& archive) override {
    archive(last_);
    flows_.keep(archive);
  }

 private:
  double last_ = unknown;
  Ring flows_;
};

class ChannelIndex final : public Indicator {  // CCI
 public:
  explicit ChannelIndex(std::span<const double> p) : past_(whole(p[0])) {}
  void take(const Candle& candle) override {
    const double typical = (candle.high + candle.low + candle.close) / 3;
    past_.push(typical);
    if (!past_.full()) return;
    const double mean = past_.mean();
    double away = 0;
    for (std::size_t i = 0; i < past_.count(); ++i) away += std::abs(past_.at(i) - mean);
    out_[0] = ratio(typical - mean, 0.015 * away / static_cast<double>(past_.count()));
  }
  void keep(Archive& archive) override { past_.keep(archive); }

 private:
  Ring past_;
};

class Balance final : public Indicator {  // OBV
 public:
  explicit Balance(std::span<const double>) {}
  void take(const Candle& candle) override {
    if (candle.close > last_) sum_ += candle.volume;
    if (candle.close < last_) sum_ -= candle.volume;
    last_ = candle.close;
    out_[0] = sum_;
  }
  void keep(Archive& archive) override {
    archive(last_);
    archive(sum_);
  }

 private:
  double last_ = unknown;
  double sum_ = 0;
};

}  // namespace

double Strength::take(double close) {
  const double change = close - last_;
  const bool first = std::isnan(last_);
  last_ = close;
  if (first) return unknown;
  const double gain = gains_.take(std::max(change, 0.0));
  const double loss = losses_.take(std::max(-change, 0.0));
  if (std::isnan(gain)) return unknown;
  return loss == 0 ? 100 : 100 - 100 / (1 + gain / loss);
}

std::span<const IndicatorKind> momentum_kinds() {
  static const std::vector<IndicatorKind> table{
      {"rsi", "relative strength, 0 to 100", {"rsi"}, {14}, make<Rsi>},
      {"stoch", "stochastic oscillator, 0 to 100", {"k", "d"}, {14, 3, 3}, make<Stochastic>},
      {"stoch_rsi",
       "where the RSI is in its own range",
       {"k", "d"},
       {14, 14, 3, 1},
       make<StochRsi>},
      {"roc", "percent against so many bars ago", {"roc", "momentum"}, {14}, make<RateOfChange>},
      {"mfi", "money flow, 0 to 100", {"mfi"}, {14}, make<MoneyFlow>},
      {"cci", "commodity channel index", {"cci"}, {20}, make<ChannelIndex>},
      {"obv",
       "volume, added as the close rises and taken off as it falls",
       {"obv"},
       {},
       make<Balance>},
  };
  return table;
}

}  // namespace vigil::entities::market
