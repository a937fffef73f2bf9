// A swarm's tasks and numbers for people, from its report once it ended and from its checkpoints
// while it runs.
#include <boost/json/array.hpp>
#include <unordered_map>

#include "daemon/admin/views.hpp"

namespace vigil::admin {
namespace {

json::object planned_view(const json::value& task) {
  json::object out{{"name", find_text(task, "name").value_or("")}, {"state", "waiting"}};
  for (const std::string_view edge : {"needs", "needs_interface"}) {
    const auto* needs = find_path(task, edge);
    if (needs != nullptr && needs->is_array() && !needs->get_array().empty()) out[edge] = *needs;
  }
  if (const auto builtin = find_text(task, "builtin"); builtin && !builtin->empty()) {
    out["runs"] = *builtin;
  } else if (const auto* argv = find_path(task, "argv"); argv != nullptr && argv->is_array()) {
    out["runs"] = *argv;
  }
  return out;
}

void add_outcome(json::object& out, const swarm::TaskOutcome& outcome, Results results) {
  out["state"] = swarm::to_text(outcome.state);
  out["attempts"] = outcome.attempts;
  out["started"] = time_or_null(outcome.started);
  out["took_us"] = outcome.took.count();
  out["wasted_us"] = outcome.wasted.count();
  out["exit_code"] = outcome.exit_code;
  out["error"] = to_valid_utf8(outcome.error);
  out["output_cut_bytes"] = outcome.output_cut_bytes;
  // What only some tasks have stands there only if they have it.
  if (!outcome.parent.empty()) out["parent"] = outcome.parent;
  if (outcome.interface_after > Duration{0}) {
    out["interface_after_us"] = outcome.interface_after.count();
  }
  if (outcome.critical) out["critical"] = true;
  if (outcome.saved > Duration{0}) out["saved_us"] = outcome.saved.count();
  if (!outcome.cost.empty()) out["cost"] = outcome.cost;
  if (results == Results::shown) out["result"] = outcome.result;
}

void add_checkpoint(json::object& out, const storage::SwarmTask& row, Results results) {
  if (auto outcome = swarm::task_outcome_from_json(row.outcome)) {
    add_outcome(out, *outcome, results);
    return;
  }
  out["state"] = row.state;
  out["attempts"] = row.attempt;
  out["started"] = time_or_null(row.started);
  out["took_us"] = row.took.count();
}

void add_learned(json::object& out, const LearnedTimes& learned) {
  if (learned.empty() || out["state"] == "done") return;
  const auto& name = out["name"];
  if (!name.is_string()) return;
  const auto known = learned.find(storage::learned_name(std::string(name.get_string())));
  if (known != learned.end()) out["learned_us"] = known->second.count();
}

}  // namespace

json::object numbers_of(const swarm::Report& report) {
  return {{"ok", report.ok},
          {"cancelled", report.cancelled},
          {"error", to_valid_utf8(report.error)},
          {"started", time_or_null(report.started)},
          {"wall_us", report.wall.count()},
          {"task_sum_us", report.task_sum.count()},
          {"critical_path_us", report.critical_path.count()},
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
          {"speed", report.speed()},
          {"correctness", report.correctness()},
          {"speedup", report.speedup()},
          {"efficiency", report.efficiency()}};
}

json::array tasks_of(const storage::Swarm& swarm, const std::vector<storage::SwarmTask>& rows,
                     Results results, const LearnedTimes& learned) {
  std::vector<json::object> views;
  std::unordered_map<std::string, std::size_t> place;
  const auto view = [&](const std::string& name) -> json::object& {
    const auto [at, fresh] = place.try_emplace(name, views.size());
    if (fresh) views.push_back(json::object{{"name", name}, {"state", "waiting"}});
    return views[at->second];
  };
  const auto* planned = find_path(swarm.plan, "tasks");
  if (planned != nullptr && planned->is_array()) {
    for (const auto& task : planned->get_array()) {
      auto shown = planned_view(task);
      auto& into = view(std::string(find_text(task, "name").value_or("")));
      into = std::move(shown);
    }
  }
  for (const auto& row : rows) add_checkpoint(view(row.name), row, results);
  if (const auto report = swarm::report_from_json(swarm.report)) {
    for (const auto& outcome : report->tasks) add_outcome(view(outcome.name), outcome, results);
  }
  json::array out;
  out.reserve(views.size());
  for (auto& one : views) {
    add_learned(one, learned);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace vigil::admin
