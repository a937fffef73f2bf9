#include "entities/ops/pings.hpp"

#include <fmt/format.h>

#include "entities/ops/sources.hpp"

namespace vigil::entities::ops {

std::optional<Ping> read_ping(const Event& event) {
  const std::string_view type = event.type;
  const bool is_it = type == "ping" || type.ends_with(".ping") || type.contains(".ping.");
  if (!is_it) return std::nullopt;
  Ping out;
  out.id = first_text(event.data, {"check", "id"}, 64);
  if (out.id.empty()) out.id = plain(event.subject, 64);
  auto state = first_text(event.data, {"state", "status"}, 20);
  if (const auto at = type.find(".ping."); at != std::string_view::npos && state.empty()) {
    state = plain(type.substr(at + 6), 20);
  }
  const auto exit = find_integer(event.data, "exit");
  if (state == "start") {
    out.kind = Ping::Kind::start;
  } else if (state == "fail" || state == "failed" || (exit && *exit != 0)) {
    out.kind = Ping::Kind::fail;
  }
  out.said = text_at(event.data, "message", 300);
  if (out.said.empty() && exit) out.said = fmt::format("exit code {}", *exit);
  return out;
}

const config::OpsCheck* find_check(const config::Ops& settings, std::string_view id) {
  for (const auto& check : settings.checks) {
    if (check.id == id) return &check;
  }
  return nullptr;
}

Alert alert_of(const config::OpsCheck& check, Status status, std::string summary) {
  Alert out;
  out.source = "ping";
  out.fingerprint = "ping:" + check.id;
  out.status = status;
  out.severity = severity_from(check.severity);
  out.name = check.id;
  out.labels = {{"alertname", check.id}, {"check", check.id}, {"severity", check.severity}};
  out.summary = std::move(summary);
  return out;
}

}  // namespace vigil::entities::ops
