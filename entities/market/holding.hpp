#pragma once
// Whether one condition holds at a bar. Levels of prices are compared as decimals, those of
// indicators in binary fractions. Private to the judge.
#include <functional>
#include <memory>
#include <optional>

#include "entities/market/tick.hpp"
#include "entities/market/window.hpp"

namespace vigil::entities::series {
class Detector;
}

namespace vigil::entities::market {

struct Value {
  std::optional<Decimal> exact;
  double number = unknown;
  bool known() const { return exact.has_value() || number == number; }
  std::string text() const;
};

struct Held {
  bool holds = false;
  int direction = 0;
  std::string what;  // the condition with its values; empty unless it holds
};

using ValueOf = std::function<Value(const Term& term)>;

class Holding {
 public:
  Holding(const Condition& condition, double clear_percent);
  ~Holding();
  Holding(Holding&&) noexcept;
  Held take(const Bar& bar, const ValueOf& value_of);
  void keep(Archive& archive);

 private:
  struct Level {
    int side = 0;                // of the value: 1 above, -1 below, 0 on it
    bool is_left_above = false;  // it has gone so far above that a way back counts
    bool is_left_below = false;
  };
  Level compare(const Value& left, const Value& right) const;
  Held take_level(const ValueOf& value_of);
  Held take_crossing(const ValueOf& value_of);
  Held take_move(const Bar& bar);
  Held take_spike(const Bar& bar);
  Held take_unusual(const Bar& bar);

  const Condition& condition_;
  Decimal clear_;  // percent
  bool on_ = false;
  bool armed_up_ = false;
  bool armed_down_ = false;
  Window window_;
  Ring volumes_;
  std::unique_ptr<series::Detector> detector_;  // of `close is unusual`
  double close_before_ = unknown;
};

}  // namespace vigil::entities::market
