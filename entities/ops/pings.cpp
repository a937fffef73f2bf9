#include "entities/ops/pings.hpp"

#include <fmt/format.h>

#include "entities/ops/sources.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::size_t ping_body_bytes_max = 64 * 1024;

// Where a job that fails says why.
std::string last_line(std::string_view body) {
  while (!body.empty() && static_cast<unsigned char>(body.back()) <= ' ') body.remove_suffix(1);
  const auto end = body.rfind('\n');
  if (end != std::string_view::npos) body.remove_prefix(end + 1);
  return plain(body, 300);
}

}  // namespace

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
  } else if (state == "log") {
    out.kind = Ping::Kind::log;
  } else if (state == "fail" || state == "failed" || (exit && *exit != 0)) {
    out.kind = Ping::Kind::fail;
  }
  out.run = text_at(event.data, "rid", 64);
  out.said = text_at(event.data, "message", 300);
  const auto body = find_text(event.data, "body").value_or("");
  if (body.size() <= ping_body_bytes_max) out.body = body;
  if (out.said.empty()) out.said = last_line(body);
  if (exit && (*exit != 0 || out.said.empty())) {
    out.said = fmt::format("exit code {}{}{}", *exit, out.said.empty() ? "" : ": ", out.said);
  }
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
