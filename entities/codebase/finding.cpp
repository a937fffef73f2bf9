#include "entities/codebase/finding.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "core/digest.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::array<std::string_view, 5> severities{"info", "low", "medium", "high", "critical"};
constexpr std::size_t key_hex_digits = 12;

}  // namespace

std::string_view to_text(Severity severity) {
  return severities.at(static_cast<std::size_t>(severity));
}

Result<Severity> severity_from(std::string_view text) {
  for (std::size_t i = 0; i < severities.size(); ++i) {
    if (severities[i] == text) return static_cast<Severity>(i);
  }
  return fail(ErrorCode::invalid_input,
              "severity: expected one of info, low, medium, high, critical");
}

std::string finding_key(std::string_view analyser, std::string_view rule, std::string_view path,
                        std::string_view fingerprint) {
  std::string all;
  for (const auto part : {analyser, rule, path, fingerprint}) {
    all += part;
    all += '\0';
  }
  return to_hex(as_bytes(sha256(all))).substr(0, key_hex_digits);
}

void tell_apart(std::vector<Finding>& findings) {
  std::map<std::string, int> seen;
  for (auto& finding : findings) {
    const int times = ++seen[finding.key];
    if (times > 1) finding.key += fmt::format("-{}", times);
  }
}

std::string place_of(const Finding& finding) {
  if (finding.path.empty()) return "the change";
  if (finding.line <= 0) return finding.path;
  return fmt::format("{}:{}", finding.path, finding.line);
}

json::object to_json(const Finding& finding) {
  json::object object{{"key", finding.key},
                      {"analyser", finding.analyser},
                      {"rule", finding.rule},
                      {"severity", to_text(finding.severity)},
                      {"path", to_valid_utf8(finding.path)},
                      {"line", finding.line},
                      {"title", to_valid_utf8(finding.title)}};
  if (!finding.hint.empty()) object["hint"] = to_valid_utf8(finding.hint);
  return object;
}

Result<Finding> finding_from_json(const json::value& value) {
  const auto text = [&](std::string_view key) {
    return std::string(find_text(value, key).value_or(""));
  };
  Finding finding;
  finding.key = text("key");
  finding.title = text("title");
  if (finding.key.empty() || finding.title.empty()) {
    return fail(ErrorCode::invalid_input, "a finding needs a key and a title");
  }
  const auto severity = severity_from(text("severity"));
  if (!severity) return std::unexpected(severity.error());
  finding.severity = *severity;
  finding.analyser = text("analyser");
  finding.rule = text("rule");
  finding.path = text("path");
  finding.hint = text("hint");
  finding.line = static_cast<int>(find_integer(value, "line").value_or(0));
  return finding;
}

json::object analysis(std::string summary, std::vector<Finding> findings) {
  tell_apart(findings);
  json::array all;
  const std::size_t kept = std::min(findings.size(), findings_max);
  for (std::size_t i = 0; i < kept; ++i) all.emplace_back(to_json(findings[i]));
  json::object object{{"summary", to_valid_utf8(summary)}, {"findings", std::move(all)}};
  if (kept < findings.size()) object["left_off"] = findings.size() - kept;
  return object;
}

std::string one_line(std::string_view text, std::size_t bytes_max) {
  std::string line;
  for (const char c : to_valid_utf8(text)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    line += control ? ' ' : c;
  }
  if (line.size() <= bytes_max) return line;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
  return line.substr(0, end) + "…";
}

}  // namespace vigil::entities::codebase
