// The order of PEP 440, and the one that setuptools had before it for what PEP 440 does not know.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "entities/deps/version_parts.hpp"

namespace vigil::entities::deps {
namespace {

using Parts = std::vector<std::string_view>;

struct Pep440 {
  std::string_view epoch;
  Parts release;
  std::optional<std::pair<char, std::string_view>> pre;  // a, b or c (for rc), and its number
  std::optional<std::string_view> post;
  std::optional<std::string_view> dev;
  Parts local;
};

void take_separator(std::string_view& text) {
  if (!text.empty() && (text.front() == '.' || text.front() == '-' || text.front() == '_')) {
    text.remove_prefix(1);
  }
}

// One of the words and its number, with separators around; the text is left alone otherwise.
std::optional<std::pair<std::string_view, std::string_view>> take_marked(
    std::string_view& text, std::initializer_list<std::string_view> words) {
  auto rest = text;
  take_separator(rest);
  const auto word = take_letters(rest);
  if (word.empty() || std::ranges::find(words, word) == words.end()) return std::nullopt;
  auto after = rest;
  take_separator(after);
  const auto number = take_digits(after);
  text = number.empty() ? rest : after;
  return std::pair{word, number};
}

bool take_local(std::string_view text, Parts& local) {
  while (true) {
    std::size_t size = 0;
    while (size < text.size() && (is_digit(text[size]) || is_letter(text[size]))) ++size;
    if (size == 0) return false;
    local.push_back(text.substr(0, size));
    text.remove_prefix(size);
    if (text.empty()) return true;
    if (text.front() != '.' && text.front() != '-' && text.front() != '_') return false;
    text.remove_prefix(1);
  }
}

// The text is in lower case and without space around.
std::optional<Pep440> read_pep440(std::string_view text) {
  Pep440 version;
  if (text.starts_with('v')) text.remove_prefix(1);
  auto rest = text;
  const auto epoch = take_digits(rest);
  if (!epoch.empty() && rest.starts_with('!')) {
    version.epoch = epoch;
    text = rest.substr(1);
  }
  while (true) {
    const auto number = take_digits(text);
    if (number.empty()) return std::nullopt;
    version.release.push_back(number);
    if (text.size() < 2 || text.front() != '.' || !is_digit(text[1])) break;
    text.remove_prefix(1);
  }
  if (auto pre = take_marked(text, {"a", "b", "c", "rc", "alpha", "beta", "pre", "preview"})) {
    const char kind = pre->first.front();
    version.pre = {kind == 'r' || kind == 'p' ? 'c' : kind, pre->second};
  }
  if (auto post = take_marked(text, {"post", "rev", "r"})) {
    version.post = post->second;
  } else if (text.size() > 1 && text.front() == '-' && is_digit(text[1])) {
    text.remove_prefix(1);
    version.post = take_digits(text);
  }
  if (auto dev = take_marked(text, {"dev"})) version.dev = dev->second;
  if (text.starts_with('+')) {
    if (!take_local(text.substr(1), version.local)) return std::nullopt;
    text = {};
  }
  return text.empty() ? std::optional(version) : std::nullopt;
}

// Without a mark before the release: dev releases come before alphas, everything else after.
int pre_rank(const Pep440& version) {
  if (version.pre) return version.pre->first;
  return !version.post && version.dev ? 0 : 1000;
}

std::weak_ordering compare_locals(const Parts& a, const Parts& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const bool number_a = all_digits(a[i]);
    const bool number_b = all_digits(b[i]);
    if (number_a != number_b) return number_a <=> number_b;
    const auto order = number_a ? compare_numbers(a[i], b[i]) : compare_bytes(a[i], b[i]);
    if (order != 0) return order;
  }
  return a.size() <=> b.size();
}

std::weak_ordering compare(const Pep440& a, const Pep440& b) {
  if (const auto order = compare_numbers(a.epoch, b.epoch); order != 0) return order;
  if (const auto order = compare_cores(a.release, b.release); order != 0) return order;
  if (const auto order = pre_rank(a) <=> pre_rank(b); order != 0) return order;
  if (a.pre && b.pre) {
    const auto order = compare_numbers(a.pre->second, b.pre->second);
    if (order != 0) return order;
  }
  if (a.post.has_value() != b.post.has_value()) return a.post.has_value() <=> b.post.has_value();
  if (a.post) {
    if (const auto order = compare_numbers(*a.post, *b.post); order != 0) return order;
  }
  if (a.dev.has_value() != b.dev.has_value()) return b.dev.has_value() <=> a.dev.has_value();
  if (a.dev) {
    if (const auto order = compare_numbers(*a.dev, *b.dev); order != 0) return order;
  }
  return compare_locals(a.local, b.local);
}

// Numbers as they are, words behind a star; so that "*final" sorts before other words as it did.
std::vector<std::string> legacy_parts(std::string_view text) {
  std::vector<std::string> parts;
  const auto add = [&](std::string part) {
    if (part.starts_with('*')) {
      if (part < "*final") {
        while (!parts.empty() && parts.back() == "*final-") parts.pop_back();
      }
      while (!parts.empty() && compare_numbers(parts.back(), "") == 0) parts.pop_back();
    }
    parts.push_back(std::move(part));
  };
  while (!text.empty()) {
    if (is_digit(text.front())) {
      add(std::string(take_digits(text)));
    } else if (is_letter(text.front())) {
      auto word = take_letters(text);
      if (word == "pre" || word == "preview" || word == "rc") word = "c";
      add("*" + std::string(word == "dev" ? "@" : word));
    } else {
      const char mark = text.front();
      text.remove_prefix(1);
      if (mark == '-') {
        add("*final-");
      } else if (mark != '.') {
        add("*" + std::string(1, mark));
      }
    }
  }
  add("*final");
  return parts;
}

std::weak_ordering compare_legacy(std::string_view a, std::string_view b) {
  const auto left = legacy_parts(a);
  const auto right = legacy_parts(b);
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    const bool numbers = all_digits(left[i]) && all_digits(right[i]);
    const auto order =
        numbers ? compare_numbers(left[i], right[i]) : compare_bytes(left[i], right[i]);
    if (order != 0) return order;
  }
  return left.size() <=> right.size();
}

std::string normal(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

}  // namespace

std::weak_ordering compare_pypi(std::string_view a, std::string_view b) {
  const auto left = normal(a);
  const auto right = normal(b);
  const auto one = read_pep440(left);
  const auto other = read_pep440(right);
  if (one && other) return compare(*one, *other);
  if (one || other) return one.has_value() <=> other.has_value();
  return compare_legacy(left, right);
}

bool is_pypi_prerelease(std::string_view version) {
  const auto text = normal(version);
  const auto read = read_pep440(text);
  return !read || read->pre || read->dev;
}

}  // namespace vigil::entities::deps
