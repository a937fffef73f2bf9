// How far prices range, and whether that is a direction.
#include <algorithm>
#include <cmath>

#include "entities/market/indicator_parts.hpp"

namespace vigil::entities::market {
namespace {

class Atr final : public Indicator {
 public:
  explicit Atr(std::span<const double> p) : average_(whole(p[0])) {}
  void take(const Candle& candle) override {
    if (!std::isnan(last_)) {
      out_[2] = true_range(candle, last_);
      out_[0] = average_.take(out_[2]);
      out_[1] = 100 * ratio(out_[0], candle.close);
    }
    last_ = candle.close;
  }
  void keep(Archive& archive) override {
    archive(last_);
    average_.keep(archive);
  }

 private:
  double last_ = unknown;
  Wilder average_;
};

class Adx final : public Indicator {
 public:
  explicit Adx(std::span<const double> p)
      : range_(whole(p[0])),
        up_(whole(p[0])),
        down_(whole(p[0])),
        adx_(whole(p[0])),
        past_(whole(p[0])) {}
  void take(const Candle& candle) override {
    const auto before = before_;
    before_ = candle;
    if (first_ == 0) {
      first_ = 1;
      return;
    }
    const double up = candle.high - before.high;
    const double down = before.low - candle.low;
    const double range = range_.take(true_range(candle, before.close));
    const double ups = up_.take(up > down ? std::max(up, 0.0) : 0);
    const double downs = down_.take(down > up ? std::max(down, 0.0) : 0);
    if (std::isnan(range)) return;
    out_[1] = 100 * ratio(ups, range);
    out_[2] = 100 * ratio(downs, range);
    const double both = out_[1] + out_[2];
    out_[3] = both == 0 || std::isnan(both) ? 0 : 100 * std::abs(out_[1] - out_[2]) / both;
    out_[0] = adx_.take(out_[3]);
    if (std::isnan(out_[0])) return;
    if (past_.full()) out_[4] = (out_[0] + past_.oldest()) / 2;
    past_.push(out_[0]);
  }
  void keep(Archive& archive) override {
    archive(first_);
    for (auto* value : {&before_.high, &before_.low, &before_.close}) archive(*value);
    for (auto* average : {&range_, &up_, &down_, &adx_}) average->keep(archive);
    past_.keep(archive);
  }

 private:
  std::size_t first_ = 0;
  Candle before_;
  Wilder range_, up_, down_, adx_;
  Ring past_;
};

// Of the bars before the present one, so that a close can leave it.
class Donchian final : public Indicator {
 public:
  explicit Donchian(std::span<const double> p) : highs_(whole(p[0])), lows_(whole(p[0])) {}
  void take(const Candle& candle) override {
    if (highs_.full()) {
      const double upper = highs_.highest();
      const double lower = lows_.lowest();
      const double middle = (upper + lower) / 2;
      out_[0] = middle;
      out_[1] = upper;
      out_[2] = lower;
      out_[3] = ratio(upper - lower, middle);
    }
    highs_.push(candle.high);
    lows_.push(candle.low);
  }
  void keep(Archive& archive) override {
    highs_.keep(archive);
    lows_.keep(archive);
  }

 private:
  Ring highs_, lows_;
};

// Percent below the highest close so far.
class Drawdown final : public Indicator {
 public:
  explicit Drawdown(std::span<const double>) {}
  void take(const Candle& candle) override {
    highest_ = std::max(highest_, candle.close);
    out_[0] = 100 * ratio(highest_ - candle.close, highest_);
  }
  void keep(Archive& archive) override { archive(highest_); }

 private:
  double highest_ = 0;
};

// How lively the last closes are beside those of a longer time: the ratio of their mean moves.
class Liveliness final : public Indicator {
 public:
  explicit Liveliness(std::span<const double> p) : short_(whole(p[0])), long_(whole(p[1])) {}
  void take(const Candle& candle) override {
    const double move = std::abs(ratio(candle.close - last_, last_));
    last_ = candle.close;
    if (std::isnan(move)) return;
    if (short_.full()) long_.push(short_.oldest());
    short_.push(move);
    if (long_.full() && short_.full()) out_[0] = ratio(short_.mean(), long_.mean());
  }
  void keep(Archive& archive) override {
    archive(last_);
    short_.keep(archive);
    long_.keep(archive);
  }

 private:
  double last_ = unknown;
  Ring short_, long_;
};

}  // namespace

double true_range(const Candle& candle, double close_before) {
  return std::max({candle.high - candle.low, std::abs(candle.high - close_before),
                   std::abs(candle.low - close_before)});
}

std::span<const IndicatorKind> range_kinds() {
  static const std::vector<IndicatorKind> table{
      {"atr", "average true range", {"atr", "percent", "range"}, {14}, make<Atr>},
      {"adx",
       "how much of a direction there is, 0 to 100",
       {"adx", "pdi", "mdi", "dx", "adxr"},
       {14},
       make<Adx>},
      {"donchian",
       "highest and lowest of the bars before",
       {"middle", "upper", "lower", "width"},
       {20},
       make<Donchian>},
      {"drawdown", "percent below the highest close so far", {"drawdown"}, {}, make<Drawdown>},
      {"liveliness",
       "mean move of the last bars beside that of the bars before",
       {"liveliness"},
       {20, 100},
       make<Liveliness>},
  };
  return table;
}

}  // namespace vigil::entities::market
