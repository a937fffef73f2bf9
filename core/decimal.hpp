#pragma once
// Money and prices: exact decimals with 18 digits behind the point, never binary fractions. A
// value; any thread.
#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace vigil {

class Decimal {
 public:
  Decimal() = default;

  // "12.50", "-.5", "1.940E-8". Fails on what is no number, on more than 18 digits behind the point
  // that are not zero, and from 10^18 on.
  static Result<Decimal> parse(std::string_view text);

  // Left as it was, and false, when the sum does not fit: beyond about 10^20.
  [[nodiscard]] bool add(const Decimal& other);
  Decimal operator-() const;
  // Rounded to 18 digits, half away from zero; nothing when it does not fit.
  std::optional<Decimal> times(const Decimal& other) const;

  bool is_zero() const { return atoms_ == 0; }
  bool is_negative() const { return atoms_ < 0; }
  std::string text() const;  // the shortest: 12.5, -0.00000001, 0
  double number() const;     // the nearest, for what is measured and drawn

  friend auto operator<=>(const Decimal&, const Decimal&) = default;

 private:
  __extension__ using Atoms = __int128;  // of 10^-18
  Atoms atoms_ = 0;
};

}  // namespace vigil
