// The order of Maven, by its description: tokens with the mark before them, null values trimmed.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "entities/deps/version_parts.hpp"

namespace vigil::entities::deps {
namespace {

struct Token {
  char mark;  // '.' or '-'
  std::string text;
};

bool is_null(const Token& token) {
  return token.text.empty() || (all_digits(token.text) && compare_numbers(token.text, "") == 0);
}

// One spelling for each qualifier; a release has none.
std::string qualifier_of(std::string_view word, bool before_number) {
  std::string name(word);
  std::ranges::transform(name, name.begin(), lower);
  if (name == "cr") return "rc";
  if (name == "final" || name == "ga" || name == "release") return "";
  if (!before_number) return name;
  if (name == "a") return "alpha";
  if (name == "b") return "beta";
  return name == "m" ? "milestone" : name;
}

std::vector<Token> split(std::string_view text) {
  std::vector<Token> tokens;
  char mark = '-';
  while (true) {
    if (!text.empty() && is_digit(text.front())) {
      tokens.push_back({mark, std::string(take_digits(text))});
    } else {
      std::size_t size = 0;
      const auto ends = [](char c) { return is_digit(c) || c == '.' || c == '-' || c == '_'; };
      while (size < text.size() && !ends(text[size])) ++size;
      const auto word = text.substr(0, size);
      text.remove_prefix(size);
      const bool before_number = !text.empty() && is_digit(text.front());
      tokens.push_back({mark, size == 0 ? "0" : qualifier_of(word, before_number)});
    }
    if (text.empty()) return tokens;
    const char next = text.front();
    mark = next == '.' ? '.' : '-';
    if (next == '.' || next == '-' || next == '_') text.remove_prefix(1);
  }
}

// Null values at the end of the version and before each hyphen say nothing.
std::vector<Token> trimmed(const std::vector<Token>& tokens) {
  std::vector<Token> kept;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && tokens[i].mark == '-') {
      while (kept.size() > 1 && is_null(kept.back())) kept.pop_back();
    }
    kept.push_back(tokens[i]);
  }
  while (kept.size() > 1 && is_null(kept.back())) kept.pop_back();
  return kept;
}

int rank_of(const std::string& word) {
  constexpr std::array<std::string_view, 7> known{"alpha",    "beta", "milestone", "rc",
                                                  "snapshot", "",     "sp"};
  return static_cast<int>(std::ranges::find(known, word) - known.begin());
}

// ".word" = "-word" < "-number" < ".number"
std::weak_ordering compare_tokens(const Token& a, const Token& b) {
  const bool number_a = all_digits(a.text);
  const bool number_b = all_digits(b.text);
  if (number_a != number_b) return number_a <=> number_b;
  if (number_a) {
    if (a.mark != b.mark) return (a.mark == '.') <=> (b.mark == '.');
    return compare_numbers(a.text, b.text);
  }
  if (const auto order = rank_of(a.text) <=> rank_of(b.text); order != 0) return order;
  return compare_bytes(a.text, b.text);
}

Token padding_for(const Token& other) {
  return other.mark == '.' && all_digits(other.text) ? Token{'.', "0"} : Token{'-', ""};
}

}  // namespace

std::weak_ordering compare_maven(std::string_view a, std::string_view b) {
  const auto left = trimmed(split(a));
  const auto right = trimmed(split(b));
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    const auto one = i < left.size() ? left[i] : padding_for(right[i]);
    const auto other = i < right.size() ? right[i] : padding_for(left[i]);
    if (const auto order = compare_tokens(one, other); order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

bool is_maven_prerelease(std::string_view version) {
  return std::ranges::any_of(split(version), [](const Token& token) {
    return !token.text.empty() && !all_digits(token.text) && rank_of(token.text) < rank_of("");
  });
}

}  // namespace vigil::entities::deps
