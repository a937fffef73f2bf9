#include "entities/codebase/commits.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <set>

namespace vigil::entities::codebase {
namespace {

constexpr int commits_max = 500;
constexpr std::size_t subject_bytes_max = 100;

Finding about(const Commit& commit, std::string_view rule, Severity severity,
              std::string_view title, std::string hint) {
  Finding finding;
  finding.analyser = "commits";
  finding.rule = rule;
  finding.severity = severity;
  const auto subject = commit.message.substr(0, commit.message.find('\n'));
  finding.title =
      fmt::format("commit {} ({}) {}", commit.hash.substr(0, 9), one_line(subject, 80), title);
  finding.hint = std::move(hint);
  finding.key = finding_key("commits", rule, "", subject);
  return finding;
}

bool is_made_up(std::string_view address) {
  static const RE2 form(R"((?i)@(localhost|.*\.local(domain)?|\(none\))$|^root@|^$)");
  return RE2::PartialMatch(re2::StringPiece(address.data(), address.size()), form);
}

}  // namespace

std::vector<Commit> read_commits(std::string_view text) {
  std::vector<Commit> commits;
  while (!text.empty()) {
    const auto end = text.find('\0');
    std::string_view record = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    std::vector<std::string_view> fields;
    for (int i = 0; i < 3; ++i) {
      const auto stop = record.find('\x1f');
      if (stop == std::string_view::npos) break;
      fields.push_back(record.substr(0, stop));
      record.remove_prefix(stop + 1);
    }
    if (fields.size() != 3) continue;
    Commit commit;
    commit.hash = fields[0];
    commit.parents =
        fields[1].empty() ? 0 : 1 + static_cast<int>(std::ranges::count(fields[1], ' '));
    commit.author_address = fields[2];
    commit.message = record;
    while (commit.message.ends_with('\n')) commit.message.pop_back();
    commits.push_back(std::move(commit));
  }
  return commits;
}

std::vector<Finding> find_in_commits(const std::vector<Commit>& commits) {
  static const RE2 draft(R"((?i)^(wip\b|\[wip\]|draft\b|tmp\b|temp\b|do not merge|dnm\b))");
  static const RE2 empty_words(
      R"((?i)^(fix|update|changes?|wip|test|stuff|misc|asdf+|\.+|commit)\.?$)");
  std::vector<Finding> out;
  std::set<std::string> addresses;
  for (const auto& commit : commits) {
    if (commit.parents > 1) continue;  // merges are named by git
    const auto subject = commit.message.substr(0, commit.message.find('\n'));
    const auto rest = commit.message.substr(std::min(commit.message.size(), subject.size() + 1));
    if (subject.starts_with("fixup!") || subject.starts_with("squash!") ||
        subject.starts_with("amend!")) {
      out.push_back(about(commit, "to-be-squashed", Severity::medium, "was meant to be squashed",
                          "run git rebase --autosquash before merging"));
    } else if (RE2::PartialMatch(subject, draft)) {
      out.push_back(about(commit, "draft-commit", Severity::low, "calls itself unfinished",
                          "finish it or reword it before merging"));
    } else if (subject.empty() || RE2::FullMatch(subject, empty_words)) {
      out.push_back(about(commit, "says-nothing", Severity::low, "says nothing about its change",
                          "say what changes and why"));
    }
    if (subject.size() > subject_bytes_max) {
      out.push_back(about(commit, "long-subject", Severity::info, "has a very long first line",
                          "keep it under 72 characters and put the rest below an empty line"));
    }
    if (!rest.empty() && !rest.starts_with('\n')) {
      out.push_back(about(commit, "no-empty-line", Severity::info,
                          "has no empty line below its first",
                          "tools take all of it as the subject: add the line"));
    }
    const bool new_address = addresses.insert(commit.author_address).second;
    if (new_address && is_made_up(commit.author_address)) {
      out.push_back(about(commit, "made-up-address", Severity::info,
                          "has an author without a real address", "set user.email and amend it"));
    }
  }
  return out;
}

Result<json::value> run_commits(const Request& request) {
  auto look = Look::at(request);
  if (!look) return std::unexpected(look.error());
  auto range = look->base() + ".." + look->head();
  if (!look->git().commit_of(look->base())) range = look->head();  // from the empty tree
  auto text =
      look->git().run({"log", "-z", "--format=%H%x1f%P%x1f%ae%x1f%B",
                       fmt::format("--max-count={}", commits_max), "--end-of-options", range});
  if (!text) return std::unexpected(text.error());
  const auto commits = read_commits(*text);
  auto findings = find_in_commits(commits);
  auto out = analysis(fmt::format("{} commits, {} remarks", commits.size(), findings.size()),
                      std::move(findings));
  out["commits"] = commits.size();
  return json::value(std::move(out));
}

}  // namespace vigil::entities::codebase
