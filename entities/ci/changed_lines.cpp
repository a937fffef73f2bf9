#include "entities/ci/changed_lines.hpp"

#include <algorithm>

#include "entities/ci/place.hpp"

namespace vigil::entities::ci {
namespace {

constexpr std::size_t roots_max = 16;

std::size_t steps_of(std::string_view path) {
  return path.empty() ? 0 : 1 + static_cast<std::size_t>(std::ranges::count(path, '/'));
}

// Whether `path` is `ending`, or ends in it after a slash.
bool ends_in(std::string_view path, std::string_view ending) {
  if (!path.ends_with(ending)) return false;
  return path.size() == ending.size() || path[path.size() - ending.size() - 1] == '/';
}

std::string_view without_way_up(std::string_view path) {
  while (path.starts_with("../")) path.remove_prefix(3);
  return path;
}

}  // namespace

std::string_view to_text(Where where) {
  switch (where) {
    case Where::added_line:
      return "added line";
    case Where::changed_file:
      return "changed file";
    case Where::elsewhere:
      break;
  }
  return "elsewhere";
}

ChangedLines::ChangedLines(const codebase::Diff& diff, std::vector<std::string> files) {
  for (const auto& file : diff.files) {
    auto& lines = added_[tidy_path(file.path())];
    for (const auto& line : file.added) lines.insert(line.number);
  }
  for (auto& file : files) files_.insert(tidy_path(file));
}

void ChangedLines::add_root(std::string_view folder) {
  auto root = tidy_path(path_of_uri(folder));
  if (!root.empty() && root != "/" && roots_.size() < roots_max) roots_.insert(std::move(root));
}

bool ChangedLines::knows(const std::string& path) const {
  return added_.contains(path) || files_.contains(path);
}

Placed ChangedLines::told(const std::string& path, int line, bool certain) const {
  Placed placed{Where::elsewhere, path, certain};
  if (const auto found = added_.find(path); found != added_.end()) {
    placed.where = found->second.contains(line) ? Where::added_line : Where::changed_file;
  }
  return placed;
}

// The longest file of the repository that the path ends in: /ci/7/src/a.c ends in src/a.c.
std::string ChangedLines::ending_in(std::string_view path) const {
  for (auto slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    std::string rest(path.substr(slash + 1));
    if (knows(rest)) return rest;
  }
  return {};
}

// The only file of the repository that ends in the path: org/x/A.java of src/org/x/A.java.
std::string ChangedLines::continued(std::string_view path) const {
  std::string found;
  for (const auto& [name, lines] : added_) {
    if (!ends_in(name, path)) continue;
    if (!found.empty()) return {};
    found = name;
  }
  for (const auto& name : files_) {
    if (name == found || !ends_in(name, path)) continue;
    if (!found.empty()) return {};
    found = name;
  }
  return found;
}

void ChangedLines::learn_roots(const std::vector<Issue>& issues) {
  for (const auto& issue : issues) {
    const auto path = tidy_path(path_of_uri(issue.path));
    if (!is_absolute(path)) continue;
    const auto file = ending_in(path);
    // One step alone, as in /usr/include/config.h, proves nothing.
    if (steps_of(file) < 2 || file.size() >= path.size()) continue;
    add_root(std::string_view(path).substr(0, path.size() - file.size()));
  }
}

Placed ChangedLines::place(std::string_view spelled, int line) const {
  const auto path = tidy_path(path_of_uri(spelled));
  if (path.empty()) return {};
  if (knows(path)) return told(path, line, true);
  for (const auto& root : roots_) {
    if (!path.starts_with(root) || path.size() <= root.size() || path[root.size()] != '/') continue;
    return told(path.substr(root.size() + 1), line, true);
  }
  const std::string below(without_way_up(path));
  if (below != path && knows(below)) return told(below, line, true);
  const auto ending = ending_in(below);
  if (steps_of(ending) > 1) return told(ending, line, false);
  if (!is_absolute(path)) {
    if (const auto whole = continued(below); !whole.empty()) return told(whole, line, false);
  }
  return {Where::elsewhere, path, false};
}

}  // namespace vigil::entities::ci
