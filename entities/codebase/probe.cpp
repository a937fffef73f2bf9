#include "entities/codebase/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "entities/codebase/command_run.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t files_told_max = 12;
constexpr std::size_t tail_bytes = 1500;
constexpr std::array<std::string_view, 3> verdict_words{"good", "bad", "untestable"};

std::vector<std::string> texts_at(const json::value& value, std::string_view path) {
  std::vector<std::string> all;
  const auto* found = find_path(value, path);
  if (found == nullptr || !found->is_array()) return all;
  for (const auto& item : found->get_array()) {
    if (item.is_string()) all.emplace_back(std::string_view(item.get_string()));
  }
  return all;
}

Seen seen_of(const JobEnd& ended) {
  Seen seen;
  seen.in_time = ended.end.in_time;
  seen.exit_code = ended.end.exit_code;
  seen.ok = ended.ok();
  seen.has_report = ended.has_report;
  const auto* failing = ended.tests.numbers.if_contains("failing");
  if (failing != nullptr && failing->is_array()) {
    for (const auto& one : failing->get_array()) {
      seen.failing.emplace_back(find_text(one, "test").value_or(""));
    }
  }
  seen.fingerprint = failure_of(ended).fingerprint;
  return seen;
}

}  // namespace

std::string_view to_text(ci::Verdict verdict) {
  return verdict_words.at(static_cast<std::size_t>(verdict));
}

std::optional<ci::Verdict> verdict_from(std::string_view text) {
  const auto found = std::ranges::find(verdict_words, text);
  if (found == verdict_words.end()) return std::nullopt;
  return static_cast<ci::Verdict>(found - verdict_words.begin());
}

json::object to_json(const Sought& sought) {
  json::array tests;
  for (const auto& test : sought.tests) tests.emplace_back(test);
  return {{"tests", std::move(tests)},
          {"fingerprint", sought.fingerprint},
          {"exit_code", sought.exit_code},
          {"timed_out", sought.timed_out}};
}

Sought sought_from_json(const json::value& value) {
  return {texts_at(value, "tests"), std::string(find_text(value, "fingerprint").value_or("")),
          static_cast<int>(find_integer(value, "exit_code").value_or(0)),
          find_bool(value, "timed_out").value_or(false)};
}

ProbeVerdict judge_probe(const Seen& seen, const Sought& sought) {
  using ci::Verdict;
  if (!sought.tests.empty()) {
    for (const auto& test : seen.failing) {
      if (std::ranges::find(sought.tests, test) != sought.tests.end()) {
        return {Verdict::bad, fmt::format("{} fails", one_line(test, 100))};
      }
    }
    if (seen.ok) return {Verdict::good, "passes"};
    if (seen.has_report && seen.in_time) return {Verdict::good, "only other tests fail"};
    return {Verdict::untestable, seen.in_time ? "left no report" : "did not end in its time"};
  }
  if (!seen.in_time) {
    return {sought.timed_out ? Verdict::bad : Verdict::untestable, "did not end in its time"};
  }
  if (seen.ok) return {Verdict::good, "passes"};
  const auto ended = seen.exit_code < 0 ? std::string("ended by a signal")
                                        : fmt::format("exit code {}", seen.exit_code);
  constexpr std::array not_tested{125, 126, 127};
  const bool same_code = sought.exit_code != 0 && seen.exit_code == sought.exit_code;
  if (!same_code && std::ranges::find(not_tested, seen.exit_code) != not_tested.end()) {
    return {Verdict::untestable, ended};
  }
  const bool any = sought.fingerprint.empty() && sought.exit_code == 0 && !sought.timed_out;
  const bool same =
      same_code || (!sought.fingerprint.empty() && seen.fingerprint == sought.fingerprint);
  if (any || same) return {Verdict::bad, ended};
  return {Verdict::untestable, "fails in another way: " + ended};
}

json::object describe_commit(const Git& git, const std::string& commit) {
  json::object out{{"hash", commit}};
  auto shown = git.run({"show", "-s", "--format=%an%x1f%aI%x1f%s", "--end-of-options", commit});
  if (!shown) return out;
  std::string_view text = *shown;
  for (const std::string_view key : {"author", "date", "subject"}) {
    const auto end = text.find_first_of("\x1f\n");
    out[key] = one_line(text.substr(0, end), 200);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  json::array files;
  auto names = git.run({"diff-tree", "--no-commit-id", "--name-only", "-r", "-z", "-m", "--root",
                        "--first-parent", "--end-of-options", commit});
  const auto all = names ? split_fields(*names) : std::vector<std::string>{};
  for (const auto& name : all) {
    if (files.size() < files_told_max) files.emplace_back(one_line(name, 200));
  }
  out["file_count"] = all.size();
  out["files"] = std::move(files);
  return out;
}

Result<json::value> run_probe(const Request& request) {
  auto job = job_of(request.input);
  if (!job) return std::unexpected(job.error());
  const Git git{std::string(find_text(request.input, "repository").value_or(""))};
  if (auto checked = git.check(); !checked) return std::unexpected(checked.error());
  const auto asked = find_text(request.input, "commit").value_or("HEAD");
  const auto commit = git.commit_of(asked);
  if (!commit) {
    return fail(ErrorCode::invalid_input, fmt::format("commit: {} is no commit of {}",
                                                      quoted(asked), quoted(git.repository())));
  }
  json::object out{{"commit", describe_commit(git, *commit)}};
  auto ended = run_job(*job, git, *commit, request.time_left);
  ProbeVerdict judged;
  if (ended) {
    const auto* sought = find_path(request.input, "sought");
    judged =
        judge_probe(seen_of(*ended),
                    sought_from_json(sought == nullptr ? json::value(json::object{}) : *sought));
    tell_run(*ended, out);
    const auto& text = ended->text;
    out["output"] =
        to_valid_utf8(text.size() > tail_bytes ? text.substr(text.size() - tail_bytes) : text);
  } else {
    judged.why = one_line(ended.error().message, 300);
  }
  out["verdict"] = to_text(judged.verdict);
  out["why"] = judged.why;
  out["summary"] =
      fmt::format("{} is {}: {}", commit->substr(0, 9), to_text(judged.verdict), judged.why);
  out["findings"] = json::array{};
  return json::value(std::move(out));
}

}  // namespace vigil::entities::codebase
