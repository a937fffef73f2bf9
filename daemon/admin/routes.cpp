#include "daemon/admin/routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/log.hpp"
#include "daemon/admin/handlers.hpp"

namespace vigil::admin {
namespace {

constexpr std::string_view get = "GET";
constexpr std::string_view post = "POST";

using Text = std::string_view;
Route read(Text pattern, Text parameters, Text purpose, Read handler) {
  return {get, pattern, parameters, purpose, handler};
}
Route read(Text pattern, Text parameters, Text purpose, Act handler) {
  return {get, pattern, parameters, purpose, nullptr, handler};
}
// The journal says who put an event there, and a look changes nothing: neither is audited.
Route tell(Text pattern, Text purpose, Act handler) {
  return {post, pattern, "", purpose, nullptr, handler, Role::operate};
}
Route operate(Text pattern, Text purpose, Act handler) {
  return {post, pattern, "", purpose, nullptr, handler, Role::operate, true};
}
Route change(Text method, Text pattern, Text parameters, Text purpose, Act handler) {
  return {method, pattern, parameters, purpose, nullptr, handler, Role::admin, true};
}

// clang-format off
const std::array table{
    read("/healthz", "", "is the daemon's loop alive", get_health),
    read("/readyz", "", "would an event be accepted now", get_ready),
    read("/metrics", "", "numbers for Prometheus", get_metrics),
    read("/v1", "", "the routes", list_routes),
    read("/v1/status", "", "what the daemon does now", get_status),
    read("/v1/doctor", "", "what the daemon finds wrong with itself", examine),
    change(post, "/v1/safe-mode/leave", "", "decide and act again", leave_safe_mode),
    read("/v1/entities", "", "who lives here", list_entities),
    read("/v1/entities/{name}", "", "one entity with what it knows", get_entity),
    operate("/v1/entities/{name}/pause", "its wakes wait", pause_entity),
    operate("/v1/entities/{name}/resume", "its wakes go on", resume_entity),
    read("/v1/events", "source type before limit", "the journal, newest first", list_events),
    tell("/v1/events", "put an event into the journal", emit_event),
    read("/v1/events/{id}", "", "one event with its payload", get_event),
    read("/v1/events/{id}/explain", "", "what became of it and why", explain_event),
    operate("/v1/events/{id}/replay", "route it once more", replay_event),
    tell("/v1/sources/{name}/poke", "look at it now", poke_source),
    read("/v1/cases", "entity key state before limit", "cases, newest first", list_cases),
    read("/v1/cases/{id}", "limit", "one case with its timeline", get_case),
    read("/v1/decisions", "entity before limit", "the ledger, newest first", list_decisions),
    read("/v1/decisions/{id}", "", "one line of the ledger", get_decision),
    read("/v1/swarms", "entity state before limit", "swarms, newest first", list_swarms),
    change(post, "/v1/swarms", "", "run a plan", run_swarm),
    read("/v1/swarms/trend", "entity days", "how they do, day by day", swarm_trend),
    read("/v1/swarms/{id}", "results", "one swarm with its tasks and numbers", get_swarm),
    operate("/v1/swarms/{id}/cancel", "stop it", cancel_swarm),
    operate("/v1/swarms/{id}/retry", "run what is not done again", retry_swarm),
    read("/v1/actions", "entity state before limit", "actions, newest first", list_actions),
    read("/v1/actions/{id}", "", "one action", get_action),
    operate("/v1/actions/{id}/approve", "let it go out", approve_action),
    operate("/v1/actions/{id}/deny", "never let it go out", deny_action),
    operate("/v1/actions/{id}/feedback", "was it useful", give_feedback),
    read("/v1/timers", "limit", "timers of cases, by time", list_timers),
    read("/v1/timers/next", "limit", "timers and schedules, by time", list_next),
    read("/v1/dead", "limit", "wakes that could not be decided", list_dead),
    operate("/v1/dead/{id}/retry", "decide it again", retry_dead),
    operate("/v1/dead/{id}/drop", "give it up", drop_dead),
    read("/v1/memory/search", "q entity limit", "full-text search", search_memory),
    read("/v1/memory/{name}", "prefix limit", "what an entity remembers", get_memory),
    read("/v1/memory/{name}/documents", "prefix limit", "what it wrote", list_documents),
    read("/v1/memory/{name}/document", "key", "one document", get_document),
    change("DELETE", "/v1/memory/{name}", "prefix everything", "forget", forget_memory),
    change(post, "/v1/memory/{name}/facts", "", "set a fact", set_fact),
    operate("/v1/memory/{name}/consolidate", "what the night does, now", consolidate_memory),
    change(get, "/v1/memory/{name}/export", "", "a mind as JSON lines", export_memory),
    change(post, "/v1/memory/{name}/import", "", "bring such lines back", import_memory),
    read("/v1/budget", "day", "what was spent and set aside, beside the limits", get_budget),
    read("/v1/config", "", "the configuration in force, as TOML", get_config),
    read("/v1/config/check", "", "would the files on disk be taken", check_config),
    read("/v1/config/diff", "", "what a reload would change", diff_config),
    change(post, "/v1/config/reload", "", "take the files on disk", reload_config),
    change(post, "/v1/backup", "", "a consistent copy of the database", make_backup),
    read("/v1/audit", "before limit", "who asked for what, newest first", list_audit),
    read("/v1/ledger/verify", "", "is it what was written", verify_ledger),
    read("/v1/tail", "topics entity case swarm source type", "what happens, as it happens", tail),
};
// clang-format on

std::string_view next_segment(std::string_view& path) {
  const auto end = path.find('/', 1);
  const auto segment = path.substr(1, end == std::string_view::npos ? end : end - 1);
  path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
  return segment;
}

// How well the path fits: -1 not at all, else the number of segments that are equal, so that
// /v1/timers/next is preferred to /v1/timers/{id}.
int fit(std::string_view pattern, std::string_view path, std::vector<std::string_view>& names) {
  names.clear();
  int equal = 0;
  while (!pattern.empty() && !path.empty()) {
    const auto wanted = next_segment(pattern);
    const auto given = next_segment(path);
    if (wanted.starts_with('{')) {
      if (given.empty()) return -1;
      names.push_back(given);
    } else if (wanted == given) {
      ++equal;
    } else {
      return -1;
    }
  }
  return pattern.empty() && path.empty() ? equal : -1;
}

bool knows(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const auto end = words.find(' ');
    if (words.substr(0, end) == word) return true;
    words = end == std::string_view::npos ? std::string_view{} : words.substr(end + 1);
  }
  return false;
}

Checked<void> check_parameters(const Route& route, const Parameters& parameters) {
  for (const auto& [name, value] : parameters) {
    if (knows(route.parameters, name)) continue;
    return refuse(400, fmt::format("unknown parameter {}", quoted(name)),
                  route.parameters.empty()
                      ? fmt::format("{} takes no parameters", route.pattern)
                      : fmt::format("{} takes: {}", route.pattern, route.parameters));
  }
  return {};
}

}  // namespace

std::span<const Route> routes() { return table; }

std::expected<Found, Refusal> find_route(ingress::Request request, std::string& allow) {
  std::string_view target = request.target;
  const auto mark = target.find('?');
  auto path = target.substr(0, mark);
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const auto method = request.method == "HEAD" ? get : std::string_view(request.method);
  const Route* best = nullptr;
  int best_fit = -1;
  std::vector<std::string_view> names;
  std::vector<std::string_view> best_names;
  for (const auto& route : table) {
    const int fits = path.starts_with('/') ? fit(route.pattern, path, names) : -1;
    if (fits < 0) continue;
    allow += (allow.empty() ? "" : ", ") + std::string(route.method);
    if (route.method != method || fits <= best_fit) continue;
    best = &route;
    best_fit = fits;
    best_names = names;
  }
  if (allow.empty()) {
    return refuse(404, fmt::format("there is nothing at {}", quoted(path)),
                  "GET /v1 lists every route");
  }
  if (best == nullptr) {
    return refuse(405, fmt::format("{} is not for {}", quoted(path), quoted(method)),
                  fmt::format("use {}", allow));
  }
  Found found;
  found.route = best;
  for (const auto name : best_names) {
    auto decoded = percent_decoded(name, Plus::literal);
    if (!decoded || decoded->size() > name_bytes_max) {
      return refuse(400, fmt::format("{} is not a name", quoted(name)), "percent-encode it, UTF-8");
    }
    found.call.names.push_back(std::move(*decoded));
  }
  auto parameters =
      parse_query(mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1));
  if (!parameters) return refuse(400, "the query cannot be read", "percent-encode it, UTF-8");
  if (auto checked = check_parameters(*best, *parameters); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  found.call.parameters = std::move(*parameters);
  found.call.request = std::move(request);
  return found;
}

}  // namespace vigil::admin
