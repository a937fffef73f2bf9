#include "entities/codebase/changed_files.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <charconv>
#include <map>
#include <set>

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t files_max = 3000;
constexpr std::size_t paths_bytes_max = 1024 * 1024;

struct Entry {
  std::string status;
  std::string path;
  std::string old_path;
  std::string old_blob;
  std::string blob;
  std::string old_mode;
  std::string mode;
  bool operator==(const Entry&) const = default;
};

std::vector<Entry> read_raw(const std::vector<std::string>& fields) {
  std::vector<Entry> entries;
  for (std::size_t i = 0; i + 1 < fields.size();) {
    const auto& head = fields[i];  // :100644 100644 <old> <new> M
    std::vector<std::string_view> words;
    std::string_view rest = head;
    while (!rest.empty()) {
      const auto blank = rest.find(' ');
      words.push_back(rest.substr(0, blank));
      rest = blank == std::string_view::npos ? std::string_view{} : rest.substr(blank + 1);
    }
    if (words.size() < 5) break;
    Entry entry;
    entry.old_mode = words[0];
    entry.mode = words[1];
    entry.old_blob = words[2];
    entry.blob = words[3];
    entry.status = words[4].substr(0, 1);
    const bool two = entry.status == "R" || entry.status == "C";
    if (two && i + 2 >= fields.size()) break;
    if (two) entry.old_path = fields[i + 1];
    entry.path = fields[i + (two ? 2 : 1)];
    i += two ? 3 : 2;
    entries.push_back(std::move(entry));
  }
  return entries;
}

struct Numbers {
  std::int64_t added = 0;
  std::int64_t removed = 0;
  bool binary = false;
};

std::map<std::string, Numbers> read_numstat(const std::vector<std::string>& fields) {
  std::map<std::string, Numbers> all;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    std::string_view line = fields[i];  // "3\t4\tpath", or "3\t4\t" and then old and new
    const auto first = line.find('\t');
    const auto second = first == std::string_view::npos ? first : line.find('\t', first + 1);
    if (second == std::string_view::npos) break;
    Numbers numbers;
    const auto added = line.substr(0, first);
    const auto removed = line.substr(first + 1, second - first - 1);
    numbers.binary = added == "-";
    std::from_chars(added.data(), added.data() + added.size(), numbers.added);
    std::from_chars(removed.data(), removed.data() + removed.size(), numbers.removed);
    auto path = std::string(line.substr(second + 1));
    if (path.empty() && i + 2 < fields.size()) {
      path = fields[i + 2];
      i += 2;
    }
    all[path] = numbers;
  }
  return all;
}

// Sizes of blobs by hash, in one question.
Result<std::map<std::string, std::int64_t>> sizes_of(const Git& git,
                                                     const std::vector<Entry>& entries) {
  std::string asked;
  for (const auto& entry : entries) {
    if (entry.mode != "160000" && !is_null_hash(entry.blob)) asked += entry.blob + "\n";
  }
  std::map<std::string, std::int64_t> sizes;
  if (asked.empty()) return sizes;
  auto told = git.run({"cat-file", "--batch-check=%(objectname) %(objectsize)"}, asked);
  if (!told) return std::unexpected(told.error());
  std::string_view rest = *told;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) continue;
    std::int64_t size = 0;
    const auto [end, error] =
        std::from_chars(line.data() + blank + 1, line.data() + line.size(), size);
    if (error == std::errc{}) sizes[std::string(line.substr(0, blank))] = size;
  }
  return sizes;
}

Result<std::vector<Entry>> entries_of(const Git& git, const std::string& base,
                                      const std::string& head) {
  auto raw = git.run({"diff", "--raw", "-z", "--no-abbrev", "--no-ext-diff", "-M",
                      "--end-of-options", base, head});
  if (!raw) return std::unexpected(raw.error());
  return read_raw(split_fields(*raw));
}

}  // namespace

Result<ChangedFiles> changed_files(const Git& git, const std::string& base,
                                   const std::string& head) {
  auto entries = entries_of(git, base, head);
  if (!entries) return std::unexpected(entries.error());
  auto numstat = git.run({"diff", "--numstat", "-z", "--no-ext-diff", "--no-textconv", "-M",
                          "--end-of-options", base, head});
  if (!numstat) return std::unexpected(numstat.error());
  const auto numbers = read_numstat(split_fields(*numstat));
  auto sizes = sizes_of(git, *entries);
  if (!sizes) return std::unexpected(sizes.error());
  ChangedFiles all;
  all.base = base;
  all.head = head;
  all.count = entries->size();
  std::size_t path_bytes = 0;
  for (const auto& entry : *entries) {
    const auto known = numbers.find(entry.path);
    const auto of = known == numbers.end() ? Numbers{} : known->second;
    all.added += of.added;
    all.removed += of.removed;
    path_bytes += entry.path.size() + entry.old_path.size();
    if (all.listed.size() >= files_max || path_bytes > paths_bytes_max) {
      all.cut = true;
      continue;
    }
    FileChange file{entry.path,
                    entry.old_path,
                    entry.status.empty() ? 'M' : entry.status.front(),
                    of.added,
                    of.removed,
                    (*sizes)[entry.blob],
                    of.binary,
                    {},
                    false};
    if (entry.mode != "000000" && entry.mode != "100644") file.mode = entry.mode;
    all.listed.push_back(std::move(file));
  }
  return all;
}

void mark_seen(const Git& git, const std::string& base, const std::string& head,
               ChangedFiles& files) {
  if (!is_hash(base) || !is_hash(head)) return;
  auto before = entries_of(git, base, head);
  auto now = entries_of(git, files.base, files.head);
  if (!before || !now) return;
  const auto place = [](const Entry& entry) { return entry.path; };
  std::ranges::sort(*before, {}, place);
  std::set<std::string> same;
  for (const auto& entry : *now) {
    const auto found = std::ranges::lower_bound(*before, entry.path, {}, place);
    if (found != before->end() && *found == entry) same.insert(entry.path);
  }
  for (auto& file : files.listed) {
    file.seen = same.contains(file.path);
    files.seen += file.seen ? 1 : 0;
  }
}

json::object to_json(const FileChange& change) {
  json::object file{{"path", to_valid_utf8(change.path)},
                    {"status", std::string(1, change.status)},
                    {"added", change.added},
                    {"removed", change.removed},
                    {"bytes", change.bytes}};
  if (!change.old_path.empty()) file["old_path"] = to_valid_utf8(change.old_path);
  if (change.binary) file["binary"] = true;
  if (change.seen) file["seen"] = true;
  if (!change.mode.empty()) file["mode"] = change.mode;
  return file;
}

std::vector<FileChange> files_of(const json::value& changes) {
  std::vector<FileChange> all;
  const auto* files = find_path(changes, "files");
  if (files == nullptr || !files->is_array()) return all;
  for (const auto& value : files->get_array()) {
    FileChange file;
    file.path = find_text(value, "path").value_or("");
    file.old_path = find_text(value, "old_path").value_or("");
    file.mode = find_text(value, "mode").value_or("");
    const auto status = find_text(value, "status").value_or("M");
    file.status = status.empty() ? 'M' : status.front();
    file.added = find_integer(value, "added").value_or(0);
    file.removed = find_integer(value, "removed").value_or(0);
    file.bytes = find_integer(value, "bytes").value_or(0);
    file.binary = find_bool(value, "binary").value_or(false);
    file.seen = find_bool(value, "seen").value_or(false);
    if (!file.path.empty()) all.push_back(std::move(file));
  }
  return all;
}

}  // namespace vigil::entities::codebase
