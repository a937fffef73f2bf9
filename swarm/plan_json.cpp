// Plans as JSON: what process guardians send and what the database keeps. docs/plans.md is the
// reference of every member; a test holds the two together.
#include <fmt/format.h>

#include <array>

#include "swarm/json_members.hpp"
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

constexpr std::array<std::pair<std::string_view, Containment>, 3> containments{
    {{"strict", Containment::strict}, {"net", Containment::net}, {"none", Containment::none}}};
constexpr std::array<std::pair<std::string_view, OnFailure>, 3> failure_choices{
    {{"fail", OnFailure::fail}, {"continue", OnFailure::go_on}, {"partial", OnFailure::partial}}};

template <class T, std::size_t N>
std::string_view word_of(const std::array<std::pair<std::string_view, T>, N>& words, T value) {
  for (const auto& [word, meaning] : words) {
    if (meaning == value) return word;
  }
  return words.front().first;
}

// Members are written only when they differ from their default, so that plans stay short.
class Writer {
 public:
  template <class T>
  void value(std::string_view key, const T& value, const T& otherwise) {
    if (value != otherwise) object[key] = value;
  }
  void duration(std::string_view key, Duration value, Duration otherwise) {
    if (value != otherwise) object[key] = exact_text(value);
  }
  template <class T>
  void list(std::string_view key, const std::vector<T>& items, const std::vector<T>& otherwise) {
    if (items == otherwise) return;
    json::array array;
    array.reserve(items.size());
    for (const T& item : items) array.emplace_back(item);
    object[key] = std::move(array);
  }

  json::object object;
};

json::object to_json(const Ask& ask) {
  const Ask defaults;
  Writer out;
  out.object["model"] = ask.model;
  out.object["prompt"] = ask.prompt;
  if (!ask.schema.empty()) out.object["schema"] = ask.schema;
  out.list("tools", ask.tools, defaults.tools);
  out.value("output_tokens_max", ask.output_tokens_max, defaults.output_tokens_max);
  out.value("interface_prompt", ask.interface_prompt, defaults.interface_prompt);
  if (!ask.interface_schema.empty()) out.object["interface_schema"] = ask.interface_schema;
  out.value("tainted", ask.tainted, defaults.tainted);
  return std::move(out.object);
}

json::object to_json(const AgentWork& agent) {
  const AgentWork defaults;
  Writer out;
  out.object["name"] = agent.name;
  out.object["prompt"] = agent.prompt;
  out.value("commit", agent.commit, defaults.commit);
  out.value("conversation", agent.conversation, defaults.conversation);
  return std::move(out.object);
}

void read_members(JsonMembers& members, Ask& ask) {
  members.text("model", ask.model);
  members.text("prompt", ask.prompt);
  members.object("schema", ask.schema);
  members.texts("tools", ask.tools);
  members.number("output_tokens_max", ask.output_tokens_max);
  members.text("interface_prompt", ask.interface_prompt);
  members.object("interface_schema", ask.interface_schema);
  members.flag("tainted", ask.tainted);
}

void read_members(JsonMembers& members, AgentWork& agent) {
  members.text("name", agent.name);
  members.text("prompt", agent.prompt);
  members.text("commit", agent.commit);
  members.text("conversation", agent.conversation);
}

// A member that is an object with members of its own.
template <class Part>
Result<std::shared_ptr<const Part>> read_part(JsonMembers& members, std::string_view key) {
  const auto* value = members.find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) {
    return fail(ErrorCode::invalid_input, members.path_of(key) + ": expected an object");
  }
  Part part;
  JsonMembers below(value->as_object(), members.path_of(key));
  read_members(below, part);
  if (auto finished = below.finish(); !finished) return std::unexpected(finished.error());
  return std::make_shared<const Part>(std::move(part));
}

template <class Part>
std::vector<std::string> members_of_part() {
  const json::object nothing;
  JsonMembers members(nothing, "");
  Part part;
  read_members(members, part);
  return members.known();
}

void write_choices(const Task& task, const Task& defaults, Writer& out) {
  out.value("for_each", task.for_each, defaults.for_each);
  out.value("spawn_max", task.spawn_max, defaults.spawn_max);
  out.value("planner", task.planner, defaults.planner);
  if (task.verify) {
    auto verify = to_json(*task.verify);
    if (task.verify->name.empty()) verify.erase("name");
    out.object["verify"] = std::move(verify);
  }
  out.value("variants", task.variants, defaults.variants);
  out.value("hedge", task.hedge, defaults.hedge);
  out.value("cache", task.cache, defaults.cache);
  out.value("digest", task.digest, defaults.digest);
}

// What a verifier shares with every task: a command, and how it is contained.
void read_command(JsonMembers& members, Task& task) {
  members.text("name", task.name);
  members.texts("argv", task.argv);
  members.text("builtin", task.builtin);
  members.any("input", task.input);
  members.duration("timeout", task.timeout);
  members.one_of("containment", containments, task.containment);
  members.text("workdir", task.workdir);
  members.texts("read_paths", task.read_paths);
  members.texts("write_paths", task.write_paths);
  members.number("output_bytes_max", task.output_bytes_max);
  members.numbers("exit_ok", task.exit_ok);
}

void read_task_members(JsonMembers& members, Task& task) {
  read_command(members, task);
  members.text("reduce", task.reduce);
  members.texts("needs", task.needs);
  members.texts("needs_interface", task.needs_interface);
  members.text("for_each", task.for_each);
  members.number("spawn_max", task.spawn_max);
  members.flag("planner", task.planner);
  members.number("variants", task.variants);
  members.flag("hedge", task.hedge);
  members.flag("cache", task.cache);
  members.text("digest", task.digest);
  members.number("retries", task.retries);
  members.duration("retry_backoff", task.retry_backoff);
  members.flag("optional", task.optional);
  members.units("resources", task.resources);
}

void read_plan_members(JsonMembers& members, Plan& plan) {
  members.text("title", plan.title);
  members.text("result_of", plan.result_of);
  members.number("parallel_max", plan.parallel_max);
  members.duration("timeout", plan.timeout);
  members.one_of("on_failure", failure_choices, plan.on_failure);
}

Result<Task> read_verifier(const json::value& value, const std::string& path) {
  if (!value.is_object()) {
    return fail(ErrorCode::invalid_input,
                path + R"(: expected a task like {"argv": ["check"]}, which judges the result)");
  }
  Task task;
  JsonMembers members(value.as_object(), path);
  read_command(members, task);
  auto ask = read_part<Ask>(members, "ask");
  if (!ask) return std::unexpected(ask.error());
  task.ask = std::move(*ask);
  for (const auto& member : task_members()) {
    if (members.is_known(member)) continue;
    members.forbid(member, "a verifier has none of its own: remove it, or give it to the task");
  }
  if (auto finished = members.finish(); !finished) return std::unexpected(finished.error());
  return task;
}

Result<Task> read_task(const json::value& value, const std::string& path) {
  if (!value.is_object()) return fail(ErrorCode::invalid_input, path + ": expected an object");
  Task task;
  JsonMembers members(value.as_object(), path);
  read_task_members(members, task);
  const auto* verify = members.find("verify");
  auto ask = read_part<Ask>(members, "ask");
  if (!ask) return std::unexpected(ask.error());
  auto agent = read_part<AgentWork>(members, "agent");
  if (!agent) return std::unexpected(agent.error());
  if (auto finished = members.finish(); !finished) return std::unexpected(finished.error());
  task.ask = std::move(*ask);
  task.agent = std::move(*agent);
  if (verify == nullptr) return task;
  auto verifier = read_verifier(*verify, members.path_of("verify"));
  if (!verifier) return std::unexpected(verifier.error());
  task.verify = std::make_shared<const Task>(std::move(*verifier));
  return task;
}

}  // namespace

std::vector<std::string> task_members() {
  const json::object nothing;
  JsonMembers members(nothing, "");
  Task task;
  read_task_members(members, task);
  for (const auto* part : {"verify", "ask", "agent"}) members.find(part);
  return members.known();
}

std::vector<std::string> ask_members() { return members_of_part<Ask>(); }
std::vector<std::string> agent_members() { return members_of_part<AgentWork>(); }

std::vector<std::string> plan_members() {
  const json::object nothing;
  JsonMembers members(nothing, "");
  Plan plan;
  read_plan_members(members, plan);
  members.find("tasks");
  return members.known();
}

json::object to_json(const Task& task) {
  const Task defaults;
  Writer out;
  out.object["name"] = task.name;
  out.list("argv", task.argv, defaults.argv);
  out.value("builtin", task.builtin, defaults.builtin);
  out.value("reduce", task.reduce, defaults.reduce);
  if (task.ask) out.object["ask"] = to_json(*task.ask);
  if (task.agent) out.object["agent"] = to_json(*task.agent);
  if (!task.input.is_null()) out.object["input"] = task.input;
  out.list("needs", task.needs, defaults.needs);
  out.list("needs_interface", task.needs_interface, defaults.needs_interface);
  write_choices(task, defaults, out);
  out.duration("timeout", task.timeout, defaults.timeout);
  out.value("retries", task.retries, defaults.retries);
  out.duration("retry_backoff", task.retry_backoff, defaults.retry_backoff);
  out.value("optional", task.optional, defaults.optional);
  // Always: how far a task is contained should never depend on what a reader takes for granted.
  out.object["containment"] = word_of(containments, task.containment);
  out.value("workdir", task.workdir, defaults.workdir);
  out.list("read_paths", task.read_paths, defaults.read_paths);
  out.list("write_paths", task.write_paths, defaults.write_paths);
  if (!task.resources.empty()) {
    json::object resources;
    for (const auto& [name, units] : task.resources) resources[name] = units;
    out.object["resources"] = std::move(resources);
  }
  out.value("output_bytes_max", task.output_bytes_max, defaults.output_bytes_max);
  out.list("exit_ok", task.exit_ok, defaults.exit_ok);
  return std::move(out.object);
}

Result<Task> task_from_json(const json::value& value, const std::string& path) {
  auto task = read_task(value, path);
  if (!task) return task;
  if (auto valid = validate(*task); !valid) {
    return fail(valid.error().code, fmt::format("{}: {}", path, valid.error().message));
  }
  return task;
}

json::object to_json(const Plan& plan) {
  json::array tasks;
  tasks.reserve(plan.tasks.size());
  for (const Task& task : plan.tasks) tasks.emplace_back(to_json(task));
  json::object object{{"title", plan.title}, {"tasks", std::move(tasks)}};
  if (!plan.result_of.empty()) object["result_of"] = plan.result_of;
  if (plan.parallel_max != 0) object["parallel_max"] = plan.parallel_max;
  object["timeout"] = exact_text(plan.timeout);
  object["on_failure"] = word_of(failure_choices, plan.on_failure);
  return object;
}

Result<Plan> plan_from_json(const json::value& value) {
  if (!value.is_object()) return fail(ErrorCode::invalid_input, "plan: expected an object");
  Plan plan;
  JsonMembers members(value.as_object(), "plan");
  read_plan_members(members, plan);
  const auto* tasks = members.array("tasks", "expected an array of tasks");
  if (auto finished = members.finish(); !finished) return std::unexpected(finished.error());
  if (tasks == nullptr) {
    return fail(ErrorCode::invalid_input, "plan.tasks: missing: a plan is made of tasks");
  }
  if (tasks->size() > plan_tasks_max) {
    return fail(ErrorCode::too_large, fmt::format("plan.tasks: {} tasks, more than {}: split it",
                                                  tasks->size(), plan_tasks_max));
  }
  plan.tasks.reserve(tasks->size());
  for (std::size_t i = 0; i < tasks->size(); ++i) {
    auto task = read_task((*tasks)[i], fmt::format("plan.tasks[{}]", i));
    if (!task) return std::unexpected(task.error());
    plan.tasks.push_back(std::move(*task));
  }
  if (auto valid = validate(plan); !valid) return std::unexpected(valid.error());
  return plan;
}

}  // namespace vigil::swarm
