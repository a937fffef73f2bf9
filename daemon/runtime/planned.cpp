#include "daemon/runtime/planned.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/advice.hpp"
#include "entities/feeds/html_text.hpp"

namespace vigil::runtime {
namespace {

using entities::list_at;
using entities::feeds::cut_text;

constexpr std::size_t failed_max = 8;  // that are named
constexpr std::size_t why_bytes_max = 300;
constexpr std::size_t shown_why_bytes_max = 120;
constexpr const char* member = "earlier plans";
constexpr std::string_view meaning =
    "\n\nThe block of earlier plans shows what this task planned before, the newest first, a plan "
    "on each line: what was predicted when it was accepted (tokens and money are the most it could "
    "take; money_micros are millionths), what it actually took, and what failed. Plan better by "
    "it.";

std::vector<swarm::Task> tasks_of(const json::object& note) {
  std::vector<swarm::Task> out;
  const auto names_at = [](const json::value& one, const char* key) {
    std::vector<std::string> names;
    for (const auto& name : list_at(one, key)) {
      if (name.is_string()) names.emplace_back(name.get_string());
    }
    return names;
  };
  const json::value all(note);
  for (const auto& one : list_at(all, "tasks")) {
    swarm::Task task;
    task.name = find_text(one, "name").value_or("");
    task.needs = names_at(one, "needs");
    task.needs_interface = names_at(one, "needs_interface");
    if (find_bool(one, "each").value_or(false)) task.for_each = "input.items";
    out.push_back(std::move(task));
  }
  return out;
}

json::array failures_of(const swarm::BroodReport& came, std::size_t prefix) {
  json::array out;
  for (const auto* outcome : came.failed) {
    if (out.size() == failed_max) break;
    out.push_back(json::object{{"name", outcome->name.substr(prefix)},
                               {"why", cut_text(outcome->error, why_bytes_max)}});
  }
  return out;
}

// "a (ask small) after b c"
std::string task_in_words(const json::value& task) {
  std::string out(find_text(task, "name").value_or(""));
  if (const auto does = find_text(task, "does"); does && !does->empty()) {
    out += " (" + std::string(*does) + ")";
  }
  for (const auto* key : {"needs", "needs_interface"}) {
    for (const auto& need : list_at(task, key)) {
      if (need.is_string()) out += " <- " + std::string(need.get_string());
    }
  }
  return out;
}

// As many of the list as there is room for; how many there are is said by the numbers.
template <class InWords>
void add_as_fits(json::object& line, const char* key, const json::array& list,
                 const InWords& in_words) {
  if (list.empty()) return;
  json::array shown;
  for (const auto& one : list) {
    shown.push_back(json::value(in_words(one)));
    line[key] = shown;
    if (to_text(json::value(line)).size() <= shown_plan_bytes_max) continue;
    shown.pop_back();
    line[key] = shown;
    break;
  }
  if (shown.empty()) line.erase(key);
}

std::string failure_in_words(const json::value& failure) {
  return std::string(find_text(failure, "name").value_or("")) + ": " +
         cut_text(find_text(failure, "why").value_or(""), shown_why_bytes_max);
}

void show_to(swarm::Task& planner, const std::vector<storage::Planned>& earlier) {
  const auto words = planner.ask->tainted ? Words::shown : Words::hidden;
  std::string lines;
  for (const auto& one : earlier) lines += shown_plan(one, words) + "\n";
  json::object input;
  if (auto* given = planner.input.if_object()) {
    input = std::move(*given);
  } else if (!planner.input.is_null()) {
    input["input"] = std::move(planner.input);
  }
  input[member] = lines;
  planner.input = std::move(input);
  auto ask = std::make_shared<swarm::Ask>(*planner.ask);
  ask->prompt += meaning;
  planner.ask = std::move(ask);
}

}  // namespace

json::object what_came(json::object note, const std::string& planner, const swarm::Report& report) {
  const std::string prefix(find_text(json::value(note), "prefix").value_or(""));
  const auto came = swarm::measure_brood(tasks_of(note), prefix, report);
  const auto own = std::ranges::find(report.tasks, planner, &swarm::TaskOutcome::name);
  const bool is_known = own != report.tasks.end();
  note["ok"] = is_known && own->state == swarm::TaskState::done;
  note["why"] = is_known ? cut_text(own->error, why_bytes_max) : std::string();
  note["actual"] = json::object{{"tasks", came.tasks},
                                {"done", came.done},
                                {"failed", came.failed.size()},
                                {"width", came.widest},
                                {"critical_path_us", came.critical_path.count()},
                                {"wall_us", came.wall.count()},
                                {"tokens", came.tokens},
                                {"money_micros", came.money_micros}};
  note["failed"] = failures_of(came, prefix.size());
  return note;
}

json::object what_was_usual(json::object note, const std::string& planner,
                            const swarm::TypicalOf& typical) {
  const auto tasks = tasks_of(note);
  std::int64_t unseen = 0;
  const auto usual = swarm::expected_row(tasks, [&](const std::string& name) {
    const auto took = typical(planner + "/" + name);
    unseen += took ? 0 : 1;
    return took;
  });
  auto* predicted = note.contains("predicted") ? note.at("predicted").if_object() : nullptr;
  if (predicted == nullptr || unseen == std::ssize(tasks)) return note;
  (*predicted)["critical_path_us"] = usual.count();
  if (unseen > 0) (*predicted)["unseen"] = unseen;
  return note;
}

void note_what_came(storage::Stores& stores, const std::string& entity, const swarm::Report& report,
                    TimePoint now) {
  const auto typical = [&](const std::string& task) { return stores.swarms.learned(entity, task); };
  for (auto& planned : storage::planned_in(stores.database(), report.swarm)) {
    if (!planned.note.is_object()) continue;
    auto note = what_was_usual(std::move(planned.note.get_object()), planned.task, typical);
    planned.note = what_came(std::move(note), planned.task, report);
    planned.at = now;
    storage::end_planned(stores.database(), planned);
  }
}

std::string shown_plan(const storage::Planned& planned, Words words) {
  json::object line;
  line["ended"] = to_rfc3339(planned.at);
  line["ok"] = find_bool(planned.note, "ok").value_or(false);
  for (const auto* key : {"predicted", "actual"}) {
    if (const auto* numbers = find_path(planned.note, key)) line[key] = *numbers;
  }
  if (words == Words::shown) {
    add_as_fits(line, "failed", list_at(planned.note, "failed"), failure_in_words);
    add_as_fits(line, "tasks", list_at(planned.note, "tasks"), task_in_words);
  }
  return to_text(json::value(std::move(line)));
}

void show_earlier_plans(swarm::Plan& plan, storage::Stores& stores, const std::string& entity,
                        int examples) {
  if (examples <= 0) return;
  for (auto& task : plan.tasks) {
    if (!task.planner || !task.ask) continue;
    const auto earlier = storage::ended_plans(stores.database(), entity, task.name, examples);
    if (!earlier.empty()) show_to(task, earlier);
  }
}

}  // namespace vigil::runtime
