#include "entities/deps/requirement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "entities/deps/version.hpp"
#include "entities/deps/version_parts.hpp"

namespace vigil::entities::deps {
namespace {

constexpr std::size_t requirement_bytes_max = 1024;

std::weak_ordering compare(std::string_view a, std::string_view b) {
  return compare_versions(VersionScheme::semver, a, b);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// A version as dependents write it, short ones too: 0.3 has two numbers, 1.x has one, * none.
struct Parts {
  std::array<std::uint64_t, 3> numbers{};
  std::size_t given = 0;
  std::string rest;  // "-alpha.1"
};

std::optional<Parts> parts_of(std::string_view text) {
  Parts parts;
  if (text.starts_with('v')) text.remove_prefix(1);
  while (parts.given < 3) {
    if (text == "x" || text == "X" || text == "*" || text.starts_with("x.") ||
        text.starts_with("X.") || text.starts_with("*.")) {
      return parts;
    }
    const auto digits = take_digits(text);
    if (digits.empty() || digits.size() > 15) return std::nullopt;
    for (const char digit : digits) {
      auto& number = parts.numbers[parts.given];
      number = number * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    ++parts.given;
    if (!text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  if (!text.empty() && text.front() != '-' && text.front() != '+') return std::nullopt;
  parts.rest = text.substr(0, text.find('+'));
  return parts;
}

std::string written(const Parts& parts) {
  return fmt::format("{}.{}.{}{}", parts.numbers[0], parts.numbers[1], parts.numbers[2],
                     parts.rest);
}

// The first version with that number one higher, those before its release included.
std::string next_series(Parts parts, std::size_t number) {
  ++parts.numbers[number];
  for (auto i = number + 1; i < 3; ++i) parts.numbers[i] = 0;
  parts.rest = "-0";
  return written(parts);
}

// The first version behind this one; of a short one, behind its whole series.
std::string behind(const Parts& parts) {
  if (parts.given < 3) return next_series(parts, parts.given - 1);
  return parts.rest.empty() ? next_series(parts, 2) : written(parts) + ".0";
}

std::optional<Span> span_of(Dialect dialect, std::string_view comparator) {
  std::string_view sign;
  for (const std::string_view known : {">=", "<=", ">", "<", "^", "~>", "~", "="}) {
    if (comparator.starts_with(known)) {
      sign = known;
      break;
    }
  }
  const auto parts = parts_of(trimmed(comparator.substr(sign.size())));
  if (!parts) return std::nullopt;
  if (parts->given == 0) return Span{};
  const auto from = written(*parts);
  if (sign == ">=") return Span{from, {}};
  if (sign == ">") return Span{behind(*parts), {}};
  if (sign == "<") return Span{{}, from};
  if (sign == "<=") return Span{{}, behind(*parts)};
  if (sign == "=" || (sign.empty() && dialect == Dialect::npm)) return Span{from, behind(*parts)};
  if (sign.starts_with('~')) {
    return Span{from, next_series(*parts, std::min<std::size_t>(parts->given, 2) - 1)};
  }
  std::size_t first = 0;  // caret: the first number that is not 0, or the last one given
  while (first + 1 < parts->given && parts->numbers[first] == 0) ++first;
  return Span{from, next_series(*parts, first)};
}

void narrow(Span& all, const Span& by) {
  if (!by.from.empty() && (all.from.empty() || compare(by.from, all.from) > 0)) all.from = by.from;
  if (!by.to.empty() && (all.to.empty() || compare(by.to, all.to) < 0)) all.to = by.to;
}

// "1.2.3 - 2.3" is from the first up to the last one.
std::optional<Span> hyphen_span(std::string_view text, std::size_t at) {
  const auto low = span_of(Dialect::npm, fmt::format(">={}", trimmed(text.substr(0, at))));
  const auto high = span_of(Dialect::npm, fmt::format("<={}", trimmed(text.substr(at + 3))));
  if (!low || !high) return std::nullopt;
  return Span{low->from, high->to};
}

// All comparators of an alternative hold at once.
std::optional<Span> alternative(Dialect dialect, std::string_view text) {
  text = trimmed(text);
  const auto hyphen = text.find(" - ");
  if (dialect == Dialect::npm && hyphen != std::string_view::npos) return hyphen_span(text, hyphen);
  const char separator = dialect == Dialect::cargo ? ',' : ' ';
  Span all;
  while (!text.empty()) {
    // ">= 1.2" is one comparator: the space behind a sign parts nothing.
    const auto version = std::min(text.find_first_not_of("<>=^~ "), text.size());
    const auto end = std::min(text.find(separator, version), text.size());
    const auto one = span_of(dialect, trimmed(text.substr(0, end)));
    if (!one) return std::nullopt;
    narrow(all, *one);
    text = trimmed(text.substr(std::min(end + 1, text.size())));
  }
  return all;
}

}  // namespace

std::optional<std::vector<Span>> spans_of(Dialect dialect, std::string_view requirement) {
  if (requirement.size() > requirement_bytes_max) return std::nullopt;
  if (dialect == Dialect::cargo && trimmed(requirement).empty()) return std::nullopt;
  std::vector<Span> spans;
  while (true) {
    const auto bars = dialect == Dialect::npm ? requirement.find("||") : std::string_view::npos;
    const auto one = alternative(dialect, requirement.substr(0, bars));
    if (!one) return std::nullopt;
    spans.push_back(*one);
    if (bars == std::string_view::npos) return spans;
    requirement.remove_prefix(bars + 2);
  }
}

bool allows(Dialect dialect, std::string_view requirement, std::string_view version) {
  const auto spans = spans_of(dialect, requirement);
  return spans && std::ranges::any_of(*spans, [&](const Span& span) {
           return (span.from.empty() || compare(version, span.from) >= 0) &&
                  (span.to.empty() || compare(version, span.to) < 0);
         });
}

}  // namespace vigil::entities::deps
