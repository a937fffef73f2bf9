// codebase.upgrade_find: what the default branch is pinned to, which of it has known flaws, and
// what to propose.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <fstream>
#include <iterator>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "entities/codebase/look.hpp"
#include "entities/codebase/upgrade_tasks.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t lock_files_max = 500;

std::string text_of(const Request& request, std::string_view key) {
  return std::string(find_text(request.input, key).value_or(""));
}

Result<deps::KnownVersions> known_versions(const Request& request) {
  const auto path = text_of(request, "versions");
  if (path.empty()) return deps::KnownVersions{};
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::not_found, fmt::format("{}: cannot be opened", path));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto value = parse_json(text);
  if (!value) return std::unexpected(value.error());
  return deps::read_known_versions(*value);
}

std::string text_for(const UpgradesFound& found) {
  std::string text;
  for (const auto& group : found.groups) {
    fmt::format_to(std::back_inserter(text), "{}: {} ({})\n", to_text(group.severity), group.title,
                   group.branch);
    for (const auto& change : group.changes) {
      fmt::format_to(std::back_inserter(text), "  {}: {} {} -> {}{}: settles {}\n",
                     one_line(change.file, 200), change.raise.name, change.raise.from,
                     change.raise.to, change.breaking ? " (may break)" : "", change.ids.size());
    }
  }
  for (const auto& line : found.stuck) text += "stuck: " + line + "\n";
  return text;
}

}  // namespace

Result<deps::OpenedIndex> upgrade_advisories(const Request& request) {
  const auto where = text_of(request, "advisories");
  const auto keep = text_of(request, "index");
  if (where.empty() && keep.empty()) {
    return fail(ErrorCode::invalid_input,
                "advisories is missing: give a folder of OSV files, or the index of one");
  }
  return where.empty() ? deps::open_advisories(keep, {}) : deps::open_advisories(where, keep);
}

Result<Git> upgrade_clone(const Request& request) {
  auto repository = text_of(request, "repository");
  if (repository.empty()) {
    return fail(ErrorCode::invalid_input,
                "input.repository is missing: give the path of a local clone");
  }
  Git git(std::move(repository));
  if (auto checked = git.check(); !checked) return std::unexpected(checked.error());
  return git;
}

bool is_looked_at(std::string_view path) {
  while (true) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    if (part.starts_with('.') || part == "node_modules" || part == "vendor") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

Result<std::vector<PinnedFile>> pinned_files(const Git& git, const std::string& commit,
                                             std::vector<std::string>& unread) {
  auto names = git.run({"ls-tree", "-r", "-z", "--name-only", commit});
  if (!names) return std::unexpected(names.error());
  std::vector<PinnedFile> files;
  for (const auto& path : split_fields(*names)) {
    if (!is_looked_at(path) || deps::lock_format_of(path) == nullptr) continue;
    if (files.size() >= lock_files_max) {
      unread.push_back(
          fmt::format("more than {} lock files: the rest is left out", lock_files_max));
      break;
    }
    const auto text = git.file_at(commit, path);
    auto lock = text ? deps::read_lockfile(path, *text)
                     : fail(ErrorCode::not_found, fmt::format("{}: is not there", path));
    if (lock) {
      files.push_back({path, std::move(*lock)});
    } else {
      unread.push_back(one_line(lock.error().message, 300));
    }
  }
  return files;
}

Result<json::value> run_upgrades(const Request& request) {
  const auto grouping = grouping_from(text_of(request, "group"));
  if (!grouping) return std::unexpected(grouping.error());
  const auto git = upgrade_clone(request);
  if (!git) return std::unexpected(git.error());
  auto branch = text_of(request, "branch");
  if (branch.empty()) branch = "HEAD";
  const auto head = git->commit_of(branch);
  if (!head) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no branch {} in the clone", vigil::quoted(branch)));
  }
  const auto opened = upgrade_advisories(request);
  if (!opened) return std::unexpected(opened.error());
  const auto known = known_versions(request);
  if (!known) return std::unexpected(known.error());
  std::vector<std::string> unread;
  const auto files = pinned_files(*git, *head, unread);
  if (!files) return std::unexpected(files.error());
  auto found = find_upgrades(opened->index, *files, *known, *grouping);
  found.stuck.insert(found.stuck.end(), unread.begin(), unread.end());
  json::array groups;
  for (const auto& group : found.groups) groups.emplace_back(to_json(group));
  json::array stuck;
  for (const auto& line : found.stuck) stuck.emplace_back(to_valid_utf8(line));
  auto out = analysis(
      fmt::format("{} upgrades can be proposed, {} flaws are stuck; {} lock files "
                  "at {}",
                  found.groups.size(), found.stuck.size(), files->size(), head->substr(0, 9)),
      {});
  out["head"] = *head;
  out["advisories_digest"] = to_hex(as_bytes(opened->index.digest()));
  out["text"] = text_for(found);
  out["groups"] = std::move(groups);
  out["stuck"] = std::move(stuck);
  return json::value(std::move(out));
}

}  // namespace vigil::entities::codebase
