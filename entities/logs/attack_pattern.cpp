#include "entities/logs/attack_pattern.hpp"

#include <algorithm>

#include "entities/logs/scan.hpp"

namespace vigil::entities::logs {
namespace {

constexpr int steps_max = 50'000;
constexpr std::size_t host_bytes_max = 255;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool starts_with_folded(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::ranges::equal(text.substr(0, word.size()), word,
                            [](char a, char b) { return lower(a) == lower(b); });
}

bool is_ipv4(std::string_view text) {
  int parts = 0;
  while (true) {
    const auto end = std::min(text.find('.'), text.size());
    const auto part = text.substr(0, end);
    if (part.empty() || part.size() > 3 || !std::ranges::all_of(part, is_digit)) return false;
    ++parts;
    if (end == text.size()) return parts == 4;
    text.remove_prefix(end + 1);
  }
}

bool is_ipv6(std::string_view text) {
  if (std::ranges::count(text, ':') < 2 || text.contains(":::")) return false;
  const bool is_short = text.contains("::");
  int groups = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(':', at), text.size());
    const auto group = text.substr(at, end - at);
    if (end == text.size() && group.contains('.')) return is_ipv4(group) && groups <= 6;
    if (group.size() > 4 || !std::ranges::all_of(group, is_hex)) return false;
    if (!group.empty()) ++groups;
    at = end + 1;
  }
  return text.back() != ':' || text.ends_with("::") ? is_short ? groups < 8 : groups == 8 : false;
}

bool is_address_char(char c) { return is_hex(c) || c == '.' || c == ':'; }
bool is_host_char(char c) { return is_alnum(c) || c == '.' || c == '-' || c == '_'; }
bool is_not_blank(char c) { return !is_blank(c); }
bool is_in_field(char c) { return c != '|'; }

enum class Prefer { longest, shortest };  // of what a stranger wrote

class Matcher {
 public:
  Matcher(std::string_view pattern, std::string_view text, Prefer prefer)
      : pattern_(pattern), text_(text), prefer_(prefer) {}

  bool run() { return match(0, 0); }
  bool gave_up() const { return steps_ > steps_max; }
  std::string host;

 private:
  bool match(std::size_t p, std::size_t t) {
    while (true) {
      if (++steps_ > steps_max) return false;
      if (p >= pattern_.size()) return t == text_.size();
      if (pattern_[p] != '%') {
        if (t >= text_.size() || lower(pattern_[p]) != lower(text_[t])) return false;
        ++p;
        ++t;
        continue;
      }
      return match_hole(pattern_[p + 1], p + 2, t);
    }
  }

  bool match_hole(char hole, std::size_t p, std::size_t t) {
    switch (hole) {
      case '*':
        return prefer_ == Prefer::longest ? longest(p, t, text_.size()) : shortest(p, t);
      case '?':
        return shortest(p, t);
      case 'w':
        return longest(p, t, run_end(t, is_not_blank));
      case 'f':
        return longest(p, t, run_end(t, is_in_field));
      case 'n': {
        const auto end = run_end(t, is_digit);
        return end > t && match(p, end);
      }
      case '_':
        return match(p, run_end(t, is_blank));
      case 'o':
        return match_port(p, t);
      case 'c':
        return match_code(p, t);
      case '{':
        return match_choice(p, t);
      default:
        return match_host(hole, p, t);
    }
  }

  std::size_t run_end(std::size_t t, bool (*wanted)(char)) const {
    while (t < text_.size() && wanted(text_[t])) ++t;
    return t;
  }

  bool longest(std::size_t p, std::size_t t, std::size_t end) {
    if (p >= pattern_.size()) return end == text_.size();
    for (std::size_t at = end + 1; at-- > t;) {
      if (match(p, at)) return true;
      if (steps_ > steps_max) return false;
    }
    return false;
  }
  bool shortest(std::size_t p, std::size_t t) {
    if (p >= pattern_.size()) return true;
    for (std::size_t at = t; at <= text_.size(); ++at) {
      if (match(p, at)) return true;
      if (steps_ > steps_max) return false;
    }
    return false;
  }

  bool match_port(std::size_t p, std::size_t t) {
    if (t < text_.size() && text_[t] == ':') {
      const auto end = run_end(t + 1, is_digit);
      if (end > t + 1 && match(p, end)) return true;
    }
    return match(p, t);
  }
  bool match_code(std::size_t p, std::size_t t) {
    if (text_.substr(t).starts_with("AH")) {
      const auto end = run_end(t + 2, is_digit);
      if (text_.substr(end).starts_with(": ") && match(p, end + 2)) return true;
    }
    return match(p, t);
  }
  bool match_choice(std::size_t p, std::size_t t) {
    const auto close = pattern_.find('}', p);
    auto words = pattern_.substr(p, close - p);
    while (true) {
      const auto bar = std::min(words.find('|'), words.size());
      const auto word = words.substr(0, bar);
      if (starts_with_folded(text_.substr(t), word) && match(close + 1, t + word.size())) {
        return true;
      }
      if (bar == words.size()) return false;
      words.remove_prefix(bar + 1);
    }
  }

  bool match_host(char hole, std::size_t p, std::size_t t) {
    if (t > 0 && (is_host_char(text_[t - 1]) || text_[t - 1] == ':') && starts_inside(t)) {
      return false;
    }
    std::size_t begin = t;
    const bool is_bracketed = begin < text_.size() && text_[begin] == '[';
    if (is_bracketed) ++begin;
    if (starts_with_folded(text_.substr(begin), "IPv6:")) begin += 5;
    for (const auto wanted : {is_address_char, is_host_char}) {
      const bool is_name = wanted == is_host_char;
      if (is_name && (hole == 'a' || is_bracketed)) break;
      const auto end = std::min(run_end(begin, wanted), begin + host_bytes_max);
      for (std::size_t at = end; at > begin; --at) {
        const auto found = text_.substr(begin, at - begin);
        if (is_name ? !is_name_of_host(found) : !is_address(found)) continue;
        if (is_bracketed && (at >= text_.size() || text_[at] != ']')) continue;
        if (try_host(hole, p, at + (is_bracketed ? 1 : 0), found)) return true;
      }
    }
    return false;
  }
  // In the middle of a longer word, such as 4 in 192.0.2.4: not where an address begins.
  bool starts_inside(std::size_t t) const {
    return t < text_.size() && is_alnum(text_[t]) && is_alnum(text_[t - 1]);
  }
  static bool is_name_of_host(std::string_view name) {
    return is_alnum(name.front()) && is_alnum(name.back());
  }
  bool try_host(char hole, std::size_t p, std::size_t t, std::string_view found) {
    const auto before = host;
    if (hole != 'x' && host.empty()) host = plain_address(found);
    if (match(p, t)) return true;
    host = before;
    return false;
  }

  std::string_view pattern_;
  std::string_view text_;
  Prefer prefer_;
  int steps_ = 0;
};

// Strangers wrote on both sides of the address, so that either side may hold a false one.
bool is_open_on_both_sides(std::string_view pattern) {
  const auto host = std::min(pattern.find("%a"), pattern.find("%h"));
  return host != std::string_view::npos && pattern.substr(0, host).contains("%*") &&
         pattern.substr(host).contains("%*");
}

}  // namespace

std::string needle_of(std::string_view pattern) {
  std::string best;
  std::string piece;
  for (std::size_t at = 0; at <= pattern.size(); ++at) {
    const bool is_end = at == pattern.size() || pattern[at] == '%';
    if (!is_end) {
      piece += lower(pattern[at]);
      continue;
    }
    if (piece.size() > best.size()) best = piece;
    piece.clear();
    if (at + 1 < pattern.size() && pattern[at + 1] == '{')
      at = pattern.find('}', at);
    else
      ++at;
  }
  return best;
}

bool is_address(std::string_view text) { return is_ipv4(text) || is_ipv6(text); }

std::string plain_address(std::string_view text) {
  if (starts_with_folded(text, "::ffff:") && is_ipv4(text.substr(7))) text.remove_prefix(7);
  return std::string(text);
}

std::optional<PatternMatch> match_pattern(std::string_view pattern, std::string_view text) {
  if (text.size() > attack_text_bytes_max) return std::nullopt;
  Matcher longest(pattern, text, Prefer::longest);
  if (!longest.run() || longest.gave_up()) return std::nullopt;
  if (is_open_on_both_sides(pattern)) {
    Matcher shortest(pattern, text, Prefer::shortest);
    if (!shortest.run() || shortest.gave_up() || shortest.host != longest.host) return std::nullopt;
  }
  return PatternMatch{std::move(longest.host)};
}

}  // namespace vigil::entities::logs
