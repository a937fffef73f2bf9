#include "core/decimal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/log.hpp"

namespace vigil {
namespace {

constexpr int places = 18;
constexpr int whole_digits_max = 18;
constexpr int exponent_max = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<Decimal> Decimal::parse(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::invalid_input, fmt::format("{} {}", quoted(text.substr(0, 60)), why));
  };
  auto rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  std::string digits;
  int point = -1;  // how many digits stand before it
  while (!rest.empty() && (is_digit(rest.front()) || rest.front() == '.')) {
    if (rest.front() == '.') {
      if (point >= 0) return refuse("is no number");
      point = static_cast<int>(digits.size());
    } else {
      if (digits.size() >= 200) return refuse("has too many digits");
      digits += rest.front();
    }
    rest.remove_prefix(1);
  }
  if (digits.empty()) return refuse("is no number");
  if (point < 0) point = static_cast<int>(digits.size());
  if (!rest.empty()) {
    if (rest.front() != 'e' && rest.front() != 'E') return refuse("is no number");
    rest.remove_prefix(1);
    if (rest.starts_with('+')) rest.remove_prefix(1);
    int exponent = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
    if (rest.empty() || error != std::errc{} || end != rest.data() + rest.size()) {
      return refuse("is no number");
    }
    if (std::abs(exponent) > exponent_max) return refuse("is out of range");
    point += exponent;
  }
  // Zeros at the front count for nothing, wherever the point is.
  const auto first = digits.find_first_not_of('0');
  if (first == std::string::npos) return Decimal();
  digits.erase(0, first);
  point -= static_cast<int>(first);
  while (digits.ends_with('0')) digits.pop_back();
  if (point > whole_digits_max) return refuse("is too large");
  if (static_cast<int>(digits.size()) - point > places) {
    return refuse("has more than 18 digits behind the point");
  }
  Decimal out;
  for (const char c : digits) out.atoms_ = out.atoms_ * 10 + (c - '0');
  for (auto at = static_cast<int>(digits.size()); at < point + places; ++at) out.atoms_ *= 10;
  if (negative) out.atoms_ = -out.atoms_;
  return out;
}

bool Decimal::add(const Decimal& other) {
  Atoms sum = 0;
  if (__builtin_add_overflow(atoms_, other.atoms_, &sum)) return false;
  atoms_ = sum;
  return true;
}

Decimal Decimal::operator-() const {
  Decimal out;
  out.atoms_ = -atoms_;
  return out;
}

// By parts, so that no step needs more than 128 bits: (w + f) (v + g) with whole w, v and fractions
// f, g is wv + wg + fv + fg.
std::optional<Decimal> Decimal::times(const Decimal& other) const {
  constexpr Atoms one = 1'000'000'000'000'000'000;
  const bool negative = is_negative() != other.is_negative();
  const Atoms left = is_negative() ? -atoms_ : atoms_;
  const Atoms right = other.is_negative() ? -other.atoms_ : other.atoms_;
  const Atoms w = left / one, f = left % one, v = right / one, g = right % one;
  Atoms whole = 0;
  Atoms sum = 0;
  if (__builtin_mul_overflow(w, v, &whole) || __builtin_mul_overflow(whole, one, &whole)) {
    return std::nullopt;
  }
  if (__builtin_add_overflow(w * g, f * v, &sum) || __builtin_add_overflow(sum, whole, &sum) ||
      __builtin_add_overflow(sum, (f * g + one / 2) / one, &sum)) {
    return std::nullopt;
  }
  Decimal out;
  out.atoms_ = negative ? -sum : sum;
  return out;
}

std::string Decimal::text() const {
  if (atoms_ == 0) return "0";
  std::string digits;
  for (Atoms left = atoms_; left != 0; left /= 10) {
    const int digit = static_cast<int>(left % 10);
    digits += static_cast<char>('0' + std::abs(digit));
  }
  while (digits.size() <= places) digits += '0';
  std::ranges::reverse(digits);
  digits.insert(digits.size() - places, ".");
  while (digits.ends_with('0')) digits.pop_back();
  if (digits.ends_with('.')) digits.pop_back();
  return (atoms_ < 0 ? "-" : "") + digits;
}

double Decimal::number() const { return std::strtod(text().c_str(), nullptr); }

}  // namespace vigil
