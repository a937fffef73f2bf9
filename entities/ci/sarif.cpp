#include "entities/ci/sarif.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <map>
#include <span>

#include "entities/ci/place.hpp"
#include "entities/ci/report_parts.hpp"

namespace vigil::entities::ci {
namespace {

constexpr int bases_deep_max = 8;
constexpr std::size_t message_bytes_max = 2000;

std::span<const json::value> list_at(const json::value& root, std::string_view path) {
  const auto* found = find_path(root, path);
  if (found == nullptr || !found->is_array()) return {};
  const auto& list = found->get_array();
  return {list.data(), list.size()};
}

const json::value* member(const json::value& root, std::string_view name) {
  return root.is_object() ? root.get_object().if_contains(name) : nullptr;
}

const json::value* item_at(std::span<const json::value> list, std::optional<std::int64_t> index) {
  const bool there = index && *index >= 0 && static_cast<std::size_t>(*index) < list.size();
  return there ? &list[static_cast<std::size_t>(*index)] : nullptr;
}

int line_at(const json::value& root, std::string_view path) {
  const auto line = find_integer(root, path).value_or(0);
  return line > 0 && line < 1'000'000'000 ? static_cast<int>(line) : 0;
}

// What one run says about its rules and places, indexed once.
class Run {
 public:
  explicit Run(const json::value& run) : run_(&run) {
    index_rules(find_path(run, "tool.driver"));
    for (const auto& extension : list_at(run, "tool.extensions")) index_rules(&extension);
  }

  std::string tool() const { return text_at(*run_, "tool.driver.name"); }

  const json::value* rule_of(const json::value& result) const {
    auto index = find_integer(result, "ruleIndex");
    if (!index) index = find_integer(result, "rule.index");
    auto id = text_at(result, "ruleId");
    if (id.empty()) id = text_at(result, "rule.id");
    const auto component = find_integer(result, "rule.toolComponent.index");
    const auto* extension = item_at(list_at(*run_, "tool.extensions"), component);
    const auto rules =
        extension != nullptr ? list_at(*extension, "rules") : list_at(*run_, "tool.driver.rules");
    if (const auto* rule = item_at(rules, index)) {
      // Writers get the index wrong more often than the name.
      if (id.empty() || is_of(id, text_at(*rule, "id"))) return rule;
    }
    for (auto name = id; !name.empty();) {
      if (const auto found = rules_.find(name); found != rules_.end()) return found->second;
      const auto slash = name.rfind('/');  // CA1000/1 is a part of CA1000
      name.resize(slash == std::string::npos ? 0 : slash);
    }
    return nullptr;
  }

  std::string path_of(const json::value& place) const {
    const auto* artifact = find_path(place, "artifactLocation");
    if (artifact == nullptr) return {};
    if (text_at(*artifact, "uri").empty()) {
      const auto* listed = item_at(list_at(*run_, "artifacts"), find_integer(*artifact, "index"));
      if (listed == nullptr || find_path(*listed, "location") == nullptr) return {};
      artifact = find_path(*listed, "location");
    }
    return tidy_path(resolve(*artifact, 0));
  }

 private:
  static bool is_of(std::string_view id, std::string_view rule) {
    return id == rule || (id.starts_with(rule) && id.substr(rule.size()).starts_with('/'));
  }

  void index_rules(const json::value* component) {
    if (component == nullptr) return;
    for (const auto& rule : list_at(*component, "rules")) {
      rules_.emplace(text_at(rule, "id"), &rule);
    }
  }

  std::string resolve(const json::value& location, int depth) const {
    auto path = path_of_uri(text_at(location, "uri"));
    const auto base = text_at(location, "uriBaseId");
    if (base.empty() || depth > bases_deep_max || is_absolute(path)) return path;
    const auto* bases = member(*run_, "originalUriBaseIds");
    const auto* found = bases == nullptr ? nullptr : member(*bases, base);
    if (found == nullptr) return path;
    const auto folder = resolve(*found, depth + 1);
    // "empty:" and other schemes say where it is not on a disk.
    if (folder.empty() || (folder.find(':') != std::string::npos && !is_absolute(folder))) {
      return path;
    }
    return join_paths(folder, path);
  }

  const json::value* run_;
  std::map<std::string, const json::value*, std::less<>> rules_;
};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

Level level_of(const json::value& result, const json::value* rule) {
  if (const auto level = level_from(text_at(result, "level"))) return *level;
  const auto kind = lower(text_at(result, "kind"));
  if (!kind.empty() && kind != "fail") return Level::none;
  if (rule != nullptr) {
    if (const auto level = level_from(text_at(*rule, "defaultConfiguration.level"))) return *level;
  }
  return Level::warning;
}

// A result counts as suppressed when somebody suppressed it and nobody refused or still thinks
// about it (SARIF 3.27.23: all of them accepted, which is what no status means).
bool is_suppressed(const json::value& result) {
  const auto all = list_at(result, "suppressions");
  const auto accepted = [](const json::value& one) {
    auto status = lower(text_at(one, "status"));
    if (status.empty()) status = lower(text_at(one, "state"));  // as drafts of the standard had it
    return status.empty() || status == "accepted";
  };
  return !all.empty() && std::ranges::all_of(all, accepted);
}

bool says_something_is_wrong(const json::value& result) {
  const auto kind = lower(text_at(result, "kind"));
  return kind != "pass" && kind != "notapplicable" && kind != "informational" &&
         lower(text_at(result, "baselineState")) != "absent";
}

// The text itself, or the rule's text of that id with {0}, {1} filled in.
std::string message_of(const json::value& result, const json::value* rule) {
  auto text = text_at(result, "message.text");
  if (text.empty()) text = text_at(result, "message.markdown");
  const auto id = text_at(result, "message.id");
  if (text.empty() && rule != nullptr && !id.empty()) {
    const auto* strings = member(*rule, "messageStrings");
    const auto* named = strings == nullptr ? nullptr : member(*strings, id);
    if (named != nullptr) text = text_at(*named, "text");
  }
  if (text.empty() && rule != nullptr) text = text_at(*rule, "shortDescription.text");
  text.resize(std::min(text.size(), message_bytes_max));
  std::string filled;
  const auto arguments = list_at(result, "message.arguments");
  for (std::size_t i = 0; i < text.size() && filled.size() < message_bytes_max; ++i) {
    const bool hole = text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}';
    const auto at = hole ? static_cast<std::size_t>(text[i + 1] - '0') : arguments.size();
    if (at >= arguments.size() || !arguments[at].is_string()) {
      filled += text[i];
      continue;
    }
    filled += std::string_view(arguments[at].get_string()).substr(0, message_bytes_max);
    i += 2;
  }
  return filled;
}

// GitHub's and CodeQL's number of how bad it is, in CVSS's bands.
std::optional<codebase::Severity> security_of(const json::value* rule) {
  if (rule == nullptr) return std::nullopt;
  const auto* properties = member(*rule, "properties");
  const auto* found = properties == nullptr ? nullptr : member(*properties, "security-severity");
  if (found == nullptr) return std::nullopt;
  const double score =
      found->is_string()
          ? std::strtod(std::string(std::string_view(found->get_string())).c_str(), nullptr)
          : find_number(*found, "").value_or(0);
  if (score >= 9.0) return codebase::Severity::critical;
  if (score >= 7.0) return codebase::Severity::high;
  if (score >= 4.0) return codebase::Severity::medium;
  if (score > 0) return codebase::Severity::low;
  return std::nullopt;
}

Issue issue_of(const Run& run, const std::string& tool, const json::value& result) {
  const auto* rule = run.rule_of(result);
  Issue issue;
  issue.tool = tool.empty() ? "sarif" : tool;
  issue.rule = text_at(result, "ruleId");
  if (issue.rule.empty()) issue.rule = text_at(result, "rule.id");
  if (issue.rule.empty() && rule != nullptr) issue.rule = text_at(*rule, "id");
  issue.level = level_of(result, rule);
  issue.message = message_of(result, rule);
  issue.suppressed = is_suppressed(result);
  issue.severity = security_of(rule);
  if (rule != nullptr) issue.url = text_at(*rule, "helpUri");
  const auto places = list_at(result, "locations");
  if (!places.empty()) {
    if (const auto* place = find_path(places.front(), "physicalLocation")) {
      issue.path = run.path_of(*place);
      issue.line = line_at(*place, "region.startLine");
      issue.column = line_at(*place, "region.startColumn");
    }
  }
  return issue;
}

}  // namespace

Result<SarifReport> read_sarif_document(const json::value& root) {
  const auto* runs = find_path(root, "runs");
  if (runs == nullptr || !runs->is_array()) {
    return fail(ErrorCode::invalid_input, "this JSON is no SARIF: expected a list called runs");
  }
  SarifReport report;
  report.version = text_at(root, "version");
  if (!report.version.empty() && !report.version.starts_with("2.")) {
    return fail(ErrorCode::invalid_input, fmt::format("SARIF {} is not read: expected 2.1.0",
                                                      to_valid_utf8(report.version.substr(0, 20))));
  }
  for (const auto& one : runs->get_array()) {
    const Run run(one);
    report.tools.push_back(run.tool());
    for (const auto& result : list_at(one, "results")) {
      ++report.results;
      if (!says_something_is_wrong(result)) continue;
      report.cut = report.cut || report.issues.size() >= issues_max;
      if (!report.cut) report.issues.push_back(issue_of(run, report.tools.back(), result));
    }
  }
  return report;
}

Result<SarifReport> read_sarif(std::string_view text) {
  if (text.size() > sarif_bytes_max) {
    return fail(ErrorCode::too_large, fmt::format("the report has {} MiB, up to {} are read",
                                                  text.size() >> 20, sarif_bytes_max >> 20));
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const auto root = parse_json(text);
  if (!root) {
    return fail(ErrorCode::invalid_input,
                "not JSON: " + root.error().message + "; was the report cut off?");
  }
  return read_sarif_document(*root);
}

}  // namespace vigil::entities::ci
