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
int int_at(const json::value& value, std::string_view key) {
  return static_cast<int>(integer_at(value, key, 0));
}
json::object object_at(const json::value& value, std::string_view key) {
  const auto* found = value.as_object().if_contains(key);
  return found != nullptr && found->is_object() ? found->get_object() : json::object();
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
  if (!outcome.parent.empty()) object["parent"] = outcome.parent;
  if (!outcome.definition.empty()) object["definition"] = outcome.definition;
  if (outcome.interface_after != Duration{0}) {
    object["interface_after_us"] = outcome.interface_after.count();
  }
  if (!outcome.cost.empty()) object["cost"] = outcome.cost;
  if (!outcome.cache_key.empty()) object["cache_key"] = outcome.cache_key;
  if (outcome.saved != Duration{0}) object["saved_us"] = outcome.saved.count();
  if (outcome.critical) object["critical"] = true;
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
  outcome.attempts = int_at(value, "attempts");
  outcome.started = from_unix_us(integer_at(value, "started_us", 0));
  outcome.took = duration_at(value, "took_us");
  outcome.wasted = duration_at(value, "wasted_us");
  outcome.exit_code = static_cast<int>(integer_at(value, "exit_code", -1));
  outcome.result = value_at(value, "result");
  outcome.error = text_at(value, "error");
  outcome.output_cut_bytes = static_cast<std::size_t>(integer_at(value, "output_cut_bytes", 0));
  outcome.parent = text_at(value, "parent");
  outcome.definition = text_at(value, "definition");
  outcome.interface_after = duration_at(value, "interface_after_us");
  outcome.cost = object_at(value, "cost");
  outcome.cache_key = text_at(value, "cache_key");
  outcome.saved = duration_at(value, "saved_us");
  outcome.critical = find_bool(value, "critical").value_or(false);
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
                      {"critical_results_us", report.critical_results.count()},
                      {"lower_bound_us", report.lower_bound.count()},
                      {"wasted_us", report.wasted.count()},
                      {"slots", report.slots},
                      {"attempts", report.attempts},
                      {"first_time_right", report.first_time_right},
                      {"guesses_won", report.guesses_won},
                      {"guesses_lost", report.guesses_lost},
                      {"hedges_won", report.hedges_won},
                      {"reused", report.reused},
                      {"saved_us", report.saved.count()},
                      {"cost", report.cost},
                      {"speed", report.speed()},
                      {"correctness", report.correctness()},
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
  report.critical_results = duration_at(value, "critical_results_us");
  report.lower_bound = duration_at(value, "lower_bound_us");
  report.wasted = duration_at(value, "wasted_us");
  report.slots = int_at(value, "slots");
  report.attempts = int_at(value, "attempts");
  report.first_time_right = int_at(value, "first_time_right");
  report.guesses_won = int_at(value, "guesses_won");
  report.guesses_lost = int_at(value, "guesses_lost");
  report.hedges_won = int_at(value, "hedges_won");
  report.reused = int_at(value, "reused");
  report.saved = duration_at(value, "saved_us");
  report.cost = object_at(value, "cost");
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
