#include "daemon/admin/views.hpp"

#include <algorithm>
#include <boost/json/array.hpp>

namespace vigil::admin {
namespace {

json::array ids_of(const std::vector<EventId>& ids) {
  json::array out;
  for (const auto id : ids) out.push_back(id.value);
  return out;
}

json::value id_or_null(std::int64_t id) { return id == 0 ? json::value() : json::value(id); }

}  // namespace

json::value time_or_null(TimePoint at) {
  if (at == TimePoint{}) return nullptr;
  return json::value(to_rfc3339(at));
}

std::string_view name_of(Taint taint) { return taint == Taint::trusted ? "trusted" : "untrusted"; }

std::string_view name_of(config::Autonomy autonomy) {
  switch (autonomy) {
    case config::Autonomy::observe:
      return "observe";
    case config::Autonomy::propose:
      return "propose";
    case config::Autonomy::act:
      return "act";
  }
  return "propose";
}

json::object view_of(const Event& event, Detail detail) {
  json::object out{{"id", event.id.value},
                   {"uid", event.uid},
                   {"source", event.source},
                   {"type", event.type},
                   {"subject", event.subject},
                   {"time", time_or_null(event.time)},
                   {"received_at", time_or_null(event.received_at)},
                   {"taint", name_of(event.taint)}};
  if (detail == Detail::brief) return out;
  out["content_type"] = event.content_type;
  json::object headers;
  for (const auto& [name, value] : event.headers) headers[name] = to_valid_utf8(value);
  out["headers"] = std::move(headers);
  out["data"] = event.data;
  return out;
}

json::object view_of(const storage::Case& row, Detail detail) {
  json::object out{{"id", row.id.value},
                   {"entity", row.entity},
                   {"key", row.key},
                   {"state", row.closed ? "closed" : "open"},
                   {"opened", time_or_null(row.opened)},
                   {"updated", time_or_null(row.updated)},
                   {"decisions", row.decisions},
                   {"last_acted", time_or_null(row.last_acted)}};
  if (detail == Detail::full) out["memory"] = row.state;
  return out;
}

json::object view_of(const storage::Entry& entry) {
  return {{"id", entry.id.value},
          {"at", time_or_null(entry.at)},
          {"entity", entry.entity},
          {"case", id_or_null(entry.case_id.value)},
          {"case_key", entry.case_key},
          {"because", entry.wake_kind},
          {"events", ids_of(entry.events)},
          {"verdict", entry.verdict},
          {"rule", entry.rule},
          {"why", entry.why},
          {"took_us", entry.took.count()},
          {"asked", entry.asked}};
}

json::object view_of(const storage::Action& action, Detail detail) {
  json::object out{{"id", action.id.value},
                   {"state", action.state},
                   {"entity", action.entity},
                   {"case", id_or_null(action.case_id.value)},
                   {"case_key", action.case_key},
                   {"decision", action.decision.value},
                   {"kind", action.kind},
                   {"sink", action.sink},
                   {"attempts", action.attempts},
                   {"created", time_or_null(action.created)},
                   {"settled", time_or_null(action.settled)},
                   {"taint", name_of(action.taint)},
                   {"error", to_valid_utf8(action.error)}};
  out["expires"] = action.expires ? time_or_null(*action.expires) : json::value();
  out["payload"] = action.payload;
  if (detail == Detail::brief) return out;
  out["key"] = action.key;
  out["sticky_key"] = action.sticky_key;
  out["not_before"] = time_or_null(action.not_before);
  out["result"] = action.result;
  return out;
}

json::object view_of(const storage::Swarm& swarm) {
  json::object out{{"id", swarm.id.value},
                   {"state", swarm.state},
                   {"title", swarm.title},
                   {"entity", swarm.entity},
                   {"case", id_or_null(swarm.case_id.value)},
                   {"case_key", swarm.case_key},
                   {"decision", swarm.decision.value},
                   {"created", time_or_null(swarm.created)},
                   {"started", time_or_null(swarm.started)},
                   {"ended", time_or_null(swarm.ended)}};
  const auto* tasks = find_path(swarm.plan, "tasks");
  const bool is_whole = tasks != nullptr && tasks->is_array();
  // Rows of lists come without plan and report; what was counted of them stands for both.
  out["tasks_planned"] = is_whole ? std::ssize(tasks->get_array()) : std::max(swarm.tasks, 0);
  if (swarm.numbers) {
    const auto wall = swarm.numbers->wall;
    out["wall_us"] = wall.count();
    out["speedup"] = wall > Duration{0} ? static_cast<double>(swarm.numbers->task_sum.count()) /
                                              static_cast<double>(wall.count())
                                        : 0.0;
  }
  if (const auto wall = find_integer(swarm.report, "wall_us")) out["wall_us"] = *wall;
  if (const auto* speedup = find_path(swarm.report, "speedup")) out["speedup"] = *speedup;
  return out;
}

json::object view_of(const storage::Timer& timer) {
  return {{"id", timer.id.value},        {"due", time_or_null(timer.due)}, {"entity", timer.entity},
          {"case", timer.case_id.value}, {"case_key", timer.case_key},     {"name", timer.name},
          {"note", timer.note}};
}

json::object view_of(const storage::Wake& wake) {
  return {{"id", wake.id.value},
          {"entity", wake.entity},
          {"case", id_or_null(wake.case_id.value)},
          {"case_key", wake.case_key},
          {"kind", wake.kind},
          {"events", ids_of(wake.events)},
          {"payload", wake.payload},
          {"state", wake.dead        ? "dead"
                    : wake.gathering ? "gathering"
                                     : "waiting"},
          {"created", time_or_null(wake.created)},
          {"not_before", time_or_null(wake.not_before)},
          {"attempts", wake.attempts},
          {"error", to_valid_utf8(wake.error)}};
}

json::object view_of(const storage::Fact& fact) {
  return {{"key", fact.key},
          {"value", fact.value},
          {"confidence", fact.confidence},
          {"provenance", fact.provenance},
          {"taint", name_of(fact.taint)},
          {"updated", time_or_null(fact.updated)}};
}

json::object view_of(const storage::Preference& preference) {
  return {{"key", preference.key},
          {"value", preference.value},
          {"why", preference.why},
          {"taint", name_of(preference.taint)},
          {"updated", time_or_null(preference.updated)}};
}

json::object view_of(const storage::Episode& episode) {
  return {{"id", episode.id},
          {"case", id_or_null(episode.case_id.value)},
          {"at", time_or_null(episode.at)},
          {"kind", episode.kind},
          {"text", episode.text},
          {"data", episode.data},
          {"taint", name_of(episode.taint)}};
}

json::object view_of(const storage::Found& found) {
  return {{"entity", found.entity},
          {"kind", found.kind},
          {"key", found.key},
          {"title", found.title},
          {"excerpt", found.excerpt}};
}

json::object view_of(const storage::Entities::Row& row) {
  return {{"name", row.name},
          {"kind", row.kind},
          {"state", row.paused ? "paused" : "awake"},
          {"first_seen", time_or_null(row.first_seen)},
          {"open_cases", row.open_cases},
          {"decisions", row.decisions},
          {"last_decision", time_or_null(row.last_decision)}};
}

json::object view_of(const config::Allowance& budget) {
  return {{"tokens", budget.tokens},
          {"money_cents", budget.money_cents},
          {"compute_us", budget.compute.count()},
          {"notifications", budget.notifications},
          {"swarms", budget.swarms}};
}

}  // namespace vigil::admin
