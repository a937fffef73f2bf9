#include "entities/knowledge/folder.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/digest.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "entities/knowledge/document.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::knowledge {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t folders_max = 5'000;
constexpr int depth_max = 32;

std::string suffix_of(const fs::path& path) {
  auto out = path.extension().string();
  if (out.starts_with('.')) out.erase(0, 1);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

bool is_ignored(const std::string& name, const Wanted& wanted) {
  return std::ranges::any_of(wanted.ignore, [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

// Files by their path within the folder. Links are not followed: they may lead out of it, or in
// circles.
std::vector<fs::path> files_in(const Wanted& wanted, FolderLook& look) {
  std::vector<fs::path> out;
  std::error_code error;
  look.folders.push_back(wanted.path);
  fs::recursive_directory_iterator at(wanted.path, fs::directory_options::skip_permission_denied,
                                      error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    std::error_code gone;  // it may go away while it is looked at
    const bool link = at->is_symlink(gone);
    const bool folder = !link && at->is_directory(gone);
    const auto name = at->path().filename().string();
    if (link || is_ignored(name, wanted)) {
      if (folder) at.disable_recursion_pending();
      continue;
    }
    if (folder) {
      if (at.depth() >= depth_max) at.disable_recursion_pending();
      if (look.folders.size() < folders_max) look.folders.push_back(at->path().string());
      continue;
    }
    const bool read = at->is_regular_file(gone) &&
                      std::ranges::count(wanted.suffixes, suffix_of(at->path())) > 0 &&
                      is_valid_utf8(at->path().string());
    if (!read) continue;
    const auto bytes = at->file_size(gone);
    if (gone || bytes > wanted.file_bytes_max || out.size() >= wanted.files_max) {
      ++look.left_out;
      continue;
    }
    out.push_back(at->path());
  }
  std::ranges::sort(out);
  return out;
}

std::string quick_stamp(const fs::path& path) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  const auto time = fs::last_write_time(path, error);
  return fmt::format("{} {} ", bytes, time.time_since_epoch().count());
}

std::optional<FoundFile> read_file(const fs::path& path, const std::string& name,
                                   const Wanted& wanted) {
  const auto known = wanted.known.find(name);
  const auto quick = quick_stamp(path);
  if (known != wanted.known.end() && known->second.starts_with(quick)) return std::nullopt;
  FoundFile out;
  out.path = name;
  const auto bytes = ops::read_bounded(path.string(), wanted.file_bytes_max);
  if (!bytes) {
    out.stamp = quick;
    out.trouble = bytes.error().message;
    return out;
  }
  const auto digest = to_hex(as_bytes(sha256(*bytes)));
  out.stamp = quick + digest;
  out.same = known != wanted.known.end() && known->second.ends_with(" " + digest);
  if (out.same) return out;
  auto document = read_document(path.string(), suffix_of(path), *bytes);
  if (!document) {
    out.trouble = document.error().message;
    return out;
  }
  out.title = std::move(document->title);
  out.text = std::move(document->text);
  return out;
}

}  // namespace

Result<FolderLook> look_at_folder(const Wanted& wanted, std::size_t bytes_max) {
  std::error_code error;
  if (!fs::is_directory(wanted.path, error)) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no folder {}", vigil::quoted(wanted.path)));
  }
  FolderLook out;
  std::set<std::string> there;
  std::size_t bytes = 0;
  for (const auto& path : files_in(wanted, out)) {
    auto name = path.lexically_relative(wanted.path).string();
    there.insert(name);
    if (bytes > bytes_max) {
      out.more = true;
      continue;  // still there, if unread
    }
    auto file = read_file(path, name, wanted);
    if (!file) continue;
    bytes += file->text.size() + 1'000;
    out.files.push_back(std::move(*file));
  }
  for (const auto& [name, stamp] : wanted.known) {
    if (!there.contains(name)) out.gone.push_back(name);
  }
  return out;
}

}  // namespace vigil::entities::knowledge
