#include "entities/codebase/commit_objects.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <charconv>
#include <map>
#include <optional>

#include "core/time.hpp"
#include "entities/codebase/finding.hpp"
#include "entities/codebase/look.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t message_bytes_max = 4000;
constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t files_max = 300;  // of one commit

// A prefix that ends between two characters.
std::string shortened(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0U) == 0x80) {
      --bytes_max;
    }
    text = text.substr(0, bytes_max);
  }
  return to_valid_utf8(text);
}

struct Signed {
  json::object person;
  std::string time;
};

// NAME <ADDRESS> SECONDS ZONE
Signed read_signature(std::string_view line) {
  Signed out;
  const auto open = line.find('<');
  const auto close = line.rfind('>');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return out;
  auto name = line.substr(0, open);
  while (name.ends_with(' ')) name.remove_suffix(1);
  const auto address = line.substr(open + 1, close - open - 1);
  out.person = {{"name", one_line(name, name_bytes_max)},
                {"email", one_line(address, name_bytes_max)}};
  auto rest = line.substr(close + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), seconds);
  constexpr std::int64_t year_9999 = 253'402'300'799;
  if (error == std::errc{} && seconds >= 0 && seconds <= year_9999) {
    out.time = to_rfc3339(TimePoint{std::chrono::seconds{seconds}});
  }
  return out;
}

json::object read_commit(const std::string& hash, std::string_view raw) {
  json::object commit{{"id", hash}, {"distinct", true}};
  while (!raw.empty() && raw.front() != '\n') {
    const auto line = raw.substr(0, raw.find('\n'));
    raw.remove_prefix(std::min(raw.size(), line.size() + 1));
    const auto value = line.substr(std::min(line.size(), line.find(' ') + 1));
    if (line.starts_with("tree ") && is_hash(value)) commit["tree_id"] = std::string(value);
    if (line.starts_with("author ")) {
      auto author = read_signature(value);
      commit["author"] = std::move(author.person);
      if (!author.time.empty()) commit["timestamp"] = author.time;
    }
    if (line.starts_with("committer ")) commit["committer"] = read_signature(value).person;
  }
  if (!raw.empty()) raw.remove_prefix(1);
  while (raw.ends_with('\n')) raw.remove_suffix(1);
  commit["message"] = shortened(raw, message_bytes_max);
  return commit;
}

// "<hash> commit <size>\n<bytes>\n" for each that is there.
std::map<std::string, json::object> read_batch(std::string_view text) {
  std::map<std::string, json::object> commits;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    std::size_t size = 0;
    if (first == std::string_view::npos || last == first) continue;  // "<hash> missing"
    const auto [end, error] =
        std::from_chars(line.data() + last + 1, line.data() + line.size(), size);
    if (error != std::errc{} || size > text.size()) break;
    const std::string hash(line.substr(0, first));
    if (line.substr(first + 1, last - first - 1) == "commit") {
      commits.emplace(hash, read_commit(hash, text.substr(0, size)));
    }
    text.remove_prefix(std::min(text.size(), size + 1));
  }
  return commits;
}

struct Files {
  json::array added, removed, modified;
  bool cut = false;
  void take(char status, std::string_view path) {
    if (added.size() + removed.size() + modified.size() >= files_max) {
      cut = true;
      return;
    }
    auto& list = status == 'A' ? added : status == 'D' ? removed : modified;
    list.emplace_back(to_valid_utf8(path));
  }
};

// A hash, then pairs of a status and a path, until the next hash: where a status may stand no path
// does, so none can pass for a hash.
std::map<std::string, Files> read_files(std::string_view text) {
  std::map<std::string, Files> all;
  Files* into = nullptr;
  const auto fields = split_fields(text);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (is_hash(fields[i]) && fields[i].size() >= 40) {
      into = &all[fields[i]];
    } else if (into != nullptr && !fields[i].empty() && i + 1 < fields.size()) {
      into->take(fields[i].front(), fields[i + 1]);
      ++i;
    }
  }
  return all;
}

}  // namespace

json::array describe_commits(const Git& git, const std::vector<std::string>& hashes) {
  json::array out;
  std::string asked;
  for (const auto& hash : hashes) {
    if (is_hash(hash)) asked += hash + "\n";
  }
  if (asked.empty()) return out;
  auto objects = git.run({"cat-file", "--batch"}, asked);
  if (!objects) return out;
  auto commits = read_batch(*objects);
  auto names = git.run({"diff-tree", "--stdin", "-r", "-z", "--root", "--name-status", "-m",
                        "--first-parent", "--no-renames"},
                       asked);
  auto files = names ? read_files(*names) : std::map<std::string, Files>{};
  for (const auto& hash : hashes) {
    const auto found = commits.find(hash);
    if (found == commits.end()) continue;
    auto commit = std::move(found->second);
    auto& of = files[hash];
    commit["added"] = std::move(of.added);
    commit["removed"] = std::move(of.removed);
    commit["modified"] = std::move(of.modified);
    if (of.cut) commit["files_cut"] = true;
    out.emplace_back(std::move(commit));
    commits.erase(found);
  }
  return out;
}

}  // namespace vigil::entities::codebase
