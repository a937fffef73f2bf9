// Plans as JSON: what process guardians send and what the database keeps.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "swarm/plan.hpp"

namespace vigil::swarm {
namespace {

// Exact, where to_text(Duration) rounds for reading: "1h30m", "1s250ms".
std::string exact_text(Duration duration) {
  struct Unit {
    std::int64_t us;
    const char* name;
  };
  constexpr std::array units{Unit{3'600'000'000, "h"}, Unit{60'000'000, "m"}, Unit{1'000'000, "s"},
                             Unit{1'000, "ms"}, Unit{1, "us"}};
  std::string text;
  auto left = duration.count();
  for (const Unit& unit : units) {
    if (left < unit.us) continue;
    text += fmt::format("{}{}", left / unit.us, unit.name);
    left %= unit.us;
  }
  return text.empty() ? "0s" : text;
}

template <class T>
json::array array_of(const std::vector<T>& items) {
  json::array array;
  for (const T& item : items) array.emplace_back(item);
  return array;
}

std::string_view to_text(Containment containment) {
  switch (containment) {
    case Containment::strict:
      return "strict";
    case Containment::net:
      return "net";
    case Containment::none:
      return "none";
  }
  return "strict";
}

std::string_view to_text(OnFailure on_failure) {
  switch (on_failure) {
    case OnFailure::fail:
      return "fail";
    case OnFailure::go_on:
      return "continue";
    case OnFailure::partial:
      return "partial";
  }
  return "continue";
}

json::object task_to_json(const Task& task) {
  const Task defaults;
  json::object object{{"name", task.name}};
  if (!task.argv.empty()) object["argv"] = array_of(task.argv);
  if (!task.builtin.empty()) object["builtin"] = task.builtin;
  if (!task.input.is_null()) object["input"] = task.input;
  if (!task.needs.empty()) object["needs"] = array_of(task.needs);
  if (!task.needs_interface.empty()) object["needs_interface"] = array_of(task.needs_interface);
  if (task.timeout != defaults.timeout) object["timeout"] = exact_text(task.timeout);
  if (task.retries != 0) object["retries"] = task.retries;
  if (task.retry_backoff != defaults.retry_backoff) {
    object["retry_backoff"] = exact_text(task.retry_backoff);
  }
  if (task.optional) object["optional"] = true;
  object["containment"] = to_text(task.containment);
  if (!task.workdir.empty()) object["workdir"] = task.workdir;
  if (!task.read_paths.empty()) object["read_paths"] = array_of(task.read_paths);
  if (!task.write_paths.empty()) object["write_paths"] = array_of(task.write_paths);
  if (!task.resources.empty()) {
    json::object resources;
    for (const auto& [name, units] : task.resources) resources[name] = units;
    object["resources"] = std::move(resources);
  }
  if (task.output_bytes_max != 0) object["output_bytes_max"] = task.output_bytes_max;
  if (task.exit_ok != defaults.exit_ok) object["exit_ok"] = array_of(task.exit_ok);
  return object;
}

// Reads the members of one object; the first thing wrong is kept with its path.
class Reader {
 public:
  Reader(const json::object& object, std::string path) : object_(object), path_(std::move(path)) {}

  void text(std::string_view key, std::string& out) {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_string()) return wrong(key, "expected a text");
    out = value->as_string();
  }
  void flag(std::string_view key, bool& out) {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_bool()) return wrong(key, "expected true or false");
    out = value->as_bool();
  }
  template <class T>
  void number(std::string_view key, T& out) {
    const auto* value = find(key);
    if (value != nullptr) read_number(key, *value, out);
  }
  void duration(std::string_view key, Duration& out) {
    const auto* value = find(key);
    if (value == nullptr) return;
    const auto* string = value->if_string();
    const auto parsed = string != nullptr ? parse_duration(std::string_view(*string))
                                          : Result<Duration>(fail(ErrorCode::invalid_input, ""));
    if (!parsed) return wrong(key, "expected a duration as a text like \"30s\" or \"1h30m\"");
    out = *parsed;
  }
  void texts(std::string_view key, std::vector<std::string>& out) {
    const auto* array = find_array(key, "expected an array of texts");
    if (array == nullptr) return;
    for (std::size_t i = 0; i < array->size(); ++i) {
      const auto* item = (*array)[i].if_string();
      if (item == nullptr) return wrong(fmt::format("{}[{}]", key, i), "expected a text");
      out.emplace_back(*item);
    }
  }
  void numbers(std::string_view key, std::vector<int>& out) {
    const auto* array = find_array(key, "expected an array of whole numbers");
    if (array == nullptr) return;
    out.clear();
    for (std::size_t i = 0; i < array->size(); ++i) {
      read_number(fmt::format("{}[{}]", key, i), (*array)[i], out.emplace_back());
    }
  }
  void units(std::string_view key, std::map<std::string, int>& out) {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_object()) return wrong(key, "expected an object of name: units");
    for (const auto& [name, amount] : value->as_object()) {
      read_number(fmt::format("{}.{}", key, std::string_view(name)), amount,
                  out[std::string(name)]);
    }
  }
  void any(std::string_view key, json::value& out) {
    if (const auto* value = find(key)) out = *value;
  }
  template <class T, std::size_t N>
  void one_of(std::string_view key, const std::array<std::pair<std::string_view, T>, N>& choices,
              T& out) {
    std::string chosen;
    text(key, chosen);
    if (chosen.empty()) return;
    std::string known;
    for (const auto& [name, value] : choices) {
      if (name == chosen) {
        out = value;
        return;
      }
      known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", name);
    }
    wrong(key, "expected one of " + known);
  }
  const json::array* find_array(std::string_view key, std::string_view expected) {
    const auto* value = find(key);
    if (value == nullptr) return nullptr;
    if (!value->is_array()) wrong(key, expected);
    return value->if_array();
  }
  void wrong(std::string_view key, std::string_view what) {
    if (error_.empty()) error_ = fmt::format("{}.{}: {}", path_, key, what);
  }
  // After all members were asked for: whatever else stands there is a mistake.
  Result<void> finish() {
    for (const auto& member : object_) {
      const std::string_view key = member.key();
      if (std::ranges::find(asked_, key) == asked_.end()) {
        wrong(to_valid_utf8(key.substr(0, 100)), "unknown key: remove it or correct its spelling");
      }
    }
    if (!error_.empty()) return fail(ErrorCode::invalid_input, error_);
    return {};
  }

 private:
  const json::value* find(std::string_view key) {
    asked_.push_back(key);
    return object_.if_contains(key);
  }
  template <class T>
  void read_number(std::string_view key, const json::value& value, T& out) {
    boost::system::error_code error;
    const auto number = value.to_number<T>(error);
    if (error || value.is_double()) return wrong(key, "expected a whole number");
    out = number;
  }

  const json::object& object_;
  std::string path_;
  std::vector<std::string_view> asked_;
  std::string error_;
};

Result<Task> task_from_json(const json::value& value, std::size_t place) {
  const auto path = fmt::format("plan.tasks[{}]", place);
  if (!value.is_object()) return fail(ErrorCode::invalid_input, path + ": expected an object");
  constexpr std::array<std::pair<std::string_view, Containment>, 3> containments{
      {{"strict", Containment::strict}, {"net", Containment::net}, {"none", Containment::none}}};
  Task task;
  Reader reader(value.as_object(), path);
  reader.text("name", task.name);
  reader.texts("argv", task.argv);
  reader.text("builtin", task.builtin);
  reader.any("input", task.input);
  reader.texts("needs", task.needs);
  reader.texts("needs_interface", task.needs_interface);
  reader.duration("timeout", task.timeout);
  reader.number("retries", task.retries);
  reader.duration("retry_backoff", task.retry_backoff);
  reader.flag("optional", task.optional);
  reader.one_of("containment", containments, task.containment);
  reader.text("workdir", task.workdir);
  reader.texts("read_paths", task.read_paths);
  reader.texts("write_paths", task.write_paths);
  reader.units("resources", task.resources);
  reader.number("output_bytes_max", task.output_bytes_max);
  reader.numbers("exit_ok", task.exit_ok);
  if (auto finished = reader.finish(); !finished) return std::unexpected(finished.error());
  return task;
}

}  // namespace

json::object to_json(const Plan& plan) {
  json::array tasks;
  tasks.reserve(plan.tasks.size());
  for (const Task& task : plan.tasks) tasks.emplace_back(task_to_json(task));
  json::object object{{"title", plan.title}, {"tasks", std::move(tasks)}};
  if (!plan.result_of.empty()) object["result_of"] = plan.result_of;
  if (plan.parallel_max != 0) object["parallel_max"] = plan.parallel_max;
  object["timeout"] = exact_text(plan.timeout);
  object["on_failure"] = to_text(plan.on_failure);
  return object;
}

Result<Plan> plan_from_json(const json::value& value) {
  if (!value.is_object()) return fail(ErrorCode::invalid_input, "plan: expected an object");
  constexpr std::array<std::pair<std::string_view, OnFailure>, 3> choices{
      {{"fail", OnFailure::fail}, {"continue", OnFailure::go_on}, {"partial", OnFailure::partial}}};
  Plan plan;
  Reader reader(value.as_object(), "plan");
  reader.text("title", plan.title);
  reader.text("result_of", plan.result_of);
  reader.number("parallel_max", plan.parallel_max);
  reader.duration("timeout", plan.timeout);
  reader.one_of("on_failure", choices, plan.on_failure);
  const auto* tasks = reader.find_array("tasks", "expected an array of tasks");
  if (auto finished = reader.finish(); !finished) return std::unexpected(finished.error());
  if (tasks == nullptr) {
    return fail(ErrorCode::invalid_input, "plan.tasks: missing: a plan is made of tasks");
  }
  if (tasks->size() > plan_tasks_max) {
    return fail(ErrorCode::too_large, fmt::format("plan.tasks: {} tasks, more than {}: split it",
                                                  tasks->size(), plan_tasks_max));
  }
  for (std::size_t i = 0; i < tasks->size(); ++i) {
    auto task = task_from_json((*tasks)[i], i);
    if (!task) return std::unexpected(task.error());
    plan.tasks.push_back(std::move(*task));
  }
  if (auto valid = validate(plan); !valid) return std::unexpected(valid.error());
  return plan;
}

}  // namespace vigil::swarm
