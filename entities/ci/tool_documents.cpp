#include "entities/ci/tool_documents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/ci/report_parts.hpp"
#include "entities/ci/sarif.hpp"

namespace vigil::entities::ci {
namespace {

constexpr std::size_t document_bytes_max = 64 * 1024 * 1024;
constexpr std::size_t message_bytes_max = 1000;

const json::array& list_at(const json::value& root, std::string_view path) {
  static const json::array none;
  const auto* found = find_path(root, path);
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

bool has_list(const json::value& root, std::string_view path) {
  const auto* found = find_path(root, path);
  return found != nullptr && found->is_array();
}

int line_at(const json::value& root, std::string_view path) {
  const auto line = find_integer(root, path).value_or(0);
  return line > 0 && line < 1'000'000'000 ? static_cast<int>(line) : 0;
}

// How the rows of a format are named. `rows` leads to them, `inner` from a row to rows of its own
// (then `path` and `package` stand in the outer one). Paths have dots; the first found counts.
struct Shape {
  std::string_view tool;
  std::string_view rows;
  std::string_view inner;
  std::string_view path;
  std::string_view line;
  std::string_view column;
  std::string_view rule;
  std::string_view message;
  std::string_view word;  // level or severity
  std::string_view url;
  std::string_view sign;  // what a row of it must have, besides the rows themselves
};

constexpr Shape shapes[] = {
    {"golangci-lint", "Issues", "", "Pos.Filename", "Pos.Line", "Pos.Column", "FromLinter", "Text",
     "Severity", "", "FromLinter"},
    {"grype", "matches", "", "artifact.locations.0.path", "", "", "vulnerability.id",
     "vulnerability.description", "vulnerability.severity", "vulnerability.dataSource",
     "vulnerability.id"},
    {"trivy", "Results", "Vulnerabilities", "Target", "", "", "VulnerabilityID", "Title",
     "Severity", "PrimaryURL", "Target"},
    {"trivy", "", "Vulnerabilities", "Target", "", "", "VulnerabilityID", "Title", "Severity",
     "PrimaryURL", "Target"},
    {"semgrep", "results", "", "path", "start.line", "start.col", "check_id", "extra.message",
     "extra.severity", "", "check_id"},
    {"bandit", "results", "", "filename", "line_number", "", "test_id", "issue_text",
     "issue_severity", "more_info", "test_id"},
    {"rubocop", "files", "offenses", "path", "location.line", "location.column", "cop_name",
     "message", "severity", "", "offenses"},
    {"eslint", "", "messages", "filePath", "line", "column", "ruleId", "message", "severity", "",
     "filePath"},
    {"shellcheck", "comments", "", "file", "line", "column", "code", "message", "level", "",
     "code"},
    {"shellcheck", "", "", "file", "line", "column", "code", "message", "level", "", "endLine"},
    {"hadolint", "", "", "file", "line", "column", "code", "message", "level", "", "level"},
    {"stylelint", "", "warnings", "source", "line", "column", "rule", "text", "severity", "",
     "warnings"},
    {"brakeman", "warnings", "", "file", "line", "", "warning_type", "message", "confidence",
     "link", "warning_type"},
    {"ruff", "", "", "filename", "location.row", "location.column", "code", "message", "", "url",
     "filename"},
    {"staticcheck", "", "", "location.file", "location.line", "location.column", "code", "message",
     "severity", "", "location.file"},
    {"pylint", "", "", "path", "line", "column", "symbol", "message", "type", "", "symbol"},
};

Issue issue_of_row(const Shape& shape, const json::value& outer, const json::value& row) {
  Issue issue;
  issue.tool = shape.tool;
  issue.path = text_at(shape.inner.empty() ? row : outer, shape.path);
  issue.line = line_at(row, shape.line);
  issue.column = line_at(row, shape.column);
  issue.rule = find_scalar_text(row, shape.rule).value_or("");
  issue.message = text_at(row, shape.message);
  issue.url = text_at(row, shape.url);
  const auto word = find_scalar_text(row, shape.word).value_or("");
  issue.severity = severity_word(word);
  issue.level = level_from(word).value_or(Level::warning);
  if (shape.tool == "eslint") issue.level = word == "2" ? Level::error : Level::warning;
  if (issue.line == 0 && shape.tool == "golangci-lint") issue.line = line_at(row, "LineRange.From");
  // A scanner of packages is nothing without the package.
  auto package = text_at(row, "PkgName");
  if (package.empty()) package = text_at(row, "artifact.name");
  auto version = text_at(row, "InstalledVersion");
  if (version.empty()) version = text_at(row, "artifact.version");
  if (!package.empty()) {
    issue.message = fmt::format("{} {}: {}", package, version, issue.message);
  }
  if (issue.message.size() > message_bytes_max) issue.message.resize(message_bytes_max);
  return issue;
}

std::optional<std::vector<Issue>> read_shape(const Shape& shape, const json::value& root) {
  const auto* rows = shape.rows.empty() ? &root : find_path(root, shape.rows);
  if (rows == nullptr || !rows->is_array()) return std::nullopt;
  const auto& list = rows->get_array();
  const auto signed_so = [&](const json::value& row) {
    return find_path(row, shape.sign) != nullptr;
  };
  if (list.empty() || !std::ranges::any_of(list, signed_so)) return std::nullopt;
  std::vector<Issue> issues;
  for (const auto& row : list) {
    if (issues.size() > issues_max) break;
    if (shape.inner.empty()) {
      issues.push_back(issue_of_row(shape, row, row));
      continue;
    }
    for (const auto& inner : list_at(row, shape.inner)) {
      if (issues.size() > issues_max) break;
      issues.push_back(issue_of_row(shape, row, inner));
    }
  }
  return issues;
}

std::vector<Issue> read_npm_audit(const json::value& root) {
  std::vector<Issue> issues;
  const auto* packages = find_path(root, "vulnerabilities");
  for (const auto& [name, package] : packages->get_object()) {
    for (const auto& via : list_at(package, "via")) {
      // A text names another package that is at fault and has rows of its own.
      if (!via.is_object() || issues.size() > issues_max) continue;
      Issue issue;
      issue.tool = "npm audit";
      issue.path = "package-lock.json";
      issue.url = text_at(via, "url");
      issue.rule = issue.url.substr(issue.url.rfind('/') + 1);
      issue.message = fmt::format("{} {}: {}", std::string_view(name), text_at(via, "range"),
                                  text_at(via, "title"));
      issue.severity = severity_word(text_at(via, "severity"));
      issues.push_back(std::move(issue));
    }
  }
  return issues;
}

std::vector<Issue> read_osv(const json::value& root) {
  std::vector<Issue> issues;
  for (const auto& source : list_at(root, "results")) {
    for (const auto& package : list_at(source, "packages")) {
      for (const auto& found : list_at(package, "vulnerabilities")) {
        if (issues.size() > issues_max) return issues;
        Issue issue;
        issue.tool = "osv-scanner";
        issue.path = text_at(source, "source.path");
        issue.rule = text_at(found, "id");
        issue.message = fmt::format("{} {}: {}", text_at(package, "package.name"),
                                    text_at(package, "package.version"), text_at(found, "summary"));
        issue.severity = severity_word(text_at(found, "database_specific.severity"));
        issue.url = "https://osv.dev/vulnerability/" + issue.rule;
        issues.push_back(std::move(issue));
      }
    }
  }
  return issues;
}

std::optional<std::vector<Issue>> read_json_document(const json::value& root) {
  if (has_list(root, "runs")) {
    auto sarif = read_sarif_document(root);
    if (!sarif) return std::nullopt;
    std::erase_if(sarif->issues, [](const Issue& issue) { return issue.suppressed; });
    return std::move(sarif->issues);
  }
  const auto* packages = find_path(root, "vulnerabilities");
  if (packages != nullptr && packages->is_object()) return read_npm_audit(root);
  if (has_list(root, "results") &&
      (list_at(root, "results").empty() || find_path(root, "results.0.packages") != nullptr)) {
    return read_osv(root);
  }
  for (const auto& shape : shapes) {
    if (auto issues = read_shape(shape, root)) return issues;
  }
  // A list without rows is a report that found nothing.
  if (root.is_array() && root.get_array().empty()) return std::vector<Issue>{};
  return std::nullopt;
}

// rustc's message as cargo passes it on.
std::optional<Issue> issue_of_rustc(const json::value& message) {
  Issue issue;
  issue.tool = "cargo";
  issue.message = text_at(message, "message");
  issue.rule = text_at(message, "code.code");
  const auto level = text_at(message, "level");
  issue.level = level_from(level).value_or(Level::error);
  for (const auto& span : list_at(message, "spans")) {
    if (!find_bool(span, "is_primary").value_or(false) && !issue.path.empty()) continue;
    issue.path = text_at(span, "file_name");
    issue.line = line_at(span, "line_start");
    issue.column = line_at(span, "column_start");
    if (find_bool(span, "is_primary").value_or(false)) break;
  }
  if (level == "note" || level == "help" || level == "failure-note") return std::nullopt;
  // "2 warnings emitted" and "aborting due to..." are sums; other errors of nowhere are errors.
  const bool is_sum = issue.level != Level::error || issue.message.starts_with("aborting due to") ||
                      issue.message.starts_with("could not compile");
  if (issue.path.empty() && is_sum) return std::nullopt;
  return issue;
}

}  // namespace

std::optional<std::vector<Issue>> issues_of_document(std::string_view text) {
  if (text.size() > document_bytes_max) return std::nullopt;
  if (text.starts_with('<')) return issues_of_xml(text);
  if (!text.starts_with('{') && !text.starts_with('[')) return std::nullopt;
  // Logs begin with [INFO] or [step 1]; a document goes on with a value.
  const auto second = trimmed(text.substr(1)).substr(0, 1);
  if (second.find_first_of("{\"[]}") == std::string_view::npos) return std::nullopt;
  const auto root = parse_json(text);
  if (!root) return std::nullopt;
  return read_json_document(*root);
}

std::optional<std::optional<Issue>> issue_of_json_line(std::string_view line) {
  line = trimmed(line);
  if (!line.starts_with("{\"") || !line.ends_with('}')) return std::nullopt;
  const auto root = parse_json(line);
  if (!root) return std::nullopt;
  const auto reason = find_text(*root, "reason");
  if (reason == "compiler-message") {
    const auto* message = find_path(*root, "message");
    return message == nullptr ? std::optional<Issue>() : issue_of_rustc(*message);
  }
  if (reason) return std::optional<Issue>();
  if (find_path(*root, "location.file") != nullptr && find_text(*root, "code")) {
    constexpr Shape row{"staticcheck",
                        "",
                        "",
                        "location.file",
                        "location.line",
                        "location.column",
                        "code",
                        "message",
                        "severity",
                        "",
                        ""};
    return issue_of_row(row, *root, *root);
  }
  return std::nullopt;
}

}  // namespace vigil::entities::ci
