#include "entities/codebase/analysers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/codebase/codeowners.hpp"
#include "entities/codebase/command.hpp"
#include "entities/codebase/commits.hpp"
#include "entities/codebase/leftovers.hpp"
#include "entities/codebase/lockfiles.hpp"
#include "entities/codebase/model_failure.hpp"
#include "entities/codebase/model_review.hpp"
#include "entities/codebase/probe.hpp"
#include "entities/codebase/pushes.hpp"
#include "entities/codebase/review.hpp"
#include "entities/codebase/reviewers.hpp"
#include "entities/codebase/secrets.hpp"
#include "entities/codebase/shape.hpp"
#include "entities/codebase/upgrade_tasks.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::string_view prefix = "codebase.";
constexpr std::int64_t large_bytes_default = 1024 * 1024;

std::vector<std::string> texts_of(const json::value& input, std::string_view key) {
  std::vector<std::string> all;
  const auto* found = find_path(input, key);
  if (found == nullptr || !found->is_array()) return all;
  for (const auto& item : found->get_array()) {
    if (item.is_string()) all.emplace_back(std::string_view(item.get_string()));
  }
  return all;
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return count == 0 ? fmt::format("no {}", many)
                    : fmt::format("{} {}", count, count == 1 ? one : many);
}

Result<json::value> run_changes(const Request& request) {
  const auto repository = find_text(request.input, "repository").value_or("");
  if (repository.empty()) {
    return fail(ErrorCode::invalid_input,
                "input.repository is missing: give the path of a local clone");
  }
  auto changes = describe_changes(Git(std::string(repository)), request.input);
  if (!changes) return std::unexpected(changes.error());
  return json::value(std::move(*changes));
}

// Silence about what was not read would look like a clean bill.
Finding not_all_read() {
  Finding finding;
  finding.analyser = "changes";
  finding.rule = "not-all-read";
  finding.severity = Severity::medium;
  finding.title = fmt::format("only the first {} MiB of the diff were read",
                              Git::output_bytes_max / (1024 * 1024));
  finding.hint = "split the change, or look at the rest by hand";
  finding.key = finding_key("changes", finding.rule, "", "");
  return finding;
}

using FindInDiff = std::vector<Finding> (*)(const Diff&);

Result<json::value> run_on_diff(const Request& request, FindInDiff find, std::string_view one,
                                std::string_view many) {
  auto look = Look::at(request);
  if (!look) return std::unexpected(look.error());
  auto diff = look->fresh_diff();
  if (!diff) return std::unexpected(diff.error());
  auto findings = find(*diff);
  auto summary = counted(findings.size(), one, many);
  if (diff->cut) {
    summary += "; the end of the diff was not read, it is too large";
    findings.push_back(not_all_read());
  }
  return json::value(analysis(std::move(summary), std::move(findings)));
}

Result<json::value> run_secrets(const Request& request) {
  return run_on_diff(request, find_secrets, "secret", "secrets");
}
Result<json::value> run_conflicts(const Request& request) {
  return run_on_diff(request, find_conflicts, "mark of a merge", "marks of merges");
}
Result<json::value> run_debug(const Request& request) {
  return run_on_diff(request, find_debugging, "debugging leftover", "debugging leftovers");
}
Result<json::value> run_todo(const Request& request) {
  return run_on_diff(request, find_todos, "thing put off", "things put off");
}

Result<json::value> run_large_files(const Request& request) {
  auto look = Look::at(request);
  if (!look) return std::unexpected(look.error());
  const auto limit = find_integer(request.input, "large_file_bytes").value_or(large_bytes_default);
  auto files = files_of(look->changes());
  std::erase_if(files, &FileChange::seen);
  auto findings = find_large_files(files, limit);
  auto summary = counted(findings.size(), "heavy file", "heavy files");
  return json::value(analysis(std::move(summary), std::move(findings)));
}

Result<json::value> run_size(const Request& request) {
  auto look = Look::at(request);
  if (!look) return std::unexpected(look.error());
  const auto size = size_of(files_of(look->changes()));
  json::object areas;
  for (const auto& [area, lines] : size.areas) areas[to_valid_utf8(area)] = lines;
  auto out =
      analysis(fmt::format("{} lines by people, {} by programs, in {}", size.lines,
                           size.generated_lines, counted(size.areas.size(), "area", "areas")),
               find_size(size));
  out["labels"] = json::array{json::value("size/" + size.label)};
  out["areas"] = std::move(areas);
  return json::value(std::move(out));
}

Result<json::value> run_tests(const Request& request) {
  auto look = Look::at(request);
  if (!look) return std::unexpected(look.error());
  auto findings = find_missing_tests(files_of(look->changes()));
  std::string summary = findings.empty() ? "nothing to say" : "code changed, no test did";
  return json::value(analysis(std::move(summary), std::move(findings)));
}

std::vector<std::string> planned(const Request& request) {
  auto expected = texts_of(request.input, "expected");
  if (!expected.empty()) return expected;
  for (const auto& [name, result] : request.inputs) {
    if (name != "changes") expected.emplace_back(name);
  }
  return expected;
}

// By hand there are no results yet: everything is run here, one after the other.
Result<void> fill_inputs(Request& request, std::vector<std::string>& expected) {
  auto changes = run_changes(request);
  if (!changes) return std::unexpected(changes.error());
  request.inputs["changes"] = std::move(*changes);
  for (const auto& analyser : analysers()) {
    if (!finds_something(analyser)) continue;
    const std::string name(short_name(analyser));
    expected.push_back(name);
    if (auto result = analyser.run(request)) request.inputs[name] = std::move(*result);
  }
  return {};
}

std::vector<Finding> carried_by(const json::value& input) {
  std::vector<Finding> carried;
  const auto* given = find_path(input, "carried");
  for (const auto& one :
       given != nullptr && given->is_array() ? given->get_array() : json::array{}) {
    if (auto finding = finding_from_json(one)) carried.push_back(std::move(*finding));
  }
  return carried;
}

Result<json::value> run_review(const Request& given) {
  Request request = given;
  auto expected = planned(request);
  if (!request.inputs.contains("changes")) {
    if (auto filled = fill_inputs(request, expected); !filled) {
      return std::unexpected(filled.error());
    }
  }
  const ReviewWishes wishes{texts_of(request.input, "ignore_paths"),
                            texts_of(request.input, "dismissed"), carried_by(request.input)};
  const auto review = merge_results(request.inputs, expected, wishes);
  auto out = to_json(review);
  out["markdown"] = to_markdown(review, Progress{});
  out["text"] = to_terminal(review);
  return json::value(std::move(out));
}

constexpr std::array table{
    Analyser{"codebase.changes", "which commits to look at, and the files they change",
             "branch, base, head, base_ref, range \"A..B\", depth, before {base, head}",
             run_changes},
    Analyser{"codebase.secrets", "keys, tokens and passwords in added lines", "", run_secrets},
    Analyser{"codebase.conflicts", "marks and files that a merge left behind", "", run_conflicts},
    Analyser{"codebase.large_files", "files too heavy for a repository, built files",
             "large_file_bytes", run_large_files},
    Analyser{"codebase.lockfiles", "manifests and lock files that do not agree", "", run_lockfiles},
    Analyser{"codebase.debug", "breakpoints and test filters left in", "", run_debug},
    Analyser{"codebase.tests", "code that changed while no test did", "", run_tests},
    Analyser{"codebase.commits", "commits that were meant to be squashed, messages", "",
             run_commits},
    Analyser{"codebase.todo", "things put off in added lines", "", run_todo},
    Analyser{"codebase.owners", "who owns what changed, by CODEOWNERS", "", run_owners},
    Analyser{"codebase.reviewers", "who knows what changed, by the history of its files", "",
             run_reviewers},
    Analyser{"codebase.size", "how large the change is: a label, lines by area", "", run_size},
    Analyser{"codebase.command", "a command of the repository's own, in a private copy of it",
             "name, argv, paths, reports, passed_at", run_command},
    Analyser{"codebase.history", "the commits between a good one and a bad one",
             "good, bad, commits_max", run_history},
    Analyser{"codebase.probe", "one commit of a search for the first bad one: the command on it",
             "commit, name, argv, reports, sought (tests, fingerprint, exit_code, timed_out)",
             run_probe},
    Analyser{"codebase.bisect", "the first bad commit, several tested at once",
             "good, bad (HEAD), width, commits_max, reports; -- the command", run_bisect},
    Analyser{"codebase.pushes", "what changed among the refs, as forges tell pushes",
             "refs, known, commits_max", run_pushes},
    Analyser{"codebase.upgrade_find", "upgrades to propose for what a branch is pinned to",
             "branch, advisories, index, versions, group (family, ecosystem, advisory)",
             run_upgrades},
    Analyser{"codebase.upgrade_edit", "the edits of one such upgrade, and a second look at them",
             "group, base, advisories, index, commands", run_upgrade},
    Analyser{"codebase.upgrade_commit", "a commit of such edits, for its tests",
             "author; inputs.edit", run_upgrade_commit},
    Analyser{"codebase.upgrade_keep", "a branch of that commit, when its tests passed",
             "inputs.edit, inputs.changes, those of the tests", run_upgrade_keep},
    Analyser{"codebase.model_lines", "added lines, as a model is shown them", "bytes_max",
             run_model_lines},
    Analyser{"codebase.model_keep", "of a model's findings those on added lines",
             "findings_max; inputs.model_find", run_model_keep},
    Analyser{"codebase.model_judge", "of those the ones that stood a second look",
             "sure; inputs.model_keep, inputs.model_verify", run_model_judge},
    Analyser{"codebase.model_failure", "a model's guess why a command failed, if its log says so",
             "log, key, command; inputs.guess", run_model_failure},
    Analyser{"codebase.review", "the findings of all of them, merged and sorted",
             "ignore_paths, dismissed, carried", run_review},
};

}  // namespace

std::span<const Analyser> analysers() { return table; }

const Analyser* find_analyser(std::string_view name) {
  const auto is_it = [&](const Analyser& analyser) {
    return analyser.name == name || short_name(analyser) == name;
  };
  const auto found = std::ranges::find_if(table, is_it);
  return found == table.end() ? nullptr : &*found;
}

bool finds_something(const Analyser& analyser) {
  const auto name = short_name(analyser);
  constexpr std::array others{"changes", "review", "command", "pushes",
                              "history", "probe",  "bisect"};
  return std::ranges::find(others, name) == others.end() && !name.starts_with("upgrade_") &&
         !name.starts_with("model_");
}

std::string_view short_name(const Analyser& analyser) {
  return analyser.name.substr(prefix.size());
}

}  // namespace vigil::entities::codebase
