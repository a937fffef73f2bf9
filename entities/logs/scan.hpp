#pragma once
// A place in a line that moves forward as its parts are recognised. No allocation, no backtracking
// of its own: a reader copies it to look ahead.
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace vigil::entities::logs {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
constexpr bool is_alnum(char c) { return is_digit(c) || is_letter(c); }
constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

struct Scan {
  std::string_view text;
  std::size_t at = 0;

  char peek(std::size_t ahead = 0) const {
    return at + ahead < text.size() ? text[at + ahead] : '\0';
  }
  bool is_over() const { return at >= text.size(); }
  std::string_view rest() const { return text.substr(std::min(at, text.size())); }

  bool take(char wanted) {
    if (peek() != wanted || is_over()) return false;
    ++at;
    return true;
  }
  bool take(std::string_view wanted) {
    if (!rest().starts_with(wanted)) return false;
    at += wanted.size();
    return true;
  }
  bool take_any(std::string_view wanted) {
    if (is_over() || wanted.find(peek()) == std::string_view::npos) return false;
    ++at;
    return true;
  }
  std::size_t skip_blanks() {
    const auto before = at;
    while (!is_over() && is_blank(peek())) ++at;
    return at - before;
  }
  // Between `least` and `most` digits, and no digit after them; leaves the place when there is
  // none.
  std::optional<int> number(int least, int most) {
    int value = 0;
    int count = 0;
    while (count < most && is_digit(peek(static_cast<std::size_t>(count)))) {
      value = value * 10 + (peek(static_cast<std::size_t>(count)) - '0');
      ++count;
    }
    if (count < least || is_digit(peek(static_cast<std::size_t>(count)))) return std::nullopt;
    at += static_cast<std::size_t>(count);
    return value;
  }
};

}  // namespace vigil::entities::logs
