#include "swarm/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "core/log.hpp"
#include "swarm/graph.hpp"
#include "swarm/reduce.hpp"

namespace vigil::swarm {
namespace {

constexpr std::size_t name_bytes_max = 100;
constexpr int retries_max = 100;
constexpr Duration timeout_max = std::chrono::days{7};
constexpr Duration backoff_max = std::chrono::hours{1};

bool is_well_formed(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("_.:/-").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= name_bytes_max && std::ranges::all_of(name, allowed);
}

std::unexpected<Error> refuse(const Task& task, std::string why) {
  return fail(ErrorCode::invalid_input, fmt::format("task '{}': {}", task.name, why));
}

bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

Result<void> validate_program(const Task& task) {
  if (!task.argv.empty() && task.argv.front().empty()) {
    return refuse(task, "argv[0] is empty: it must name the program");
  }
  if (std::ranges::any_of(task.argv, has_nul)) {
    return refuse(task, "an argument holds a NUL byte, which no program can receive");
  }
  if (!task.builtin.empty() && (!is_well_formed(task.builtin) || task.builtin.front() == '-')) {
    return refuse(task, "builtin must be the name of a vigil-task analyser");
  }
  return {};
}

// A reducer runs inside the engine, on results: it has no process that could do anything else.
Result<void> validate_reducer(const Task& task) {
  if (task.reduce.empty()) return {};
  if (task.reduce == "summarise") {
    return refuse(task, "there is no reducer \"summarise\": use a task with ask that summarises");
  }
  if (!is_reducer(task.reduce)) {
    return refuse(task, fmt::format("there is no reducer {}: use one of {}", quoted(task.reduce),
                                    fmt::join(reducer_names(), ", ")));
  }
  if (auto fits = check_reducer_input(task.reduce, task.input); !fits) {
    return refuse(task, fits.error().message);
  }
  if (!task.needs_interface.empty()) {
    return refuse(task, "a reducer takes results: name the tasks in needs, not needs_interface");
  }
  const std::string_view unfit = task.verify            ? "verify"
                                 : task.variants > 1    ? "variants"
                                 : task.hedge           ? "hedge"
                                 : task.planner         ? "planner"
                                 : task.spawn_max > 0   ? "spawn_max"
                                 : task.for_each.size() ? "for_each"
                                                        : "";
  if (unfit.empty()) return {};
  return refuse(task, fmt::format("a reducer cannot have {}: remove it, or give it to a task whose "
                                  "result is reduced",
                                  unfit));
}

Result<void> validate_ask(const Task& task) {
  if (!task.ask) return {};
  if (task.ask->model.empty()) return refuse(task, "ask.model is missing: which model is asked?");
  if (task.ask->prompt.empty()) return refuse(task, "ask.prompt is missing: what is asked?");
  if (task.ask->interface_prompt.empty() && !task.ask->interface_schema.empty()) {
    return refuse(task, "ask.interface_schema means nothing without ask.interface_prompt");
  }
  for (const auto& tool : task.ask->tools) {
    if (tool.starts_with("mcp.") && std::ranges::count(tool, '.') >= 2) continue;
    return refuse(task, fmt::format("ask.tools: expected mcp.SERVER.TOOL, not {}", quoted(tool)));
  }
  return {};
}

Result<void> validate_agent(const Task& task) {
  if (!task.agent) return {};
  if (task.agent->name.empty()) return refuse(task, "agent.name is missing: which agent?");
  if (task.agent->prompt.empty()) return refuse(task, "agent.prompt is missing: what is to do?");
  if (task.agent->commit.empty() || task.agent->commit.starts_with('-')) {
    return refuse(task, "agent.commit must name a commit");
  }
  if (task.agent->conversation.starts_with('-')) {
    return refuse(task, "agent.conversation must be what an earlier run answered");
  }
  return {};
}

Result<void> validate_command(const Task& task) {
  const int given = static_cast<int>(!task.argv.empty()) + static_cast<int>(!task.builtin.empty()) +
                    static_cast<int>(!task.reduce.empty()) + static_cast<int>(task.ask != nullptr) +
                    static_cast<int>(task.agent != nullptr);
  if (given != 1) return refuse(task, "give exactly one of argv, builtin, reduce, ask and agent");
  for (const auto check : {validate_program, validate_ask, validate_agent}) {
    if (auto checked = check(task); !checked) return checked;
  }
  return validate_reducer(task);
}

bool fits_source(std::string_view path, std::string_view source) {
  if (!path.starts_with(source)) return false;
  return path.size() == source.size() || path[source.size()] == '.';
}

// "input", "TASK", or a member of either. The names of tasks may hold dots themselves.
Result<void> validate_for_each(const Task& task) {
  if (task.for_each.empty()) return {};
  constexpr std::string_view own = "input";
  const std::string_view path = task.for_each;
  std::string_view source = fits_source(path, own) ? own : std::string_view();
  for (const std::string& need : task.needs) {
    if (!fits_source(path, need)) continue;
    if (fits_source(path, own)) {
      return refuse(task, fmt::format("for_each {} means its own input, but it also needs a task "
                                      "'{}': give that task another name",
                                      quoted(path), need));
    }
    if (need.size() > source.size()) source = need;
  }
  if (source.empty()) {
    return refuse(task,
                  fmt::format("for_each {} is neither \"input\", nor a task in its needs, nor "
                              "a member of one: name the task in needs, too",
                              quoted(path)));
  }
  const auto members = path.substr(source.size());
  if (members.ends_with('.') || members.contains("..")) {
    return refuse(task,
                  fmt::format("for_each {} has an empty step between its dots", quoted(path)));
  }
  if (!task.argv.empty() && task.argv.front().contains("{item}")) {
    return refuse(task, "argv[0] is the program and may hold no {item}: give it as an argument");
  }
  if (!task.planner) return {};
  return refuse(task, "for_each has no result of its own to plan with: plan in a task it needs");
}

Result<void> validate_spawning(const Task& task) {
  if (task.spawn_max < 0 || task.spawn_max > static_cast<int>(plan_tasks_max)) {
    return refuse(task, fmt::format("spawn_max must be between 0 and {}", plan_tasks_max));
  }
  if (task.planner && task.spawn_max == 0) {
    return refuse(task, "a planner needs spawn_max: how many tasks may it plan?");
  }
  return {};
}

Result<void> validate_copies(const Task& task) {
  if (task.variants < 1 || task.variants > variants_max) {
    return refuse(task, fmt::format("variants must be between 1 and {}", variants_max));
  }
  if (task.variants == 1 && !task.hedge) return {};
  const std::string_view several = task.variants > 1 ? "variants" : "hedge";
  const std::string_view unfit = !task.needs_interface.empty() ? "needs_interface"
                                 : task.planner                ? "planner"
                                 : task.spawn_max > 0          ? "spawn_max"
                                                               : "";
  if (unfit.empty()) return {};
  return refuse(task, fmt::format("{} cannot go with {}: remove one of them", several, unfit));
}

Result<void> validate_cache(const Task& task) {
  if (!task.cache) {
    if (task.digest.empty()) return {};
    return refuse(task, "digest means nothing without cache: set cache to true, or remove digest");
  }
  const std::string_view unfit = !task.needs_interface.empty() ? "needs_interface"
                                 : task.planner                ? "planner"
                                 : task.spawn_max > 0          ? "spawn_max"
                                                               : "";
  if (unfit.empty()) return {};
  return refuse(task, fmt::format("cache cannot go with {}: its result is not made of its input "
                                  "alone; remove one of them",
                                  unfit));
}

Result<void> validate_paths(const Task& task) {
  const auto is_relative = [](const std::string& path) {
    return path.empty() || path.front() != '/' || has_nul(path);
  };
  if (!task.workdir.empty() && is_relative(task.workdir)) {
    return refuse(task, fmt::format("workdir {} must be absolute", quoted(task.workdir)));
  }
  for (const auto* paths : {&task.read_paths, &task.write_paths}) {
    const auto bad = std::ranges::find_if(*paths, is_relative);
    if (bad == paths->end()) continue;
    return refuse(task, fmt::format("path {} must be absolute", quoted(*bad)));
  }
  return {};
}

Result<void> validate_limits(const Task& task) {
  if (task.timeout < Duration{0} || task.timeout > timeout_max) {
    return refuse(task, "timeout must be between 0 and 7 days");
  }
  if (task.retries < 0 || task.retries > retries_max) {
    return refuse(task, fmt::format("retries must be between 0 and {}", retries_max));
  }
  if (task.retry_backoff < Duration{0} || task.retry_backoff > backoff_max) {
    return refuse(task, "retry_backoff must be between 0 and 1 hour");
  }
  for (const auto& [name, units] : task.resources) {
    if (name.empty() || units < 1) {
      return refuse(task, fmt::format("resource '{}' must be held in at least one unit", name));
    }
  }
  if (task.exit_ok.empty()) return refuse(task, "exit_ok is empty: no exit code would mean done");
  const auto impossible = [](int code) { return code < 0 || code > 255; };
  if (std::ranges::any_of(task.exit_ok, impossible)) {
    return refuse(task, "exit_ok holds a code outside 0..255");
  }
  return {};
}

std::string_view unfit_for_verifier(const Task& verify) {
  const Task defaults;
  if (!verify.reduce.empty()) return "reduce";
  if (verify.agent) return "agent";
  if (!verify.needs.empty()) return "needs";
  if (!verify.needs_interface.empty()) return "needs_interface";
  if (!verify.for_each.empty()) return "for_each";
  if (verify.spawn_max != 0) return "spawn_max";
  if (verify.planner) return "planner";
  if (verify.verify) return "verify";
  if (verify.variants != 1) return "variants";
  if (verify.hedge) return "hedge";
  if (verify.cache || !verify.digest.empty()) return "cache";
  if (verify.retries != 0) return "retries";
  if (verify.optional) return "optional";
  return verify.resources.empty() ? "" : "resources";
}

// A verifier takes the place of its task: same slot, same resources, right after it.
Result<void> validate_verifier(const Task& task) {
  if (!task.verify) return {};
  if (const auto unfit = unfit_for_verifier(*task.verify); !unfit.empty()) {
    return refuse(task,
                  fmt::format("verify cannot have {}: remove it, or give it to the task", unfit));
  }
  Task judge = *task.verify;
  judge.name = task.name + ":verify";
  const Task& verify = *task.verify;
  if (static_cast<int>(!verify.argv.empty()) + static_cast<int>(!verify.builtin.empty()) +
          static_cast<int>(verify.ask != nullptr) !=
      1) {
    return refuse(task, "verify: give exactly one of argv, builtin and ask");
  }
  for (const auto check : {validate_program, validate_ask, validate_paths, validate_limits}) {
    if (auto checked = check(judge); !checked) return checked;
  }
  if (task.verify->containment > task.containment) {
    return refuse(task,
                  "verify may not be contained less than the task it judges: give both the same "
                  "containment");
  }
  return {};
}

// What is spawned is called PARENT/CHILD, and PARENT.2/CHILD by a second attempt: nothing else may.
Result<void> keep_names_apart(const Plan& plan) {
  std::unordered_set<std::string_view> parents;
  for (const Task& task : plan.tasks) {
    if (task.spawn_max > 0 || !task.for_each.empty()) parents.insert(task.name);
  }
  if (parents.empty()) return {};
  for (const Task& task : plan.tasks) {
    for (auto at = task.name.find('/'); at != std::string::npos; at = task.name.find('/', at + 1)) {
      std::string_view parent = std::string_view(task.name).substr(0, at);
      if (!parents.contains(parent)) {
        parent = parent.substr(0, parent.find_last_not_of("0123456789") + 1);
        if (!parent.ends_with('.')) continue;
        parent.remove_suffix(1);
        if (!parents.contains(parent)) continue;
      }
      return refuse(task, fmt::format("what '{}' spawns is called '{}/...': choose another name",
                                      parent, parent));
    }
  }
  return {};
}

}  // namespace

Result<void> validate(const Task& task) {
  if (!is_well_formed(task.name)) {
    return fail(ErrorCode::invalid_input,
                fmt::format("task name {} must be 1 to {} characters of A-Z a-z 0-9 _ . : / -",
                            quoted(task.name), name_bytes_max));
  }
  for (const auto check : {validate_command, validate_paths, validate_limits, validate_for_each,
                           validate_spawning, validate_copies, validate_cache, validate_verifier}) {
    if (auto checked = check(task); !checked) return checked;
  }
  return {};
}

Result<void> validate(const Plan& plan) {
  if (plan.tasks.empty()) {
    return fail(ErrorCode::invalid_input, "the plan has no tasks: give it at least one");
  }
  if (plan.tasks.size() > plan_tasks_max) {
    return fail(ErrorCode::too_large, fmt::format("the plan has {} tasks, more than {}: split it",
                                                  plan.tasks.size(), plan_tasks_max));
  }
  if (plan.parallel_max < 0) {
    return fail(ErrorCode::invalid_input, "parallel_max must be 0 (no limit of its own) or more");
  }
  if (plan.timeout <= Duration{0} || plan.timeout > timeout_max) {
    return fail(ErrorCode::invalid_input, "the plan's timeout must be above 0, at most 7 days");
  }
  for (const Task& task : plan.tasks) {
    if (auto checked = validate(task); !checked) return checked;
  }
  if (auto apart = keep_names_apart(plan); !apart) return apart;
  auto graph = make_graph(plan);
  if (!graph) return std::unexpected(graph.error());
  const auto is_result = [&](const Task& task) { return task.name == plan.result_of; };
  if (!plan.result_of.empty() && std::ranges::none_of(plan.tasks, is_result)) {
    return fail(
        ErrorCode::invalid_input,
        fmt::format("result_of names {}, which is not in the plan", quoted(plan.result_of)));
  }
  return {};
}

}  // namespace vigil::swarm
