#include "entities/codebase/look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "core/log.hpp"
#include "entities/codebase/changed_files.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::int64_t depth_default = 5;
constexpr std::int64_t depth_max = 1000;
constexpr std::size_t named_max = 200;  // paths given to git; beyond that it tells all

std::string text_of(const json::value& value, std::string_view key) {
  return std::string(find_text(value, key).value_or(""));
}

std::string brief(std::string_view hash) { return std::string(hash.substr(0, 9)); }

Result<std::string> tip_of(const Git& git, const std::string& branch) {
  if (!branch.empty() && !is_safe_revision(branch)) {
    return fail(ErrorCode::invalid_input,
                fmt::format("branch {} is no name git could have", quoted(branch)));
  }
  const auto name = branch.empty() ? std::string("HEAD") : branch;
  for (const auto& candidate : {name, "refs/heads/" + name, "refs/remotes/origin/" + name}) {
    if (auto found = git.commit_of(candidate)) return *found;
  }
  return fail(ErrorCode::not_found,
              branch.empty()
                  ? fmt::format("{} has no commits yet", quoted(git.repository()))
                  : fmt::format("there is no branch {} in {}: fetch it, or correct `branch`",
                                quoted(branch), quoted(git.repository())));
}

// The commit `depth` steps back along first parents, or the empty tree before the first commit.
Result<std::string> steps_back(const Git& git, const std::string& head, std::int64_t depth) {
  if (auto found = git.commit_of(fmt::format("{}~{}", head, depth))) return *found;
  auto empty = git.run({"hash-object", "-t", "tree", "/dev/null"});
  if (!empty) return std::unexpected(empty.error());
  while (empty->ends_with('\n')) empty->pop_back();
  return *empty;
}

std::optional<std::string> merge_base(const Git& git, const std::string& one,
                                      const std::string& other) {
  auto found = git.run({"merge-base", one, other});
  if (!found) return std::nullopt;
  return found->substr(0, found->find('\n'));
}

Result<Range> latest(const Git& git, const json::value& asked, std::string because) {
  const auto branch = text_of(asked, "branch");
  auto head = tip_of(git, branch);
  if (!head) return std::unexpected(head.error());
  const auto depth =
      std::clamp(find_integer(asked, "depth").value_or(depth_default), std::int64_t{1}, depth_max);
  auto base = steps_back(git, *head, depth);
  if (!base) return std::unexpected(base.error());
  Range range{*base, *head, {}, true};
  range.why = fmt::format("{} the latest {} commits of {} were looked at, up to {}", because, depth,
                          branch.empty() ? "the clone's branch" : one_line(branch), brief(*head));
  return range;
}

Result<Range> between(const Git& git, std::string_view text) {
  const auto dots = text.find("..");
  const bool three = text.substr(dots).starts_with("...");
  const auto left = text.substr(0, dots);
  const auto right = text.substr(dots + (three ? 3 : 2));
  const auto base = git.commit_of(left.empty() ? "HEAD" : left);
  const auto head = git.commit_of(right.empty() ? "HEAD" : right);
  if (!base || !head) {
    return fail(ErrorCode::not_found,
                fmt::format("range {}: {} is no commit of {}", quoted(text),
                            quoted(base ? right : left), quoted(git.repository())));
  }
  Range range{*base, *head, fmt::format("{} was asked for", one_line(text)), true};
  if (three) range.base = merge_base(git, *base, *head).value_or(*base);
  return range;
}

// Where the change begins: the commit asked for, else where it left the branch it is meant for.
Result<Range> up_to(const Git& git, const std::string& head, const json::value& asked) {
  const bool proposed = text_of(asked, "kind") == "pull_request";
  Range range{{}, head, {}, true};
  const auto say = [&](std::string_view from) {
    range.why = fmt::format("the commits {} {}..{} were looked at",
                            proposed ? "of the pull request" : "that were pushed",
                            brief(range.base), brief(head)) +
                std::string(from);
    return range;
  };
  if (const auto base = git.commit_of(text_of(asked, "base"))) {
    range.base = merge_base(git, *base, head).value_or(*base);
    if (range.base != head) return say("");
  }
  for (const char* key : {"base_ref", "branch"}) {
    const auto name = text_of(asked, key);
    if (name.empty()) continue;
    const auto tip = tip_of(git, name);
    if (!tip || *tip == head) continue;
    const auto meeting = merge_base(git, *tip, head);
    if (!meeting || *meeting == head) continue;
    range.base = *meeting;
    return say(fmt::format(", from where they left {}", one_line(name)));
  }
  auto before = steps_back(git, head, 1);
  if (!before) return std::unexpected(before.error());
  range.base = *before;
  range.why = fmt::format("commit {} alone was looked at: where the change began is not known here",
                          brief(head));
  return range;
}

}  // namespace

Result<Range> choose_range(const Git& git, const json::value& asked) {
  if (auto checked = git.check(); !checked) return std::unexpected(checked.error());
  const auto range = text_of(asked, "range");
  if (range.find("..") != std::string::npos) return between(git, range);
  const auto head = range.empty() ? text_of(asked, "head") : range;
  if (head.empty()) return latest(git, asked, "no commits were named:");
  if (const auto found = git.commit_of(head)) return up_to(git, *found, asked);
  if (!range.empty()) {
    return fail(ErrorCode::not_found,
                fmt::format("{} is no commit of {}", quoted(range), quoted(git.repository())));
  }
  auto instead = latest(
      git, asked, fmt::format("commit {} is not in the local clone, so", one_line(brief(head))));
  if (instead) instead->as_asked = false;
  return instead;
}

Result<json::object> describe_changes(const Git& git, const json::value& asked) {
  auto range = choose_range(git, asked);
  if (!range) return std::unexpected(range.error());
  auto files = changed_files(git, range->base, range->head);
  if (!files) return std::unexpected(files.error());
  const auto* before = find_path(asked, "before");
  if (before != nullptr && !files->cut) {
    mark_seen(git, text_of(*before, "base"), text_of(*before, "head"), *files);
  }
  if (files->cut) {
    range->why += fmt::format("; only the first {} of its files are listed", files->listed.size());
  }
  if (files->seen > 0) {
    range->why += fmt::format("; {} of its {} files are as they were at the last look", files->seen,
                              files->count);
  }
  json::object out{
      {"repository", git.repository()}, {"base", range->base},       {"head", range->head},
      {"as_asked", range->as_asked},    {"why", range->why},         {"added", files->added},
      {"removed", files->removed},      {"file_count", files->count}};
  if (!text_of(asked, "head").empty()) out["asked_head"] = text_of(asked, "head");
  out["summary"] =
      fmt::format("{} files, +{} -{}: {}", files->count, files->added, files->removed, range->why);
  json::array listed;
  for (const auto& file : files->listed) listed.emplace_back(to_json(file));
  out["files"] = std::move(listed);
  return out;
}

Result<Look> Look::at(const Request& request) {
  const auto* known = request.inputs.if_contains("changes");
  const auto& from = known != nullptr ? *known : request.input;
  auto repository = text_of(request.input, "repository");
  if (repository.empty()) repository = text_of(from, "repository");
  if (repository.empty()) {
    return fail(ErrorCode::invalid_input,
                "input.repository is missing: give the path of a local clone");
  }
  Git git(std::move(repository));
  if (known != nullptr && is_hash(text_of(*known, "head")) && is_hash(text_of(*known, "base"))) {
    return Look(std::move(git), *known);
  }
  auto changes = describe_changes(git, request.input);
  if (!changes) return std::unexpected(changes.error());
  return Look(std::move(git), std::move(*changes));
}

std::vector<std::string> Look::paths() const {
  std::vector<std::string> all;
  const auto* files = find_path(changes_, "files");
  if (files == nullptr || !files->is_array()) return all;
  for (const auto& file : files->get_array()) {
    if (text_of(file, "status") != "D") all.push_back(text_of(file, "path"));
  }
  return all;
}

Result<Diff> Look::diff() const { return diff_of({}); }

Result<Diff> Look::fresh_diff() const {
  std::set<std::string> seen;
  std::vector<std::string> named;
  bool can_name = true;
  const auto* files = find_path(changes_, "files");
  const auto listed = files != nullptr && files->is_array() ? files->get_array() : json::array{};
  for (const auto& file : listed) {
    const auto path = text_of(file, "path");
    if (find_bool(file, "seen").value_or(false)) {
      seen.insert(path);
      continue;
    }
    // A name that is no UTF-8 was changed on its way here.
    for (const auto& name : {path, text_of(file, "old_path")}) {
      if (!name.empty()) named.push_back(name);
      can_name = can_name && name.find("\xEF\xBF\xBD") == std::string::npos;
    }
  }
  if (seen.empty()) return diff();
  if (named.empty()) return Diff{};
  auto diff = diff_of(can_name && named.size() <= named_max ? named : std::vector<std::string>{});
  if (diff) {
    std::erase_if(diff->files,
                  [&](const FileDiff& file) { return seen.contains(to_valid_utf8(file.path())); });
  }
  return diff;
}

Result<Diff> Look::diff_of(const std::vector<std::string>& paths) const {
  std::vector<std::string> arguments{"diff",
                                     "-U0",
                                     "-M",
                                     "--no-color",
                                     "--no-ext-diff",
                                     "--no-textconv",
                                     "--src-prefix=a/",
                                     "--dst-prefix=b/",
                                     "--submodule=short",
                                     "--ignore-submodules=none",
                                     "--end-of-options",
                                     base(),
                                     head(),
                                     "--"};
  arguments.insert(arguments.end(), paths.begin(), paths.end());
  auto text = git_.run(std::move(arguments));
  if (!text) return std::unexpected(text.error());
  auto diff = parse_diff(*text);
  diff.cut |= text->size() >= Git::output_bytes_max;
  return diff;
}

}  // namespace vigil::entities::codebase
