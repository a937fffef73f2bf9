#include "core/exact_json.hpp"

#include <algorithm>

namespace vigil {
namespace {

constexpr std::string_view of_numbers = "+-.0123456789eE";

bool begins_number(char c) { return c == '-' || (c >= '0' && c <= '9'); }

// Only what JSON calls a number is quoted; the rest stays, for the parser to refuse.
bool is_number(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const auto from = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - from;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const bool zero = at < text.size() && text[at] == '0';
  const auto whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

}  // namespace

std::string with_numbers_as_text(std::string_view document) {
  std::string out;
  out.reserve(document.size() + document.size() / 8);
  std::size_t at = 0;
  while (at < document.size()) {
    const char c = document[at];
    std::size_t end = at + 1;
    if (c == '"') {
      while (end < document.size() && document[end] != '"') end += document[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, document.size());
    } else if (begins_number(c)) {
      end = std::min(document.find_first_not_of(of_numbers, at), document.size());
      const auto number = document.substr(at, end - at);
      if (is_number(number)) {
        out += '"';
        out += number;
        out += '"';
        at = end;
        continue;
      }
    }
    out += document.substr(at, end - at);
    at = end;
  }
  return out;
}

Result<json::value> parse_exact_json(std::string_view text) {
  return parse_payload(with_numbers_as_text(text));
}

}  // namespace vigil
