#include "entities/codebase/look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "core/log.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::int64_t depth_default = 5;
constexpr std::int64_t depth_max = 1000;
constexpr std::size_t files_max = 3000;
constexpr std::size_t paths_bytes_max = 1024 * 1024;

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

struct Entry {
  std::string status;
  std::string path;
  std::string old_path;
  std::string blob;
  std::string mode;
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
    entry.mode = words[1];
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

json::object file_to_json(const Entry& entry, const Numbers& numbers, std::int64_t bytes) {
  json::object file{{"path", to_valid_utf8(entry.path)},
                    {"status", entry.status},
                    {"added", numbers.added},
                    {"removed", numbers.removed},
                    {"bytes", bytes}};
  if (!entry.old_path.empty()) file["old_path"] = to_valid_utf8(entry.old_path);
  if (numbers.binary) file["binary"] = true;
  if (entry.mode != "000000" && entry.mode != "100644") file["mode"] = entry.mode;
  return file;
}

}  // namespace

std::vector<std::string> split_fields(std::string_view text) {
  std::vector<std::string> fields;
  while (!text.empty()) {
    const auto end = text.find('\0');
    fields.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return fields;
}

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
  const std::vector<std::string> common{"-M", "--end-of-options", range->base, range->head};
  const auto with = [&](std::vector<std::string> start) {
    start.insert(start.end(), common.begin(), common.end());
    return start;
  };
  auto raw = git.run(with({"diff", "--raw", "-z", "--no-abbrev", "--no-ext-diff"}));
  if (!raw) return std::unexpected(raw.error());
  auto numstat = git.run(with({"diff", "--numstat", "-z", "--no-ext-diff", "--no-textconv"}));
  if (!numstat) return std::unexpected(numstat.error());
  const auto entries = read_raw(split_fields(*raw));
  const auto numbers = read_numstat(split_fields(*numstat));
  auto sizes = sizes_of(git, entries);
  if (!sizes) return std::unexpected(sizes.error());
  std::int64_t added = 0;
  std::int64_t removed = 0;
  std::size_t path_bytes = 0;
  json::array files;
  for (const auto& entry : entries) {
    const auto known = numbers.find(entry.path);
    const auto of = known == numbers.end() ? Numbers{} : known->second;
    added += of.added;
    removed += of.removed;
    path_bytes += entry.path.size() + entry.old_path.size();
    if (files.size() >= files_max || path_bytes > paths_bytes_max) continue;
    files.emplace_back(file_to_json(entry, of, (*sizes)[entry.blob]));
  }
  if (files.size() < entries.size()) {
    range->why += fmt::format("; only the first {} of its files are listed", files.size());
  }
  json::object out{{"repository", git.repository()},
                   {"base", range->base},
                   {"head", range->head},
                   {"as_asked", range->as_asked},
                   {"why", range->why},
                   {"added", added},
                   {"removed", removed},
                   {"file_count", entries.size()}};
  if (!text_of(asked, "head").empty()) out["asked_head"] = text_of(asked, "head");
  out["summary"] = fmt::format("{} files, +{} -{}: {}", entries.size(), added, removed, range->why);
  out["files"] = std::move(files);
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

Result<Diff> Look::diff() const {
  auto text = git_.run({"diff", "-U0", "-M", "--no-color", "--no-ext-diff", "--no-textconv",
                        "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short",
                        "--ignore-submodules=none", "--end-of-options", base(), head()});
  if (!text) return std::unexpected(text.error());
  auto diff = parse_diff(*text);
  diff.cut |= text->size() >= Git::output_bytes_max;
  return diff;
}

}  // namespace vigil::entities::codebase
