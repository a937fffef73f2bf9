#include "daemon/models/planning.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_from.hpp>
#include <map>

#include "core/log.hpp"
#include "daemon/models/price.hpp"

namespace vigil::models {
namespace {

constexpr std::int64_t micros_a_cent = 10'000;
constexpr std::int64_t to_ask_for_a_plan = 500;  // tokens: its form and bounds, in words and schema
constexpr std::int64_t when_it_does_not_say = 4096;  // tokens of an answer

std::unexpected<Error> too_much(std::string why) {
  return fail(ErrorCode::too_large, std::move(why));
}

int most_tasks(const swarm::Task& planner, const config::Planning& bounds) {
  return std::min(bounds.tasks_max, planner.spawn_max);
}

// "input.MEMBER": a list that is known before the task runs.
std::int64_t items_of(const swarm::Task& task) {
  constexpr std::string_view known = "input.";
  if (!task.for_each.starts_with(known)) return 1;
  const auto* list = find_path(task.input, task.for_each.substr(known.size()));
  if (list == nullptr || !list->is_array()) return 1;
  return static_cast<std::int64_t>(list->get_array().size());
}

Result<void> hold_program(const swarm::Task& task, const config::Planning& bounds) {
  const auto allowed = [&](const std::string& program) {
    return std::ranges::find(bounds.programs, program) != bounds.programs.end();
  };
  if (task.agent) return too_much(fmt::format("task '{}': a plan may hold no agent", task.name));
  if (!task.argv.empty() && !allowed(task.argv.front())) {
    const auto choice = bounds.programs.empty()
                            ? std::string("no program is: use builtin, reduce and ask")
                            : fmt::format("{}", fmt::join(bounds.programs, ", "));
    return too_much(fmt::format("task '{}': the program {} is not allowed; {}", task.name,
                                vigil::quoted(task.argv.front()), choice));
  }
  if (task.containment != swarm::Containment::strict) {
    return too_much(fmt::format("task '{}': containment must be strict", task.name));
  }
  if (task.spawn_max > 0) {
    return too_much(fmt::format("task '{}': planned tasks may add no others", task.name));
  }
  if (task.ask && !task.ask->tools.empty()) {
    return too_much(fmt::format("task '{}': planned questions get no tools", task.name));
  }
  return {};
}

Result<void> hold_size(const Foreseen& plan, const config::Planning& bounds) {
  if (bounds.tokens_max > 0 && plan.tokens > bounds.tokens_max) {
    return too_much(
        fmt::format("its questions could take {} tokens, at most {} are allowed: ask "
                    "less, or give them output_tokens_max",
                    plan.tokens, bounds.tokens_max));
  }
  if (bounds.money_cents_max > 0 && plan.money_micros > bounds.money_cents_max * micros_a_cent) {
    return too_much(fmt::format("its questions could cost {} cents, at most {} are allowed",
                                plan.money_micros / micros_a_cent, bounds.money_cents_max));
  }
  if (plan.extent.depth > bounds.depth_max) {
    return too_much(fmt::format("{} tasks wait for one another in a row, at most {} are allowed",
                                plan.extent.depth, bounds.depth_max));
  }
  if (plan.extent.width > bounds.width_max) {
    return too_much(fmt::format("{} tasks side by side, at most {} are allowed", plan.extent.width,
                                bounds.width_max));
  }
  return {};
}

// In two words.
std::string work_of(const swarm::Task& task) {
  if (task.ask) return "ask " + task.ask->model;
  if (!task.builtin.empty()) return "builtin " + task.builtin;
  if (!task.reduce.empty()) return "reduce " + task.reduce;
  return task.argv.empty() ? "" : "run " + task.argv.front();
}

// Of what a plan may hold, as far as a planner needs to know it; hold_plan() judges.
json::object plan_schema(int tasks_max) {
  const json::object text{{"type", "string"}};
  const json::object names{{"type", "array"}, {"items", text}};
  const json::object any{{"type", "object"}};
  const json::object number{{"type", "integer"}};
  const json::object of_ask{
      {"model", text}, {"prompt", text}, {"schema", any}, {"output_tokens_max", number}};
  const json::object ask{
      {"type", "object"}, {"required", json::array{"model", "prompt"}}, {"properties", of_ask}};
  const json::object of_task{{"name", text},  {"needs", names},         {"needs_interface", names},
                             {"ask", ask},    {"builtin", text},        {"reduce", text},
                             {"argv", names}, {"input", json::object()}};
  const json::object task{
      {"type", "object"}, {"required", json::array{"name"}}, {"properties", of_task}};
  const json::object tasks{
      {"type", "array"}, {"minItems", 1}, {"maxItems", tasks_max}, {"items", task}};
  return {{"type", "object"},
          {"required", json::array{"tasks"}},
          {"properties", json::object{{"tasks", tasks}}}};
}

}  // namespace

void ask_for_plan(Prompt& prompt, const swarm::Task& planner, const config::Planning& bounds) {
  const auto most = most_tasks(planner, bounds);
  if (prompt.schema.empty()) prompt.schema = plan_schema(most);
  const auto programs = bounds.programs.empty()
                            ? std::string("no program may be run")
                            : fmt::format("\"argv\" runs one of these programs: {}",
                                          fmt::join(bounds.programs, ", "));
  prompt.system += fmt::format(
      "\n\nAnswer with a plan: an object whose \"tasks\" run in the place of this task, side by "
      "side as far as none needs another. Each has a \"name\" and does one thing: \"ask\" puts a "
      "prompt to a model (yours is \"{}\"), \"builtin\" runs an analyser or \"reduce\" a reducer "
      "that the words above name; {}. \"needs\" lists the tasks whose results it waits for and is "
      "shown, \"needs_interface\" those of which an interface is enough to begin; \"input\" is "
      "what it works on. At most {} tasks, {} side by side, {} that wait for one another in a row",
      planner.ask->model, programs, most, bounds.width_max, bounds.depth_max);
  if (bounds.tokens_max > 0) {
    prompt.system += fmt::format(
        "; all questions and answers together {} tokens, so give each \"ask\" an "
        "\"output_tokens_max\"",
        bounds.tokens_max);
  }
  prompt.system += ".";
}

std::vector<Question> questions_of(const swarm::Task& task) {
  std::vector<Question> out;
  const auto times = std::int64_t{task.variants} * (task.retries + 1) * items_of(task);
  const auto add = [&](const swarm::Task& who) {
    if (!who.ask) return;
    out.push_back({who.ask->model, 2 * times,
                   estimated_tokens(who.ask->prompt) + estimated_tokens(to_text(who.input)) +
                       (who.planner ? to_ask_for_a_plan : 0),
                   who.ask->output_tokens_max, who.planner});
  };
  add(task);
  if (task.verify) add(*task.verify);
  return out;
}

Usage most_of(const Question& question, std::int64_t output_tokens_max) {
  Usage out;
  out.input = question.times * question.input;
  out.output = question.times * (question.output > 0 ? question.output : output_tokens_max);
  return out;
}

Extent extent_of(const std::vector<swarm::Task>& tasks) {
  std::map<std::string, const swarm::Task*> by_name;
  for (const auto& task : tasks) by_name[task.name] = &task;
  std::map<std::string, int> depth;
  // As many rounds as there are tasks settle every chain; a circle is refused elsewhere.
  for (std::size_t round = 0; round < tasks.size(); ++round) {
    bool moved = false;
    for (const auto& task : tasks) {
      int most = 0;
      for (const auto* needs : {&task.needs, &task.needs_interface}) {
        for (const auto& need : *needs) {
          if (by_name.contains(need)) most = std::max(most, depth[need]);
        }
      }
      if (depth[task.name] == most + 1) continue;
      depth[task.name] = most + 1;
      moved = true;
    }
    if (!moved) break;
  }
  Extent out;
  std::map<int, int> wide;
  for (const auto& [name, deep] : depth) {
    out.depth = std::max(out.depth, deep);
    out.width = std::max(out.width, ++wide[deep]);
  }
  return out;
}

Result<Foreseen> hold_plan(const json::value& planned, const swarm::Task& planner,
                           const config::Planning& bounds, const PriceOf& price) {
  const auto* object = planned.if_object();
  const auto* list = object ? object->if_contains("tasks") : nullptr;
  if (list == nullptr || !list->is_array() || list->as_array().empty()) {
    return fail(ErrorCode::invalid_input, "expected {\"tasks\": [...]}, with at least one task");
  }
  const auto most = most_tasks(planner, bounds);
  if (static_cast<int>(list->as_array().size()) > most) {
    return too_much(fmt::format("{} tasks, at most {} are allowed", list->as_array().size(), most));
  }
  Foreseen out;
  for (std::size_t i = 0; i < list->as_array().size(); ++i) {
    auto task = swarm::task_from_json(list->as_array()[i], fmt::format("tasks[{}]", i));
    if (!task) return std::unexpected(task.error());
    if (auto held = hold_program(*task, bounds); !held) return std::unexpected(held.error());
    for (const auto& question : questions_of(*task)) {
      const auto usage = most_of(question, when_it_does_not_say);
      out.tokens += usage.sum();
      if (price) out.money_micros += money_micros(usage, price(question.model));
    }
    out.tasks.push_back(std::move(*task));
  }
  out.extent = extent_of(out.tasks);
  if (auto held = hold_size(out, bounds); !held) return std::unexpected(held.error());
  return out;
}

json::object to_json(const Foreseen& foreseen) {
  json::array tasks;
  for (const auto& task : foreseen.tasks) {
    json::object one{{"name", task.name}, {"does", work_of(task)}};
    if (!task.needs.empty()) one["needs"] = json::value_from(task.needs);
    if (!task.needs_interface.empty()) {
      one["needs_interface"] = json::value_from(task.needs_interface);
    }
    if (!task.for_each.empty()) one["each"] = true;
    tasks.push_back(std::move(one));
  }
  json::object predicted{{"tasks", foreseen.tasks.size()},
                         {"depth", foreseen.extent.depth},
                         {"width", foreseen.extent.width},
                         {"tokens", foreseen.tokens},
                         {"money_micros", foreseen.money_micros}};
  return {{"predicted", std::move(predicted)}, {"tasks", std::move(tasks)}};
}

}  // namespace vigil::models
