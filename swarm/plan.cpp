#include "swarm/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/log.hpp"
#include "swarm/graph.hpp"

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

Result<void> validate_command(const Task& task) {
  if (task.argv.empty() == task.builtin.empty()) {
    return refuse(task, "give exactly one of argv and builtin");
  }
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

Result<void> validate_task(const Task& task) {
  if (!is_well_formed(task.name)) {
    return fail(ErrorCode::invalid_input,
                fmt::format("task name {} must be 1 to {} characters of A-Z a-z 0-9 _ . : / -",
                            quoted(task.name), name_bytes_max));
  }
  for (const auto check : {validate_command, validate_paths, validate_limits}) {
    if (auto checked = check(task); !checked) return checked;
  }
  return {};
}

}  // namespace

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
    if (auto checked = validate_task(task); !checked) return checked;
  }
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
