// Reports and outcomes as JSON: what the database keeps and what the API shows.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "swarm/report.hpp"

namespace vigil::swarm {
namespace {

std::string text_at(const json::value& value, std::string_view key) {
  return std::string(find_text(value, key).value_or(""));
}
std::int64_t integer_at(const json::value& value, std::string_view key, std::int64_t otherwise) {
  return find_integer(value, key).value_or(otherwise);
}
Duration duration_at(const json::value& value, std::string_view key) {
  return Duration{integer_at(value, key, 0)};
}
json::value value_at(const json::value& value, std::string_view key) {
  const auto* found = value.as_object().if_contains(key);
  return found != nullptr ? *found : json::value();
}

}  // namespace

json::object to_json(const TaskOutcome& outcome) {
  json::object object{{"name", outcome.name},
                      {"state", to_text(outcome.state)},
                      {"attempts", outcome.attempts},
                      {"took_us", outcome.took.count()},
                      {"wasted_us", outcome.wasted.count()},
                      {"exit_code", outcome.exit_code},
                      {"result", outcome.result}};
  // In microseconds beside the text, because the text has milliseconds only.
  if (outcome.started != TimePoint{}) {
    object["started"] = to_rfc3339(outcome.started);
    object["started_us"] = to_unix_us(outcome.started);
  }
  if (!outcome.error.empty()) object["error"] = to_valid_utf8(outcome.error);
  if (outcome.output_cut_bytes != 0) object["output_cut_bytes"] = outcome.output_cut_bytes;
  return object;
}

Result<TaskOutcome> task_outcome_from_json(const json::value& value) {
  if (!value.is_object() || !find_text(value, "name")) {
    return fail(ErrorCode::invalid_input, "a task's outcome must be an object with a name");
  }
  TaskOutcome outcome;
  outcome.name = text_at(value, "name");
  auto state = task_state_from(text_at(value, "state"));
  if (!state) return std::unexpected(state.error());
  outcome.state = *state;
  outcome.attempts = static_cast<int>(integer_at(value, "attempts", 0));
  outcome.started = from_unix_us(integer_at(value, "started_us", 0));
  outcome.took = duration_at(value, "took_us");
  outcome.wasted = duration_at(value, "wasted_us");
  outcome.exit_code = static_cast<int>(integer_at(value, "exit_code", -1));
  outcome.result = value_at(value, "result");
  outcome.error = text_at(value, "error");
  outcome.output_cut_bytes = static_cast<std::size_t>(integer_at(value, "output_cut_bytes", 0));
  return outcome;
}

json::object to_json(const Report& report) {
  json::array tasks;
  tasks.reserve(report.tasks.size());
  for (const TaskOutcome& outcome : report.tasks) tasks.emplace_back(to_json(outcome));
  return json::object{{"swarm", report.swarm.value},
                      {"title", report.title},
                      {"ok", report.ok},
                      {"cancelled", report.cancelled},
                      {"error", to_valid_utf8(report.error)},
                      {"started", to_rfc3339(report.started)},
                      {"started_us", to_unix_us(report.started)},
                      {"wall_us", report.wall.count()},
                      {"task_sum_us", report.task_sum.count()},
                      {"critical_path_us", report.critical_path.count()},
                      {"lower_bound_us", report.lower_bound.count()},
                      {"wasted_us", report.wasted.count()},
                      {"slots", report.slots},
                      {"attempts", report.attempts},
                      {"speedup", report.speedup()},
                      {"efficiency", report.efficiency()},
                      {"result", report.result},
                      {"tasks", std::move(tasks)}};
}

Result<Report> report_from_json(const json::value& value) {
  if (!value.is_object()) return fail(ErrorCode::invalid_input, "a report must be an object");
  Report report;
  report.swarm = SwarmId{integer_at(value, "swarm", 0)};
  report.title = text_at(value, "title");
  report.ok = find_bool(value, "ok").value_or(false);
  report.cancelled = find_bool(value, "cancelled").value_or(false);
  report.error = text_at(value, "error");
  report.started = from_unix_us(integer_at(value, "started_us", 0));
  report.wall = duration_at(value, "wall_us");
  report.task_sum = duration_at(value, "task_sum_us");
  report.critical_path = duration_at(value, "critical_path_us");
  report.lower_bound = duration_at(value, "lower_bound_us");
  report.wasted = duration_at(value, "wasted_us");
  report.slots = static_cast<int>(integer_at(value, "slots", 0));
  report.attempts = static_cast<int>(integer_at(value, "attempts", 0));
  report.result = value_at(value, "result");
  const auto tasks = value_at(value, "tasks");
  if (!tasks.is_array()) return fail(ErrorCode::invalid_input, "report.tasks: expected an array");
  for (const auto& task : tasks.as_array()) {
    auto outcome = task_outcome_from_json(task);
    if (!outcome) return fail(ErrorCode::invalid_input, "report.tasks: " + outcome.error().message);
    report.tasks.push_back(std::move(*outcome));
  }
  return report;
}

}  // namespace vigil::swarm
