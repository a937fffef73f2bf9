#include <unistd.h>

#include <boost/json/array.hpp>

#include "daemon/admin/handlers.hpp"
#include "daemon/admin/metrics.hpp"
#include "daemon/admin/routes.hpp"
#include "daemon/admin/views.hpp"

namespace vigil::admin {
namespace {

json::object runtime_view(const runtime::Status& status) {
  return {{"entities", status.entities},           {"entities_paused", status.entities_paused},
          {"unrouted", status.unrouted},           {"wakes_open", status.wakes_open},
          {"wakes_dead", status.wakes_dead},       {"swarms_running", status.swarms_running},
          {"tasks_running", status.tasks_running}, {"events_routed", status.events_routed},
          {"decisions", status.decisions},         {"decisions_failed", status.decisions_failed}};
}

json::object doors_view(const Parts& parts) {
  const auto door = parts.door.stats();
  json::object out{{"accepted", door.accepted},
                   {"duplicates", door.duplicates},
                   {"refused", door.refused},
                   {"unavailable", door.unavailable}};
  if (parts.webhooks != nullptr) {
    const auto http = parts.webhooks->stats();
    out["connections"] = http.connections;
    out["requests"] = http.requests;
    out["refused_framing"] = http.refused_framing;
    out["timed_out"] = http.timed_out;
    out["evicted"] = http.evicted;
  }
  return out;
}

}  // namespace

Answer list_routes(Desk&, const Call&) {
  json::array out;
  for (const auto& route : routes()) {
    out.push_back(json::object{{"method", route.method},
                               {"path", route.pattern},
                               {"parameters", route.parameters},
                               {"purpose", route.purpose}});
  }
  return json_response(json::object{{"version", version()}, {"routes", std::move(out)}});
}

Answer get_health(Desk&, const Call&) {
  ingress::Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = "ok\n";
  return response;
}

Answer get_ready(Desk& desk, const Call&) {
  const auto stats = desk.parts.writer.stats();
  if (stats.full) {
    return refuse(503, "not ready: the disk is full",
                  "free space on the disk of the state directory; events are refused until then");
  }
  if (!desk.parts.writer.accepting()) {
    return refuse(503, "not ready: the writer takes no changes now", "try again in a moment");
  }
  ingress::Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = "ready\n";
  return response;
}

Answer get_status(Desk& desk, const Call&) {
  const auto& parts = desk.parts;
  auto& stores = desk.reader();
  const auto now = parts.clock.now();
  const auto writer = parts.writer.stats();
  const auto courier = parts.courier.stats();
  const auto process = read_process_numbers();
  json::object out{{"version", version()},
                   {"pid", static_cast<std::int64_t>(::getpid())},
                   {"now", to_rfc3339(now)},
                   {"started", to_rfc3339(parts.started)},
                   {"uptime_us", (now - parts.started).count()},
                   {"state_dir", parts.state_dir},
                   {"accepting", parts.writer.accepting()},
                   {"last_event", stores.journal.last().value}};
  const auto self = parts.self();
  if (!self.safe_mode.empty()) out["safe_mode"] = self.safe_mode;
  if (!self.config_trouble.empty()) out["config_trouble"] = self.config_trouble;
  out["loop"] = {{"held", self.loop.held},
                 {"held_us", self.loop.held_for.count()},
                 {"longest_us", self.loop.longest.count()}};
  out["runtime"] = runtime_view(parts.runtime.status());
  out["door"] = doors_view(parts);
  out["actions"] = {{"proposed", stores.outbox.count_in_state("proposed")},
                    {"approved", stores.outbox.count_in_state("approved")},
                    {"sending", stores.outbox.count_in_state("sending")},
                    {"unknown", stores.outbox.count_in_state("unknown")},
                    {"delivered", courier.delivered},
                    {"failed", courier.failed},
                    {"retried", courier.retried}};
  out["writer"] = {{"changes", writer.changes}, {"commits", writer.commits},
                   {"failed", writer.failed},   {"checkpoints", writer.checkpoints},
                   {"disk_full", writer.full},  {"queued", parts.writer.queued()}};
  out["process"] = {{"rss_bytes", process.rss_bytes}, {"open_fds", process.open_fds}};
  return json_response(out);
}

}  // namespace vigil::admin
