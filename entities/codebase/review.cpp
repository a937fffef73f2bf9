#include "entities/codebase/review.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "entities/codebase/changed_files.hpp"
#include "entities/codebase/paths.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t review_findings_max = 200;

std::vector<std::string> texts_at(const json::value& value, std::string_view path) {
  std::vector<std::string> all;
  const auto* found = find_path(value, path);
  if (found == nullptr || !found->is_array()) return all;
  for (const auto& item : found->get_array()) {
    if (item.is_string()) all.emplace_back(std::string_view(item.get_string()));
  }
  return all;
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array all;
  for (const auto& text : texts) all.emplace_back(to_valid_utf8(text));
  return all;
}

void read_changes(const json::value& changes, Review& review) {
  review.base = find_text(changes, "base").value_or("");
  review.head = find_text(changes, "head").value_or("");
  review.asked_head = find_text(changes, "asked_head").value_or("");
  review.as_asked = find_bool(changes, "as_asked").value_or(true);
  review.why = find_text(changes, "why").value_or("");
  review.file_count = find_integer(changes, "file_count").value_or(0);
  review.added = find_integer(changes, "added").value_or(0);
  review.removed = find_integer(changes, "removed").value_or(0);
}

void take_finding(Finding finding, const ReviewWishes& wishes, std::set<std::string>& seen,
                  Review& review) {
  if (!seen.insert(finding.key).second) return;
  if (!finding.path.empty() && matches_any(wishes.ignore_paths, finding.path)) {
    ++review.ignored;
  } else if (std::ranges::find(wishes.dismissed, finding.key) != wishes.dismissed.end()) {
    ++review.dismissed;
  } else {
    review.findings.push_back(std::move(finding));
  }
}

void take_findings(const json::value& result, const ReviewWishes& wishes,
                   std::set<std::string>& seen, Review& review) {
  const auto* findings = find_path(result, "findings");
  if (findings == nullptr || !findings->is_array()) return;
  for (const auto& value : findings->get_array()) {
    // An analyser of ours writes no other; one of theirs has no say.
    if (auto finding = finding_from_json(value)) {
      take_finding(std::move(*finding), wishes, seen, review);
    }
  }
  review.left_off += static_cast<std::size_t>(find_integer(result, "left_off").value_or(0));
}

// What was found before in files that nobody touched since.
void take_carried(const json::value& changes, const ReviewWishes& wishes,
                  std::set<std::string>& seen, Review& review) {
  std::set<std::string> same;
  for (auto& file : files_of(changes)) {
    if (file.seen) same.insert(std::move(file.path));
  }
  for (const auto& finding : wishes.carried) {
    if (same.contains(finding.path)) take_finding(finding, wishes, seen, review);
  }
}

bool comes_first(const Finding& one, const Finding& other) {
  if (one.severity != other.severity) return one.severity > other.severity;
  if (one.path != other.path) return one.path < other.path;
  if (one.line != other.line) return one.line < other.line;
  return one.key < other.key;
}

}  // namespace

Review merge_results(const json::object& results, const std::vector<std::string>& expected,
                     const ReviewWishes& wishes) {
  Review review;
  std::set<std::string> seen;
  const auto* changes = results.if_contains("changes");
  if (changes != nullptr) read_changes(*changes, review);
  for (const auto& name : expected) {
    const auto* result = results.if_contains(name);
    if (result == nullptr || !result->is_object()) {
      review.not_done.push_back(name);
      continue;
    }
    take_findings(*result, wishes, seen, review);
    for (auto& label : texts_at(*result, "labels")) review.labels.push_back(std::move(label));
    for (auto& owner : texts_at(*result, "owners")) review.owners.push_back(std::move(owner));
    if (const auto at = find_text(*result, "passed_at")) review.passed[name] = *at;
    if (const auto note = find_text(*result, "summary")) {
      review.notes.push_back(fmt::format("{}: {}", name, one_line(*note, 300)));
    }
  }
  if (changes != nullptr) take_carried(*changes, wishes, seen, review);
  sort_findings(review);
  if (review.findings.size() > review_findings_max) {
    review.left_off += review.findings.size() - review_findings_max;
    review.findings.resize(review_findings_max);
  }
  return review;
}

void sort_findings(Review& review) { std::ranges::sort(review.findings, comes_first); }

int count_of(const Review& review, Severity at_least) {
  return static_cast<int>(std::ranges::count_if(
      review.findings, [&](const Finding& finding) { return finding.severity >= at_least; }));
}

std::string counts_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const auto severity :
       {Severity::critical, Severity::high, Severity::medium, Severity::low, Severity::info}) {
    const auto count = std::ranges::count(findings, severity, &Finding::severity);
    if (count > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, to_text(severity));
  }
  return text.empty() ? "nothing" : text;
}

json::object to_json(const Review& review) {
  json::array findings;
  for (const auto& finding : review.findings) findings.emplace_back(to_json(finding));
  json::object passed;
  for (const auto& [task, at] : review.passed) passed[task] = at;
  return {{"base", review.base},
          {"head", review.head},
          {"asked_head", review.asked_head},
          {"as_asked", review.as_asked},
          {"why", to_valid_utf8(review.why)},
          {"file_count", review.file_count},
          {"added", review.added},
          {"removed", review.removed},
          {"counts", counts_text(review.findings)},
          {"findings", std::move(findings)},
          {"left_off", review.left_off},
          {"ignored", review.ignored},
          {"dismissed", review.dismissed},
          {"labels", array_of(review.labels)},
          {"owners", array_of(review.owners)},
          {"notes", array_of(review.notes)},
          {"not_done", array_of(review.not_done)},
          {"passed", std::move(passed)}};
}

Result<Review> review_from_json(const json::value& value) {
  if (!value.is_object() || find_path(value, "findings") == nullptr) {
    return fail(ErrorCode::invalid_input, "a review is an object with findings");
  }
  Review review;
  read_changes(value, review);
  for (const auto& one :
       value.at("findings").is_array() ? value.at("findings").get_array() : json::array{}) {
    auto finding = finding_from_json(one);
    if (!finding) return std::unexpected(finding.error());
    review.findings.push_back(std::move(*finding));
  }
  const auto count = [&](std::string_view key) {
    return static_cast<std::size_t>(find_integer(value, key).value_or(0));
  };
  review.left_off = count("left_off");
  review.ignored = count("ignored");
  review.dismissed = count("dismissed");
  review.labels = texts_at(value, "labels");
  review.owners = texts_at(value, "owners");
  review.notes = texts_at(value, "notes");
  review.not_done = texts_at(value, "not_done");
  const auto* passed = find_path(value, "passed");
  for (const auto& [task, at] :
       passed != nullptr && passed->is_object() ? passed->get_object() : json::object{}) {
    if (at.is_string()) review.passed[task] = std::string_view(at.get_string());
  }
  return review;
}

Progress compare(const std::vector<Finding>& before, const std::vector<Finding>& now) {
  Progress progress;
  progress.first = false;
  const auto has = [](const std::vector<Finding>& all, const std::string& key) {
    return std::ranges::find(all, key, &Finding::key) != all.end();
  };
  for (const auto& finding : now) {
    if (!has(before, finding.key)) progress.new_keys.push_back(finding.key);
  }
  for (const auto& finding : before) {
    if (!has(now, finding.key)) progress.fixed.push_back(finding);
  }
  return progress;
}

}  // namespace vigil::entities::codebase
