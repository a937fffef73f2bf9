#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/json/array.hpp>
#include <filesystem>

#include "core/log.hpp"
#include "daemon/admin/handlers.hpp"
#include "daemon/admin/views.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

json::array views_of_all(const std::vector<config::Diagnostic>& diagnostics) {
  json::array out;
  for (const auto& one : diagnostics) {
    out.push_back(json::object{{"file", one.file},
                               {"line", one.line},
                               {"column", one.column},
                               {"key", one.key},
                               {"message", one.message},
                               {"text", one.to_text()}});
  }
  return out;
}

ingress::Response refused(const std::vector<config::Diagnostic>& diagnostics) {
  json::object out{{"ok", false},
                   {"error", fmt::format("the configuration has {} mistake{}", diagnostics.size(),
                                         diagnostics.size() == 1 ? "" : "s")},
                   {"hint", "correct the places named; the configuration in force stays"}};
  out["diagnostics"] = views_of_all(diagnostics);
  return json_response(out, 422);
}

json::array texts_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const auto& text : texts) out.push_back(json::value(text));
  return out;
}

json::object difference_view(const config::Difference& difference) {
  json::array changes;
  for (const auto& change : difference.changes) {
    changes.push_back(json::object{{"key", change.key}, {"what", change.what}});
  }
  return {{"changes", std::move(changes)}, {"needs_restart", texts_of(difference.needs_restart)}};
}

}  // namespace

Answer get_config(Desk& desk, const Call&) {
  return json_response(json::object{{"toml", config::to_toml(desk.parts.settings())}});
}

Answer check_config(Desk& desk, const Call&) {
  const auto read = desk.parts.read_config();
  if (const auto* diagnostics = std::get_if<std::vector<config::Diagnostic>>(&read)) {
    return refused(*diagnostics);
  }
  return json_response(
      json::object{{"ok", true}, {"files", texts_of(std::get<config::Loaded>(read).files)}});
}

Answer diff_config(Desk& desk, const Call&) {
  const auto read = desk.parts.read_config();
  if (const auto* diagnostics = std::get_if<std::vector<config::Diagnostic>>(&read)) {
    return refused(*diagnostics);
  }
  const auto& after = std::get<config::Loaded>(read).settings;
  return json_response(difference_view(config::difference(desk.parts.settings(), after)));
}

asio::awaitable<Answer> reload_config(Desk& desk, Call call) {
  const config::Settings before = desk.parts.settings();
  const auto reloaded = desk.parts.reload();
  if (const auto* diagnostics = std::get_if<std::vector<config::Diagnostic>>(&reloaded)) {
    co_return refused(*diagnostics);
  }
  const auto& loaded = std::get<config::Loaded>(reloaded);
  auto out = difference_view(config::difference(before, loaded.settings));
  out["ok"] = true;
  out["files"] = texts_of(loaded.files);
  log_info("the configuration was reloaded: changes={} uid={}", out.at("changes").as_array().size(),
           call.request.peer.uid);
  co_return json_response(out);
}

asio::awaitable<Answer> make_backup(Desk& desk, Call call) {
  namespace fs = std::filesystem;
  constexpr std::size_t path_max = 4'000;
  const auto body = call.body({"path"});
  if (!body) co_return std::unexpected(body.error());
  const auto given = text_member(*body, "path", path_max);
  if (!given) co_return std::unexpected(given.error());
  fs::path path = *given;
  std::error_code error;
  if (path.empty()) {
    const fs::path folder = fs::absolute(desk.parts.state_dir, error) / "backups";
    if (fs::create_directory(folder, error)) ::chmod(folder.c_str(), 0700);
    auto name = "vigil-" + to_rfc3339(desk.parts.clock.now()).substr(0, 19) + ".db";
    std::erase(name, ':');
    path = folder / name;
  }
  if (!path.is_absolute()) {
    co_return refuse(400, fmt::format("{} is not an absolute path", vigil::quoted(path.string())),
                     "the daemon has another working directory than you: give the whole path");
  }
  if (!fs::is_directory(path.parent_path(), error)) {
    co_return refuse(
        400, fmt::format("there is no folder {}", vigil::quoted(path.parent_path().string())),
        "make the folder first; the daemon must be able to write into it");
  }
  if (fs::exists(path, error)) {
    co_return refuse(409, fmt::format("{} is there already", vigil::quoted(path.string())),
                     "a backup never replaces a file: choose another name");
  }
  const auto text = path.string();
  auto backing = desk.parts.writer.backup(text);
  Result<void> backed = co_await std::move(backing);
  if (!backed) co_return refuse(backed.error());
  const auto bytes = fs::file_size(path, error);
  log_info("a backup was made: path={} uid={}", vigil::quoted(text), call.request.peer.uid);
  json::object out{{"path", text}, {"bytes", error ? 0 : static_cast<std::int64_t>(bytes)}};
  co_return json_response(out, 201);
}

}  // namespace vigil::admin
