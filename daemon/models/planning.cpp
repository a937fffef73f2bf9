#include "daemon/models/planning.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "core/log.hpp"
#include "daemon/models/price.hpp"

namespace vigil::models {
namespace {

constexpr std::int64_t micros_a_cent = 10'000;
constexpr std::int64_t when_it_does_not_say = 4096;  // tokens of an answer

std::unexpected<Error> too_much(std::string why) {
  return fail(ErrorCode::too_large, std::move(why));
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

}  // namespace

std::vector<Question> questions_of(const swarm::Task& task) {
  std::vector<Question> out;
  const auto times = std::int64_t{task.variants} * (task.retries + 1) * items_of(task);
  const auto add = [&](const swarm::Task& who) {
    if (!who.ask) return;
    out.push_back({who.ask->model, 2 * times,
                   estimated_tokens(who.ask->prompt) + estimated_tokens(to_text(who.input)),
                   who.ask->output_tokens_max});
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

Result<void> hold_plan(const json::value& planned, const swarm::Task& planner,
                       const config::Planning& bounds, const PriceOf& price) {
  const auto* object = planned.if_object();
  const auto* list = object ? object->if_contains("tasks") : nullptr;
  if (list == nullptr || !list->is_array() || list->as_array().empty()) {
    return fail(ErrorCode::invalid_input, "expected {\"tasks\": [...]}, with at least one task");
  }
  const auto most = std::min(bounds.tasks_max, planner.spawn_max);
  if (static_cast<int>(list->as_array().size()) > most) {
    return too_much(fmt::format("{} tasks, at most {} are allowed", list->as_array().size(), most));
  }
  std::vector<swarm::Task> tasks;
  std::int64_t tokens = 0;
  std::int64_t micros = 0;
  for (std::size_t i = 0; i < list->as_array().size(); ++i) {
    auto task = swarm::task_from_json(list->as_array()[i], fmt::format("tasks[{}]", i));
    if (!task) return std::unexpected(task.error());
    if (auto held = hold_program(*task, bounds); !held) return held;
    for (const auto& question : questions_of(*task)) {
      const auto usage = most_of(question, when_it_does_not_say);
      tokens += usage.sum();
      if (price) micros += money_micros(usage, price(question.model));
    }
    tasks.push_back(std::move(*task));
  }
  if (bounds.tokens_max > 0 && tokens > bounds.tokens_max) {
    return too_much(
        fmt::format("its questions could take {} tokens, at most {} are allowed: ask "
                    "less, or give them output_tokens_max",
                    tokens, bounds.tokens_max));
  }
  if (bounds.money_cents_max > 0 && micros > bounds.money_cents_max * micros_a_cent) {
    return too_much(fmt::format("its questions could cost {} cents, at most {} are allowed",
                                micros / micros_a_cent, bounds.money_cents_max));
  }
  const auto extent = extent_of(tasks);
  if (extent.depth > bounds.depth_max) {
    return too_much(fmt::format("{} tasks wait for one another in a row, at most {} are allowed",
                                extent.depth, bounds.depth_max));
  }
  if (extent.width > bounds.width_max) {
    return too_much(fmt::format("{} tasks side by side, at most {} are allowed", extent.width,
                                bounds.width_max));
  }
  return {};
}

}  // namespace vigil::models
