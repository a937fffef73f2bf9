#include "entities/deps/rustsec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "entities/deps/toml_values.hpp"
#include "entities/deps/version.hpp"
#include "entities/deps/version_parts.hpp"

namespace vigil::entities::deps {
namespace {

constexpr std::size_t requirements_max = 1000;

// Versions from `from` on and before `to`; empty: without bound on that side.
struct Span {
  std::string from;
  std::string to;
};

std::weak_ordering compare(std::string_view a, std::string_view b) {
  return compare_versions(VersionScheme::semver, a, b);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// A version as Cargo writes it, short ones too: 0.3 has two numbers.
struct Parts {
  std::array<std::uint64_t, 3> numbers{};
  std::size_t given = 0;
  std::string_view rest;  // "-alpha.1"
};

std::optional<Parts> parts_of(std::string_view text) {
  Parts parts;
  while (parts.given < 3) {
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

// The first version behind this one.
std::string next_version(const Parts& parts) {
  return parts.rest.empty() ? next_series(parts, 2) : written(parts) + ".0";
}

std::optional<Span> span_of(std::string_view comparator) {
  std::string_view sign;
  for (const std::string_view known : {">=", "<=", ">", "<", "^", "~", "="}) {
    if (comparator.starts_with(known)) {
      sign = known;
      break;
    }
  }
  const auto parts = parts_of(trimmed(comparator.substr(sign.size())));
  if (!parts) return std::nullopt;
  // ">= 0.3" means 0.3.0; "> 0.3" and "<= 0.3" mean the whole series.
  const auto from = written(*parts);
  const auto behind =
      parts->given < 3 ? next_series(*parts, parts->given - 1) : next_version(*parts);
  if (sign == ">=") return Span{from, {}};
  if (sign == ">") return Span{behind, {}};
  if (sign == "<") return Span{{}, from};
  if (sign == "<=") return Span{{}, behind};
  if (sign == "=") return Span{from, behind};
  if (sign == "~")
    return Span{from, next_series(*parts, std::min<std::size_t>(parts->given, 2) - 1)};
  std::size_t first = 0;  // caret: the first number that is not 0, or the last one given
  while (first + 1 < parts->given && parts->numbers[first] == 0) ++first;
  return Span{from, next_series(*parts, first)};
}

// All comparators of a requirement hold at once.
std::optional<Span> requirement(std::string_view text) {
  Span all;
  while (true) {
    const auto comma = text.find(',');
    const auto one = span_of(trimmed(text.substr(0, comma)));
    if (!one) return std::nullopt;
    if (!one->from.empty() && (all.from.empty() || compare(one->from, all.from) > 0)) {
      all.from = one->from;
    }
    if (!one->to.empty() && (all.to.empty() || compare(one->to, all.to) < 0)) all.to = one->to;
    if (comma == std::string_view::npos) return all;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<std::vector<Interval>> outside_requirements(const std::vector<std::string>& requirements) {
  std::vector<Span> taken;
  for (const auto& text : requirements) {
    const auto span = trimmed(text) == "*" ? Span{} : requirement(text);
    if (!span || taken.size() >= requirements_max) {
      return fail(ErrorCode::invalid_input, fmt::format("\"{}\" is no requirement of versions",
                                                        codebase::one_line(text, 60)));
    }
    taken.push_back(*span);
  }
  sort_versions(taken, [](const Span& a, const Span& b) {
    if (a.from.empty() || b.from.empty()) return a.from.empty() && !b.from.empty();
    return compare(a.from, b.from) < 0;
  });
  std::vector<Interval> left;
  std::string at = "0";
  for (const auto& [from, to] : taken) {
    if (!from.empty() && (at == "0" || compare(at, from) < 0)) {
      left.push_back({at, from, Ends::before});
    }
    if (to.empty()) return left;
    if (at == "0" || compare(at, to) < 0) at = to;
  }
  left.push_back({at, {}, Ends::never});
  return left;
}

Result<Advisory> read_rustsec(std::string_view text) {
  constexpr std::string_view opens = "```toml";
  const auto from = text.find(opens);
  const auto to = text.find("\n```", from == std::string_view::npos ? 0 : from + opens.size());
  if (from == std::string_view::npos || to == std::string_view::npos) {
    return fail(ErrorCode::invalid_input, "no block of TOML in front: expected a RustSec advisory");
  }
  auto values = read_toml_values(text.substr(from + opens.size(), to - from - opens.size()));
  if (!values) return std::unexpected(values.error());
  Advisory advisory;
  advisory.id = codebase::one_line(values->text("advisory.id"));
  Affected affected;
  affected.ecosystem = "crates.io";
  affected.name = values->text("advisory.package");
  if (advisory.id.empty() || affected.name.empty()) {
    return fail(ErrorCode::invalid_input, "an advisory needs an id and a package");
  }
  advisory.withdrawn = !values->text("advisory.withdrawn").empty();
  advisory.aliases = values->texts("advisory.aliases");
  const auto title = text.find("\n# ", to);
  if (title != std::string_view::npos) {
    advisory.summary = codebase::one_line(
        text.substr(title + 3, text.find('\n', title + 3) - title - 3), summary_bytes_max);
  }
  const auto kind = values->text("advisory.informational");
  if (const auto score = cvss_score(values->text("advisory.cvss"))) {
    advisory.severity = severity_of_score(*score);
  } else if (!kind.empty()) {
    // Unmaintained or a notice: no flaw. Unsound: one that takes odd code to meet.
    advisory.severity = kind == "unsound" ? Severity::low : Severity::info;
  }
  auto safe = values->texts("versions.patched");
  std::ranges::move(values->texts("versions.unaffected"), std::back_inserter(safe));
  auto intervals = outside_requirements(safe);
  if (!intervals) return std::unexpected(intervals.error());
  affected.intervals = std::move(*intervals);
  advisory.affected.push_back(std::move(affected));
  return advisory;
}

}  // namespace vigil::entities::deps
