// The configuration, backups, and the small verbs. What works on files works without a daemon.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>

#include "config/load.hpp"
#include "ctl/pages.hpp"
#include "ctl/verbs.hpp"
#include "storage/writer.hpp"

namespace vigil::ctl {
namespace {

json::object check_answer(const config::LoadResult& result) {
  json::object out;
  if (const auto* loaded = std::get_if<config::Loaded>(&result)) {
    json::array files;
    for (const auto& file : loaded->files) files.push_back(json::value(file));
    out["ok"] = true;
    out["files"] = std::move(files);
    return out;
  }
  const auto& diagnostics = std::get<std::vector<config::Diagnostic>>(result);
  json::array all;
  for (const auto& one : diagnostics) {
    all.push_back(json::object{{"file", one.file},
                               {"line", one.line},
                               {"column", one.column},
                               {"key", one.key},
                               {"message", one.message},
                               {"text", one.to_text()}});
  }
  out["ok"] = false;
  out["error"] = count_text(static_cast<std::int64_t>(diagnostics.size()), "mistake");
  out["diagnostics"] = std::move(all);
  return out;
}

int show_answer(const Session& session, const json::value& answer, Page page) {
  print(session.output == Output::json ? session.json_text(answer) : page(answer, session.style));
  return exit_ok;
}

}  // namespace

std::string default_config() {
  for (const char* path : {"./vigild.toml", "/etc/vigild/vigild.toml"}) {
    if (::access(path, R_OK) == 0) return path;
  }
  return {};
}

int check_config(const Session& session, const std::string& path) {
  if (path.empty()) {
    // Without a path the daemon's own files are meant; without a daemon the usual places.
    const auto reply = session.client.ask("GET", "/v1/config/check");
    if (reply && (reply->status == 200 || reply->status == 422)) {
      const auto answer = parse_json(reply->body);
      if (!answer) return tell(answer.error());
      (void)show_answer(session, *answer, check_page);  // the status says how it went
      return reply->status == 200 ? exit_ok : exit_failed;
    }
  }
  const auto from = path.empty() ? default_config() : path;
  if (from.empty()) {
    print_error(
        "vigilctl: no daemon answers, and there is neither ./vigild.toml nor "
        "/etc/vigild/vigild.toml: name a file, `vigilctl config check PATH`\n");
    return exit_failed;
  }
  const json::value answer(check_answer(config::load(from)));
  (void)show_answer(session, answer, check_page);  // the same
  return find_bool(answer, "ok").value_or(false) ? exit_ok : exit_failed;
}

int reload_config(const Session& session) {
  const auto answer = session.fetch("POST", "/v1/config/reload");
  if (!answer) return answer.error();
  return show_answer(session, *answer, [](const json::value& value, const Style& style) {
    return toned("reloaded", Tone::good, style) + "\n" + diff_page(value, style);
  });
}

int show_config(const Session& session) {
  const auto answer = session.fetch("GET", "/v1/config");
  if (!answer) return answer.error();
  return show_answer(session, *answer, [](const json::value& value, const Style&) {
    return safe_lines(find_text(value, "toml").value_or(""));
  });
}

int create_backup(const Session& session, const std::string& path) {
  json::object body;
  if (!path.empty()) {
    std::error_code error;
    body["path"] = std::filesystem::absolute(path, error).string();
  }
  const auto answer = session.fetch("POST", "/v1/backup", to_text(body), std::chrono::seconds{0});
  if (!answer) return answer.error();
  return show_answer(session, *answer, [](const json::value& value, const Style&) {
    const auto made = text_at(value, "path");
    return fmt::format("{} ({}); look into it with `vigilctl backup verify {}`\n", made,
                       bytes_text(number_at(value, "bytes")), made);
  });
}

int verify_backup(const Session& session, const std::string& path) {
  const auto verified = storage::verify(path);
  if (!verified) {
    print_error("vigilctl: " + safe_lines(verified.error().message) + "\n");
    return exit_failed;
  }
  const json::value answer = json::object{{"path", path},
                                          {"ok", true},
                                          {"schema_version", verified->schema_version},
                                          {"events", verified->events},
                                          {"decisions", verified->decisions},
                                          {"cases", verified->cases},
                                          {"last_event_at", verified->last_event_at}};
  return show_answer(session, answer, [](const json::value& value, const Style& style) {
    const auto last = text_at(value, "last_event_at");
    return fmt::format("{}: schema {}, {} events, {} decisions, {} cases{}\n",
                       toned("whole", Tone::good, style), number_at(value, "schema_version"),
                       number_at(value, "events"), number_at(value, "decisions"),
                       number_at(value, "cases"), last.empty() ? "" : ", last event " + last);
  });
}

int restore_backup(const Session& session, const std::string& path, const std::string& state_dir) {
  const auto restored = storage::restore(path, state_dir);
  if (!restored) {
    print_error("vigilctl: " + safe_lines(restored.error().message) + "\n");
    return exit_failed;
  }
  const json::value answer = json::object{{"ok", true}, {"path", path}, {"state_dir", state_dir}};
  return show_answer(session, answer, [](const json::value& value, const Style&) {
    return fmt::format("{} is in place in {}; the old database is beside it. Start vigild again.\n",
                       text_at(value, "path"), text_at(value, "state_dir"));
  });
}

int show_metrics(const Session& session) {
  const auto reply = session.client.ask("GET", "/metrics");
  if (!reply) return tell(reply.error());
  if (reply->status >= 400) return tell_refusal(*reply);
  if (session.output == Output::page) {
    print(reply->body);
    return exit_ok;
  }
  json::object out;  // {"name{labels}": number}
  std::string_view rest = reply->body;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const auto blank = line.rfind(' ');
    if (line.empty() || line.starts_with('#') || blank == std::string_view::npos) continue;
    auto number = parse_json(line.substr(blank + 1));
    out[line.substr(0, blank)] = number ? std::move(*number) : json::value(line.substr(blank + 1));
  }
  print(session.json_text(out));
  return exit_ok;
}

int show_version(const Session& session) {
  json::object out{{"vigilctl", VIGIL_VERSION}, {"vigild", nullptr}};
  const auto reply = session.client.ask("GET", "/v1", {}, std::chrono::seconds{5});
  if (reply && reply->status == 200) {
    const auto answer = parse_json(reply->body);
    if (answer) out["vigild"] = json::value(find_text(*answer, "version").value_or("?"));
  }
  return show_answer(session, out, [](const json::value& value, const Style&) {
    const auto daemon = text_at(value, "vigild");
    return fmt::format("vigilctl {}\n{}\n", text_at(value, "vigilctl"),
                       daemon.empty() ? "vigild is not running here" : "vigild " + daemon);
  });
}

}  // namespace vigil::ctl
