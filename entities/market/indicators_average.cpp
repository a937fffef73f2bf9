// Averages, and the bands around them.
#include <cmath>

#include "entities/market/indicator_parts.hpp"

namespace vigil::entities::market {
namespace {

class Sma final : public Indicator {
 public:
  explicit Sma(std::span<const double> p) : past_(whole(p[0])) {}
  void take(const Candle& candle) override {
    past_.push(candle.close);
    if (past_.full()) out_[0] = past_.mean();
  }
  void keep(Archive& archive) override { past_.keep(archive); }

 private:
  Ring past_;
};

class VolumeSma final : public Indicator {
 public:
  explicit VolumeSma(std::span<const double> p) : past_(whole(p[0])) {}
  void take(const Candle& candle) override {
    past_.push(candle.volume);
    if (past_.full()) out_[0] = past_.mean();
  }
  void keep(Archive& archive) override { past_.keep(archive); }

 private:
  Ring past_;
};

class Ema final : public Indicator {
 public:
  explicit Ema(std::span<const double> p) : average_(whole(p[0])) {}
  void take(const Candle& candle) override { out_[0] = average_.take(candle.close); }
  void keep(Archive& archive) override { average_.keep(archive); }

 private:
  Exponential average_;
};

class Wma final : public Indicator {
 public:
  explicit Wma(std::span<const double> p) : past_(whole(p[0])) {}
  void take(const Candle& candle) override {
    past_.push(candle.close);
    if (!past_.full()) return;
    const auto size = static_cast<double>(past_.count());
    double sum = 0;
    for (std::size_t i = 0; i < past_.count(); ++i) sum += past_.at(i) * static_cast<double>(i + 1);
    out_[0] = sum / (size * (size + 1) / 2);
  }
  void keep(Archive& archive) override { past_.keep(archive); }

 private:
  Ring past_;
};

class Macd final : public Indicator {
 public:
  explicit Macd(std::span<const double> p)
      : fast_(whole(p[0])), slow_(whole(p[1])), signal_(whole(p[2])) {}
  void take(const Candle& candle) override {
    out_[3] = fast_.take(candle.close);
    out_[4] = slow_.take(candle.close);
    out_[0] = out_[3] - out_[4];
    if (std::isnan(out_[0])) return;
    out_[1] = signal_.take(out_[0]);
    out_[2] = out_[0] - out_[1];
  }
  void keep(Archive& archive) override {
    fast_.keep(archive);
    slow_.keep(archive);
    signal_.keep(archive);
  }

 private:
  Exponential fast_, slow_, signal_;
};

class Bollinger final : public Indicator {
 public:
  explicit Bollinger(std::span<const double> p) : past_(whole(p[0])), width_(p[1]) {}
  void take(const Candle& candle) override {
    past_.push(candle.close);
    if (!past_.full()) return;
    const double mean = past_.mean();
    const double deviation = past_.deviation(mean);
    const double upper = mean + width_ * deviation;
    const double lower = mean - width_ * deviation;
    out_ = {mean,
            upper,
            lower,
            ratio(candle.close - lower, upper - lower),
            ratio(candle.close - mean, deviation),
            ratio(upper - lower, mean)};
  }
  void keep(Archive& archive) override { past_.keep(archive); }

 private:
  Ring past_;
  double width_;
};

class Deviation final : public Indicator {
 public:
  explicit Deviation(std::span<const double> p) : past_(whole(p[0])) {}
  void take(const Candle& candle) override {
    past_.push(candle.close);
    if (!past_.full()) return;
    out_[1] = past_.mean();
    out_[0] = past_.deviation(out_[1]);
    out_[2] = ratio(candle.close - out_[1], out_[0]);
  }
  void keep(Archive& archive) override { past_.keep(archive); }

 private:
  Ring past_;
};

// From where it began: the volume's average price of the whole series.
class Vwap final : public Indicator {
 public:
  explicit Vwap(std::span<const double>) {}
  void take(const Candle& candle) override {
    volume_ += candle.volume;
    money_ += candle.volume * (candle.high + candle.low + candle.close) / 3;
    out_[0] = ratio(money_, volume_);
  }
  void keep(Archive& archive) override {
    archive(volume_);
    archive(money_);
  }

 private:
  double volume_ = 0;
  double money_ = 0;
};

}  // namespace

std::span<const IndicatorKind> average_kinds() {
  static const std::vector<IndicatorKind> table{
      {"sma", "mean of the last closes", {"sma"}, {20}, make<Sma>},
      {"ema", "exponential mean of closes", {"ema"}, {20}, make<Ema>},
      {"wma", "mean of closes, the latest weighing most", {"wma"}, {14}, make<Wma>},
      {"volume_sma", "mean of the last volumes", {"volume_sma"}, {20}, make<VolumeSma>},
      {"macd",
       "difference of two exponential means",
       {"macd", "signal", "histogram", "fast", "slow"},
       {12, 26, 9},
       make<Macd>},
      {"bb",
       "Bollinger bands",
       {"sma", "upper", "lower", "percent_b", "z", "width"},
       {20, 2},
       make<Bollinger>},
      {"stdev", "standard deviation of closes", {"stdev", "mean", "z"}, {14}, make<Deviation>},
      {"vwap", "volume-weighted mean price since it began", {"vwap"}, {}, make<Vwap>},
  };
  return table;
}

}  // namespace vigil::entities::market
