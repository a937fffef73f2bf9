#include "entities/ci/issue.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "entities/ci/fingerprint.hpp"

namespace vigil::entities::ci {
namespace {

std::string lower(std::string_view word) {
  std::string text(word.substr(0, 40));
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

}  // namespace

std::string_view to_text(Level level) {
  constexpr std::array<std::string_view, 4> names{"none", "note", "warning", "error"};
  return names.at(static_cast<std::size_t>(level));
}

std::optional<Level> level_from(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, Level>, 27> words{{
      {"error", Level::error},
      {"fatal error", Level::error},
      {"fatal", Level::error},
      {"e", Level::error},
      {"f", Level::error},
      {"err", Level::error},
      {"severe", Level::error},
      {"failure", Level::error},
      {"warning", Level::warning},
      {"warn", Level::warning},
      {"w", Level::warning},
      {"deprecation", Level::warning},
      {"performance", Level::warning},
      {"portability", Level::warning},
      {"message", Level::note},
      {"note", Level::note},
      {"notice", Level::note},
      {"info", Level::note},
      {"information", Level::note},
      {"i", Level::note},
      {"remark", Level::note},
      {"style", Level::note},
      {"hint", Level::note},
      {"help", Level::note},
      {"suggestion", Level::note},
      {"convention", Level::note},
      {"none", Level::none},
  }};
  const auto wanted = lower(word);
  for (const auto& [name, level] : words) {
    if (name == wanted) return level;
  }
  return std::nullopt;
}

std::optional<codebase::Severity> severity_word(std::string_view word) {
  using codebase::Severity;
  const auto name = lower(word);
  if (name == "critical" || name == "blocker") return Severity::critical;
  if (name == "high" || name == "important" || name == "major") return Severity::high;
  if (name == "medium" || name == "moderate") return Severity::medium;
  if (name == "low" || name == "minor") return Severity::low;
  if (name == "negligible" || name == "unknown" || name == "info") return Severity::info;
  return std::nullopt;
}

codebase::Severity severity_of(const Issue& issue) {
  if (issue.severity) return *issue.severity;
  switch (issue.level) {
    case Level::error:
      return codebase::Severity::high;
    case Level::warning:
      return codebase::Severity::low;
    case Level::note:
    case Level::none:
      break;
  }
  return codebase::Severity::info;
}

codebase::Finding finding_of(const Issue& issue, std::string_view analyser) {
  constexpr std::size_t title_bytes_max = 200;
  codebase::Finding finding;
  finding.analyser = analyser;
  finding.rule = issue.rule.empty() ? issue.tool : issue.rule;
  finding.severity = severity_of(issue);
  finding.path = issue.path;
  finding.line = issue.line;
  finding.title = codebase::one_line(issue.message, title_bytes_max);
  if (finding.title.empty()) finding.title = finding.rule;
  if (!issue.url.empty()) finding.hint = "see " + codebase::one_line(issue.url, title_bytes_max);
  const auto what = issue.tool + '\0' + without_incidents(issue.message);
  finding.key = codebase::finding_key(analyser, finding.rule, issue.path, what);
  return finding;
}

}  // namespace vigil::entities::ci
