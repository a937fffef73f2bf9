#include "entities/calendar/look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <set>

#include "core/log.hpp"
#include "entities/calendar/calendar.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::calendar {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 10'000;
constexpr std::size_t looked_at_max = 2'000;  // occurrences of one source

struct Text {
  std::string name;
  std::string text;
};

Result<std::vector<Text>> texts_at(const std::string& path, json::array& folders) {
  std::vector<Text> out;
  std::size_t bytes = 0;
  const auto add = [&](const fs::path& file) -> Result<void> {
    auto text = ops::read_bounded(file.string(), calendar_bytes_max);
    if (!text) return std::unexpected(text.error());
    bytes += text->size();
    if (bytes > calendar_bytes_max) {
      return fail(ErrorCode::too_large,
                  fmt::format("the calendars in {} are larger than {} bytes together",
                              vigil::quoted(path), calendar_bytes_max));
    }
    out.push_back({file.filename().string(), std::move(*text)});
    return {};
  };
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    folders.emplace_back(fs::path(path).parent_path().string());
    if (auto added = add(path); !added) return std::unexpected(added.error());
    return out;
  }
  folders.emplace_back(path);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with('.') || !name.ends_with(".ics") || files.size() >= files_max) continue;
    files.push_back(entry.path());
  }
  if (error) {
    return fail(ErrorCode::not_found,
                fmt::format("cannot read {}: {}", vigil::quoted(path), error.message()));
  }
  std::ranges::sort(files);
  for (const auto& file : files) {
    // One that went away meanwhile is no failure of the others.
    if (!fs::exists(file, error)) continue;
    if (auto added = add(file); !added) return std::unexpected(added.error());
  }
  return out;
}

std::vector<Text> texts_in(const json::value& input) {
  std::vector<Text> out;
  const auto* documents = find_path(input, "documents");
  if (documents == nullptr || !documents->is_array()) return out;
  for (const auto& one : documents->get_array()) {
    out.push_back({std::string(find_text(one, "href").value_or("")),
                   std::string(find_text(one, "text").value_or(""))});
  }
  return out;
}

}  // namespace

Result<json::value> run_look(const Request& request) {
  const auto& input = request.input;
  const auto now = parse_rfc3339(ops::text_in(input, "now", ""));
  const auto ahead = ops::time_in(input, "ahead", std::chrono::hours(24 * 35));
  const auto zone = Zone::find(ops::text_in(input, "zone", "UTC"));
  if (!now) return fail(ErrorCode::invalid_input, "now: expected an RFC 3339 time");
  if (!ahead) return std::unexpected(ahead.error());
  if (!zone) return fail(ErrorCode::invalid_input, "zone: expected a name such as Europe/Berlin");
  json::array folders;
  auto texts = texts_in(input);
  if (const auto path = ops::text_in(input, "path", ""); !path.empty()) {
    auto read = texts_at(path, folders);
    if (!read) return std::unexpected(read.error());
    texts = std::move(*read);
  }
  json::array list;
  json::array troubles;
  std::set<std::string> seen;
  bool cut = false;
  const bool alone = texts.size() == 1;
  for (const auto& [name, text] : texts) {
    const auto calendar = read_calendar(text, *zone);
    if (!calendar) {
      auto trouble = fmt::format("{}: {}", vigil::quoted(name), calendar.error().message);
      // Half a file is no reason to call everything in it off.
      if (alone) return fail(calendar.error().code, std::move(trouble));
      troubles.emplace_back(std::move(trouble));
      continue;
    }
    const auto found =
        occurrences(*calendar, Window::of_instants(*now, *now + *ahead), looked_at_max);
    cut = cut || found.cut;
    for (const auto& one : found.occurrences) {
      auto key = fmt::format("{}#{}", one.part->uid, one.id);
      if (list.size() >= looked_at_max || !seen.insert(key).second) continue;
      auto event = to_json(one);
      event["key"] = std::move(key);
      list.push_back(std::move(event));
    }
    for (const auto& trouble : calendar->troubles) {
      if (troubles.size() < 100) troubles.emplace_back(fmt::format("{}: {}", name, trouble));
    }
  }
  return json::object{{"occurrences", std::move(list)},
                      {"cut", cut},
                      {"folders", std::move(folders)},
                      {"troubles", std::move(troubles)}};
}

}  // namespace vigil::entities::calendar
