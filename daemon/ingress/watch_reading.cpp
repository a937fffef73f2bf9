#include "daemon/ingress/watch_reading.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>

#include "core/log.hpp"

namespace vigil::ingress {
namespace {

constexpr std::size_t output_bytes_max = 64 * 1024 * 1024;
constexpr std::size_t subject_bytes_max = 200;

std::string text_at(const json::value& value, std::string_view path) {
  return std::string(find_text(value, path).value_or(""));
}

bool is_null(std::string_view id) { return id.find_first_not_of('0') == std::string_view::npos; }

std::string short_ref(std::string_view ref) {
  for (const std::string_view start : {"refs/heads/", "refs/tags/", "refs/"}) {
    if (ref.starts_with(start)) return std::string(ref.substr(start.size()));
  }
  return std::string(ref);
}

json::value payload_of(const json::object& change, const config::Repository& settings) {
  json::object payload = change;
  const auto name = repository_name(settings);
  payload["repository"] = json::object{
      {"full_name", name}, {"name", name.substr(name.rfind('/') + 1)}, {"path", settings.path}};
  if (const auto* head = change.if_contains("head_commit"); head != nullptr) {
    if (const auto author = find_text(*head, "author.name")) {
      payload["pusher"] = json::object{{"name", *author}};
    }
  }
  return json::value(std::move(payload));
}

}  // namespace

std::string repository_name(const config::Repository& settings) {
  if (!settings.name.empty()) return settings.name;
  auto folder = std::filesystem::path(settings.path).lexically_normal();
  if (folder.filename().empty()) folder = folder.parent_path();
  if (folder.filename() == ".git") folder = folder.parent_path();
  auto name = folder.filename().string();
  if (name.ends_with(".git")) name.resize(name.size() - 4);
  return to_valid_utf8(name.empty() ? "repository" : name);
}

std::string look_form(const config::Repository& settings) {
  return fmt::format("{}\n{}", settings.path, fmt::join(settings.refs, "\n"));
}

swarm::Task reading_task(const config::Repository& settings, std::vector<std::string> read_paths,
                         const KnownRefs& known, LookKind kind) {
  swarm::Task task;
  task.name = "pushes";
  task.builtin = "codebase.pushes";
  task.containment = swarm::Containment::strict;
  task.read_paths = std::move(read_paths);
  task.output_bytes_max = output_bytes_max;
  task.timeout = settings.timeout;
  json::array refs;
  for (const auto& pattern : settings.refs) refs.emplace_back(pattern);
  json::object input{{"repository", settings.path},
                     {"refs", std::move(refs)},
                     {"commits_max", settings.commits_max}};
  if (kind == LookKind::first) {
    input["brief"] = !settings.backfill;
  } else {
    json::object pointed;
    pointed.reserve(known.size());
    for (const auto& [ref, id] : known) pointed[ref] = id;
    input["known"] = std::move(pointed);
  }
  task.input = std::move(input);
  return task;
}

Result<RefReading> read_answer(const std::string& source, const config::Repository& settings,
                               Taint taint, const json::value& result, TimePoint now) {
  const auto* changes = find_path(result, "changes");
  const auto* folders = find_path(result, "folders");
  if (changes == nullptr || !changes->is_array() || folders == nullptr || !folders->is_array()) {
    return fail(ErrorCode::internal, "vigil-task gave no list of changes: is it of this version?");
  }
  RefReading reading;
  for (const auto& folder : folders->get_array()) {
    if (folder.is_string()) reading.folders.emplace_back(std::string_view(folder.get_string()));
  }
  const auto name = repository_name(settings);
  for (const auto& one : changes->get_array()) {
    const auto ref = text_at(one, "ref");
    const auto before = text_at(one, "before");
    const auto after = text_at(one, "after");
    if (!one.is_object() || ref.empty() || after.empty()) continue;
    Change change;
    change.ref = ref;
    change.now = is_null(after) ? "" : after;
    change.payload = payload_of(one.get_object(), settings);
    auto& event = change.event;
    event.uid = fmt::format("{} {}..{} {}", ref, before, after, to_unix_us(now));
    event.source = source;
    event.type = settings.type;
    event.subject = fmt::format("{}@{}", name, short_ref(ref)).substr(0, subject_bytes_max);
    event.subject = to_valid_utf8(event.subject);
    event.time = now;
    event.received_at = now;
    event.content_type = "application/json";
    event.taint = taint;
    event.data = to_text(change.payload);
    reading.changes.push_back(std::move(change));
  }
  return reading;
}

}  // namespace vigil::ingress
