#pragma once
// What several indicators are made of. Private to the files of indicators.
#include "entities/market/indicator.hpp"

namespace vigil::entities::market {

template <class Kind>
std::unique_ptr<Indicator> make(std::span<const double> parameters) {
  return std::make_unique<Kind>(parameters);
}

// A mean that begins as the plain mean of the first values, then forgets: `weight` is what the
// latest one counts. Exponential means have 2 / (n + 1), Wilder's 1 / n.
class Smoothed {
 public:
  Smoothed(std::size_t size, double weight) : size_(size), weight_(weight) {}
  double take(double value) {
    if (count_ >= size_) return mean_ += weight_ * (value - mean_);
    sum_ += value;
    if (++count_ == size_) mean_ = sum_ / static_cast<double>(size_);
    return mean_;
  }
  void keep(Archive& archive) {
    archive(count_);
    archive(sum_);
    archive(mean_);
  }

 private:
  std::size_t size_;
  double weight_;
  std::size_t count_ = 0;
  double sum_ = 0;
  double mean_ = unknown;
};

struct Exponential : Smoothed {
  explicit Exponential(std::size_t size) : Smoothed(size, 2.0 / (static_cast<double>(size) + 1)) {}
};
struct Wilder : Smoothed {
  explicit Wilder(std::size_t size) : Smoothed(size, 1.0 / static_cast<double>(size)) {}
};

// Relative strength of the closes it is given; also within the stochastic RSI.
class Strength {
 public:
  explicit Strength(std::size_t size) : gains_(size), losses_(size) {}
  double take(double close);
  void keep(Archive& archive) {
    archive(last_);
    gains_.keep(archive);
    losses_.keep(archive);
  }

 private:
  double last_ = unknown;
  Wilder gains_, losses_;
};

// The largest of high - low and what lies between either and the close before.
double true_range(const Candle& candle, double close_before);

}  // namespace vigil::entities::market
