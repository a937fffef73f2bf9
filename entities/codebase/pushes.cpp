#include "entities/codebase/pushes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <map>

#include "core/log.hpp"
#include "entities/codebase/commit_objects.hpp"
#include "entities/codebase/git.hpp"
#include "entities/rules/filter.hpp"

namespace vigil::entities::codebase {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t refs_max = 200'000;
constexpr std::size_t told_whole_max = 200;  // changes with their commits
constexpr std::size_t folders_max = 1024;
constexpr std::int64_t commits_counted_max = 10'000;
constexpr std::string_view null_hash = "0000000000000000000000000000000000000000";

using Refs = std::map<std::string, std::string>;  // where each points

std::vector<std::string> patterns_of(const json::value& input) {
  std::vector<std::string> patterns;
  const auto* given = find_path(input, "refs");
  if (given != nullptr && given->is_array()) {
    for (const auto& one : given->get_array()) {
      if (one.is_string()) patterns.emplace_back(std::string_view(one.get_string()));
    }
  }
  if (patterns.empty()) patterns = {"refs/heads/*", "refs/tags/*"};
  return patterns;
}

Result<Refs> read_refs(const Git& git, const std::vector<std::string>& patterns) {
  auto text = git.run({"for-each-ref", "--format=%(objectname) %(refname)"});
  if (!text) return std::unexpected(text.error());
  if (text->size() >= Git::output_bytes_max) {
    return fail(ErrorCode::invalid_input, "it has more refs than can be read (64 MiB of names)");
  }
  Refs refs;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos || !is_hash(line.substr(0, blank))) continue;
    const auto name = line.substr(blank + 1);
    const auto fits = [&](const std::string& pattern) { return matches_glob(pattern, name); };
    if (!is_valid_utf8(name) || !std::ranges::any_of(patterns, fits)) continue;
    if (refs.size() == refs_max) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("more than {} refs fit: name fewer with refs = [...]", refs_max));
    }
    refs.emplace(name, line.substr(0, blank));
  }
  return refs;
}

Refs known_refs(const json::value& input) {
  Refs refs;
  const auto* known = find_path(input, "known");
  if (known == nullptr || !known->is_object()) return refs;
  for (const auto& [name, id] : known->get_object()) {
    if (id.is_string() && is_hash(id.get_string())) refs.emplace(name, id.get_string());
  }
  return refs;
}

struct Moved {
  std::string ref;
  std::string before;  // empty: it is new
  std::string after;   // empty: it is gone
};

std::vector<Moved> difference(const Refs& known, const Refs& now) {
  std::vector<Moved> moved;
  for (const auto& [ref, id] : known) {
    const auto found = now.find(ref);
    if (found == now.end()) moved.push_back({ref, id, ""});
    if (found != now.end() && found->second != id) moved.push_back({ref, id, found->second});
  }
  for (const auto& [ref, id] : now) {
    if (!known.contains(ref)) moved.push_back({ref, "", id});
  }
  std::ranges::sort(moved, {}, &Moved::ref);
  return moved;
}

bool is_ancestor(const Git& git, const std::string& old, const std::string& now) {
  auto base = git.run({"merge-base", "--is-ancestor", old, now});
  return base.has_value();
}

// What this push brought: not reached from where any ref pointed before. Newest first.
std::vector<std::string> new_commits(const Git& git, const Moved& moved, const Refs& known) {
  std::string asked = moved.after + "\n";
  if (moved.before.empty()) {
    for (const auto& [ref, id] : known) asked += "^" + id + "\n";
  } else {
    asked += "^" + moved.before + "\n";
  }
  auto text = git.run({"rev-list", "--ignore-missing",
                       fmt::format("--max-count={}", commits_counted_max), "--stdin"},
                      asked);
  std::vector<std::string> hashes;
  if (!text) return hashes;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (is_hash(line)) hashes.emplace_back(line);
  }
  return hashes;
}

void tell_commits(const Git& git, const Moved& moved, const Refs& known, std::size_t commits_max,
                  json::object& change) {
  auto hashes = new_commits(git, moved, known);
  change["size"] = hashes.size();
  if (hashes.size() > commits_max) hashes.resize(commits_max);
  std::ranges::reverse(hashes);
  auto commits = describe_commits(git, hashes);
  // A branch may come to a commit that was there before; that is its head all the same.
  auto head = describe_commits(git, {moved.after});
  change["head_commit"] = head.empty() ? json::value(nullptr) : json::value(head.front());
  change["commits"] = std::move(commits);
}

json::object tell(const Git& git, const Moved& moved) {
  const bool created = moved.before.empty();
  const bool deleted = moved.after.empty();
  json::object change{{"ref", moved.ref},
                      {"before", created ? null_hash : std::string_view(moved.before)},
                      {"after", deleted ? null_hash : std::string_view(moved.after)},
                      {"created", created},
                      {"deleted", deleted}};
  if (created || deleted) {
    change["forced"] = false;
  } else {
    change["forced"] = !is_ancestor(git, moved.before, moved.after);
  }
  return change;
}

// Where git writes when a ref changes: the folder of packed-refs and HEAD, and all below refs.
json::array folders_of(const Git& git) {
  json::array folders;
  auto common = git.run({"rev-parse", "--path-format=absolute", "--git-common-dir"});
  if (!common) return folders;
  while (common->ends_with('\n')) common->pop_back();
  if (!is_valid_utf8(*common)) return folders;
  folders.emplace_back(*common);
  for (const auto* below : {"refs", "reftable"}) {
    std::error_code error;
    const fs::path start = fs::path(*common) / below;
    if (!fs::is_directory(start, error)) continue;
    folders.emplace_back(start.string());
    auto walk = fs::recursive_directory_iterator(start, error);
    for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
      if (folders.size() >= folders_max) break;
      std::error_code unknown;
      if (!walk->is_directory(unknown) || walk->is_symlink(unknown)) continue;
      const auto path = walk->path().string();
      if (is_valid_utf8(path)) folders.emplace_back(path);
    }
  }
  return folders;
}

}  // namespace

Result<json::value> run_pushes(const Request& request) {
  const auto& input = request.input;
  const Git git(std::string(find_text(input, "repository").value_or("")));
  if (git.repository().empty()) {
    return fail(ErrorCode::invalid_input, "input.repository is missing: give the path of a clone");
  }
  if (auto checked = git.check(); !checked) return std::unexpected(checked.error());
  // The folders first: what changes after this is noticed by who watches them.
  auto folders = folders_of(git);
  auto now = read_refs(git, patterns_of(input));
  if (!now) return std::unexpected(now.error());
  const auto known = known_refs(input);
  const auto asked_max = find_integer(input, "commits_max").value_or(20);
  const auto commits_max = static_cast<std::size_t>(std::clamp<std::int64_t>(asked_max, 0, 500));
  const bool brief = find_bool(input, "brief").value_or(false);
  json::array changes;
  for (const auto& moved : difference(known, *now)) {
    const bool whole = !brief && changes.size() < told_whole_max;
    auto change = whole ? tell(git, moved)
                        : json::object{{"ref", moved.ref},
                                       {"before", moved.before.empty() ? null_hash : moved.before},
                                       {"after", moved.after.empty() ? null_hash : moved.after},
                                       {"created", moved.before.empty()},
                                       {"deleted", moved.after.empty()}};
    change["commits"] = json::array();
    if (whole && !moved.after.empty()) tell_commits(git, moved, known, commits_max, change);
    changes.emplace_back(std::move(change));
  }
  const auto count = changes.size();
  return json::value(
      json::object{{"summary", fmt::format("{} refs, {} of them changed", now->size(), count)},
                   {"refs", now->size()},
                   {"changes", std::move(changes)},
                   {"folders", std::move(folders)}});
}

}  // namespace vigil::entities::codebase
