// codebase.upgrade_commit and codebase.upgrade_keep: from a patch to a commit, and from a commit
// whose tests pass to a branch. The same patch on the same commit gives the same commit, however
// often a crash makes it run again.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <filesystem>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "entities/codebase/look.hpp"
#include "entities/codebase/upgrade_tasks.hpp"

namespace vigil::entities::codebase {
namespace {

namespace fs = std::filesystem;

// Where the commit waits for its tests: no branch yet, and nothing that is pushed or fetched.
std::string waiting_ref(std::string_view branch) { return fmt::format("refs/vigil/{}", branch); }

std::string chomped(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

bool flag(const json::value& value, std::string_view key) {
  const auto* found = find_path(value, key);
  return found != nullptr && found->is_bool() && found->get_bool();
}

struct Author {
  std::string name;
  std::string mail;
};
Author author_of(const json::value& input) {
  const auto text = std::string(find_text(input, "author").value_or(""));
  const auto open = text.find('<');
  const auto close = text.find('>', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) {
    return {"vigild", "vigild@localhost"};
  }
  auto name = text.substr(0, open);
  while (name.ends_with(' ')) name.pop_back();
  return {name.empty() ? "vigild" : name, text.substr(open + 1, close - open - 1)};
}

std::string message_of(const UpgradeGroup& group) {
  auto message = group.title + "\n\n";
  for (const auto& change : group.changes) {
    message += fmt::format("- {} {} -> {} in {}{}\n", change.raise.name, change.raise.from,
                           change.raise.to, change.file, change.breaking ? " (may break)" : "");
    if (!change.ids.empty()) message += fmt::format("  settles {}\n", fmt::join(change.ids, ", "));
  }
  return to_valid_utf8(message);
}

struct Drawn {
  UpgradeGroup group;
  std::string base;
  std::string patch;
};
Result<Drawn> drawn_of(const Request& request) {
  const auto* edit = request.inputs.if_contains("edit");
  if (edit == nullptr) return fail(ErrorCode::invalid_input, "inputs.edit is missing");
  if (!flag(*edit, "ok")) {
    return fail(ErrorCode::invalid_input,
                fmt::format("there is nothing to commit: {}",
                            find_text(*edit, "summary").value_or("the edit went wrong")));
  }
  const auto* group = find_path(*edit, "group");
  auto read = group == nullptr ? fail(ErrorCode::invalid_input, "inputs.edit has no group")
                               : upgrade_group_from_json(*group);
  if (!read) return std::unexpected(read.error());
  return Drawn{std::move(*read), std::string(find_text(*edit, "base").value_or("")),
               std::string(find_text(*edit, "patch").value_or(""))};
}

Result<std::string> commit(const Git& git, const Request& request, const Drawn& drawn,
                           const std::string& index) {
  const std::vector<std::string> there{"GIT_INDEX_FILE=" + index};
  auto read = git.run_with(there, {"read-tree", drawn.base});
  if (!read) return std::unexpected(read.error());
  auto applied = git.run_with(there, {"apply", "--cached", "--whitespace=nowarn"}, drawn.patch);
  if (!applied) return std::unexpected(applied.error());
  auto tree = git.run_with(there, {"write-tree"});
  if (!tree) return std::unexpected(tree.error());
  auto date = git.run({"show", "-s", "--format=%ct", "--no-show-signature", drawn.base});
  if (!date) return std::unexpected(date.error());
  const auto author = author_of(request.input);
  const auto when = "@" + chomped(*date) + " +0000";
  auto made = git.run_with({"GIT_AUTHOR_NAME=" + author.name, "GIT_AUTHOR_EMAIL=" + author.mail,
                            "GIT_AUTHOR_DATE=" + when, "GIT_COMMITTER_NAME=" + author.name,
                            "GIT_COMMITTER_EMAIL=" + author.mail, "GIT_COMMITTER_DATE=" + when},
                           {"commit-tree", chomped(*tree), "-p", drawn.base, "-F", "-"},
                           message_of(drawn.group));
  if (!made) return std::unexpected(made.error());
  return chomped(*made);
}

}  // namespace

Result<json::value> run_upgrade_commit(const Request& request) {
  const auto git = upgrade_clone(request);
  if (!git) return std::unexpected(git.error());
  auto drawn = drawn_of(request);
  if (!drawn) return std::unexpected(drawn.error());
  const auto base = git->commit_of(drawn->base);
  if (!base) return fail(ErrorCode::not_found, "the commit it was made for is gone");
  drawn->base = *base;
  const auto index = fs::temp_directory_path() / ("vigil-index-" + random_hex(8));
  auto made = commit(*git, request, *drawn, index.string());
  std::error_code ignored;
  fs::remove(index, ignored);
  if (!made) return std::unexpected(made.error());
  auto kept = git->run({"update-ref", waiting_ref(drawn->group.branch), *made});
  if (!kept) return std::unexpected(kept.error());
  auto changes = describe_changes(*git, json::object{{"base", *base}, {"head", *made}});
  if (!changes) return std::unexpected(changes.error());
  return json::value(std::move(*changes));
}

Result<json::value> run_upgrade_keep(const Request& request) {
  const auto git = upgrade_clone(request);
  if (!git) return std::unexpected(git.error());
  const auto drawn = drawn_of(request);
  if (!drawn) return std::unexpected(drawn.error());
  const auto* changes = request.inputs.if_contains("changes");
  const auto head =
      changes == nullptr ? std::nullopt : git->commit_of(find_text(*changes, "head").value_or(""));
  if (!head) return fail(ErrorCode::invalid_input, "inputs.changes has no commit");
  json::array tests;
  std::vector<std::string> failed;
  for (const auto& [name, result] : request.inputs) {
    if (name == "edit" || name == "changes") continue;
    const auto summary = find_text(result, "summary").value_or(std::string_view(name));
    tests.emplace_back(to_valid_utf8(summary));
    const auto* findings = find_path(result, "findings");
    const bool clean = findings != nullptr && findings->is_array() &&
                       findings->get_array().empty() &&
                       find_integer(result, "exit_code").value_or(0) == 0;
    if (!clean) failed.emplace_back(one_line(summary, 200));
  }
  const bool passed = failed.empty();
  const auto branch = drawn->group.branch;
  if (passed) {
    auto kept = git->run({"update-ref", "refs/heads/" + branch, *head});
    if (!kept) return std::unexpected(kept.error());
  }
  (void)git->run({"update-ref", "-d", waiting_ref(branch)});  // it may be gone already
  auto out = analysis(
      passed ? fmt::format("{}: branch {} is at {}", drawn->group.title, branch, head->substr(0, 9))
             : fmt::format("{}: {}", drawn->group.title, failed.front()),
      {});
  out["kept"] = passed;
  out["branch"] = branch;
  out["base"] = drawn->base;
  out["commit"] = *head;
  out["message"] = message_of(drawn->group);
  out["tests"] = std::move(tests);
  return json::value(std::move(out));
}

}  // namespace vigil::entities::codebase
