// Files dropped into a folder: each is read once.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <filesystem>
#include <set>

#include "core/log.hpp"
#include "entities/feeds/follow.hpp"
#include "entities/feeds/html_text.hpp"

namespace vigil::entities::feeds {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t files_max = 20'000;
constexpr std::size_t document_bytes_max = 4 * 1024 * 1024;

bool fits(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// What programs write before they rename it.
bool is_unfinished(std::string_view name) {
  if (name.starts_with('.') || name.ends_with('~')) return true;
  for (const std::string_view ending : {".tmp", ".part", ".partial", ".filepart", ".crdownload"}) {
    if (name.ends_with(ending)) return true;
  }
  return false;
}

Result<std::vector<std::string>> names_in(const FollowForm& form) {
  std::error_code unreadable;
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(form.path, unreadable)) {
    auto name = entry.path().filename().string();
    const auto wanted = [&](const std::string& pattern) { return fits(pattern, name); };
    if (is_unfinished(name) || !std::ranges::any_of(form.names, wanted)) continue;
    if (out.size() >= files_max) {
      return fail(ErrorCode::too_large,
                  fmt::format("there are more than {} files in {}: move away what was read",
                              files_max, vigil::quoted(form.path)));
    }
    out.push_back(std::move(name));
  }
  if (unreadable) {
    return fail(ErrorCode::unavailable,
                fmt::format("cannot read {}: {}", vigil::quoted(form.path), unreadable.message()));
  }
  std::ranges::sort(out);
  return out;
}

// A file with one document of JSON over many lines, or a list of them.
bool read_document(const OpenFile& file, const std::string& name, const FollowForm& form,
                   Items& items) {
  if (form.form != LineForm::json || file.size() > document_bytes_max) return false;
  auto document = parse_json(file.read(0, document_bytes_max));
  if (!document) return false;
  const json::array one{*document};
  std::size_t number = 0;
  for (const auto& each : document->is_array() ? document->get_array() : one) {
    Item item;
    item.id = short_id(fmt::format("{}:{}:{}", file.inode(), number++, name));
    const auto subject = find_scalar_text(each, form.subject_path);
    item.subject =
        cut_text(form.subject_path.empty() || !subject ? name : *subject, subject_bytes_max);
    item.data = each;
    items.all.push_back(std::move(item));
  }
  return true;
}

// True: it is read to its end.
bool read_file(const OpenFile& file, const std::string& name, const FollowForm& form, Mark& mark,
               Items& items) {
  if (mark.offset == 0 && read_document(file, name, form, items)) {
    mark = file.mark_at(file.size());
    return true;
  }
  return !read_on(file, name, form, Tail::is_complete, mark, items);
}

}  // namespace

Result<Followed> follow_folder(const FollowForm& form, const State& state) {
  const auto names = names_in(form);
  if (!names) return std::unexpected(names.error());
  Followed out;
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  std::set<std::string> there;
  for (const auto& name : *names) {
    const auto key = "f:" + name;
    there.insert(key);
    if (out.more) continue;  // only which are there
    const auto file = OpenFile::open(form.path + "/" + name);
    if (!file) continue;
    const auto known = state.find(key);
    const auto before = known == state.end() ? std::nullopt : parse_mark(known->second);
    const bool same = before && before->inode == file->inode() && file->is_of(*before);
    if (same && before->offset == file->size()) continue;
    if (form.is_first && !form.backfill) {
      out.state[key] = mark_text(file->mark_at(file->size()));
      continue;
    }
    if (now - file->changed() < form.settle) {
      out.pending = true;
      continue;
    }
    Mark mark = same && before->offset < file->size() ? *before : file->mark_at(0);
    out.more = !read_file(*file, name, form, mark, out.items) || !out.items.all.empty();
    out.state[key] = mark_text(mark);
  }
  for (const auto& [key, value] : state) {
    if (key.starts_with("f:") && !there.contains(key)) out.gone.push_back(key);
  }
  return out;
}

}  // namespace vigil::entities::feeds
