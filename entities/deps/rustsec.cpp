#include "entities/deps/rustsec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "entities/deps/requirement.hpp"
#include "entities/deps/toml_values.hpp"
#include "entities/deps/version.hpp"

namespace vigil::entities::deps {
namespace {

constexpr std::size_t requirements_max = 1000;

std::weak_ordering compare(std::string_view a, std::string_view b) {
  return compare_versions(VersionScheme::semver, a, b);
}

}  // namespace

Result<std::vector<Interval>> outside_requirements(const std::vector<std::string>& requirements) {
  std::vector<Span> taken;
  for (const auto& text : requirements) {
    const auto spans = spans_of(Dialect::cargo, text);
    if (!spans || taken.size() >= requirements_max) {
      return fail(ErrorCode::invalid_input, fmt::format("\"{}\" is no requirement of versions",
                                                        codebase::one_line(text, 60)));
    }
    taken.insert(taken.end(), spans->begin(), spans->end());
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
