#include "entities/rules/rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <limits>

#include "entities/analyser.hpp"

namespace vigil::entities {
namespace {

constexpr Duration plan_timeout_max = std::chrono::days{7};
constexpr Duration backoff_max = std::chrono::minutes{1};  // between two attempts of a task

std::unexpected<Error> at(std::string_view place, const Error& error) {
  return fail(error.code, fmt::format("{}: {}", place, error.message));
}

swarm::Containment containment_of(const std::string& sandbox) {
  if (sandbox == "none") return swarm::Containment::none;
  return sandbox == "net" ? swarm::Containment::net : swarm::Containment::strict;
}

swarm::OnFailure on_failure_of(const std::string& word) {
  if (word == "fail") return swarm::OnFailure::fail;
  return word == "partial" ? swarm::OnFailure::partial : swarm::OnFailure::go_on;
}

// A report is only there once the tasks have ended.
Result<void> refuse_report(const Template& text) {
  const auto hole = text.hole_of("report");
  if (hole.empty()) return {};
  return fail(
      ErrorCode::invalid_input,
      fmt::format("{} stands where there is no report yet: it can only be in the payload of "
                  "an action with on = \"report\", \"ok\" or \"failed\"",
                  hole));
}

Result<Template> compile_early(const std::string& text) {
  auto out = Template::compile(text);
  if (!out) return out;
  if (auto fits = refuse_report(*out); !fits) return std::unexpected(std::move(fits.error()));
  return out;
}

Result<JsonTemplate> compile_early(const json::value& value) {
  auto out = JsonTemplate::compile(value);
  if (!out) return out;
  for (const auto& text : out->texts()) {
    if (auto fits = refuse_report(text); !fits) return std::unexpected(std::move(fits.error()));
  }
  return out;
}

// Items of a list may come from outside: as with templates, none of them may become an option.
Result<void> check_items(const config::RuleTask& task) {
  if (task.for_each.empty()) return {};
  for (const auto& word : task.argv) {
    if (word == "--") return {};
    if (!word.starts_with("{item}")) continue;
    return fail(ErrorCode::invalid_input,
                "an item that begins with '-' would be taken for an option: put \"--\" before "
                "{item} in argv");
  }
  return {};
}

Result<CompiledTask> compile_task(const config::RuleTask& task);

// A verifier is a task without what belongs to the one it judges.
Result<std::shared_ptr<const CompiledTask>> compile_verify(const config::RuleTask& judged) {
  config::RuleTask task;
  task.name = judged.name + ":verify";
  task.argv = judged.verify->argv;
  task.builtin = judged.verify->builtin;
  task.input = judged.verify->input;
  task.timeout = judged.verify->timeout;
  task.sandbox = judged.verify->sandbox;
  auto compiled = compile_task(task);
  if (!compiled) return at("verify", compiled.error());
  return std::make_shared<const CompiledTask>(std::move(*compiled));
}

Result<CompiledTask> compile_task(const config::RuleTask& task) {
  CompiledTask out;
  out.settings = task;
  for (const auto& word : task.argv) {
    auto text = compile_early(word);
    if (!text) return at("argv", text.error());
    // Text from outside may be an argument, never the program.
    if (out.argv.empty() && text->has_holes()) {
      return fail(ErrorCode::invalid_input, "argv[0] is the program and may hold no {{...}}");
    }
    out.argv.push_back(std::move(*text));
  }
  if (auto safe = check_items(task); !safe) return std::unexpected(std::move(safe.error()));
  if (!task.builtin.empty() && find_any_analyser(task.builtin) == nullptr) {
    return fail(ErrorCode::invalid_input,
                fmt::format("there is no analyser '{}': vigil-task list names them", task.builtin));
  }
  auto input = compile_early(json::value(task.input));
  if (!input) return at("input", input.error());
  out.input = std::move(*input);
  auto digest = compile_early(task.digest);
  if (!digest) return at("digest", digest.error());
  out.digest = std::move(*digest);
  auto commit = compile_early(task.agent ? task.agent->commit : std::string());
  if (!commit) return at("agent.commit", commit.error());
  out.commit = std::move(*commit);
  if (!task.verify) return out;
  auto verify = compile_verify(task);
  if (!verify) return std::unexpected(std::move(verify.error()));
  out.verify = std::move(*verify);
  return out;
}

Result<CompiledAction> compile_action(const config::RuleAction& action) {
  auto payload = action.on == "event" ? compile_early(json::value(action.payload))
                                      : JsonTemplate::compile(action.payload);
  if (!payload) return std::unexpected(std::move(payload.error()));
  return CompiledAction{action, std::move(*payload)};
}

// The plan's own limit is never what ends a task that keeps to its own.
Duration timeout_of(const CompiledRule& rule) {
  Duration sum{0};
  for (const auto& task : rule.tasks) {
    // How many tasks these become is only known when they run.
    if (!task.settings.for_each.empty() || task.settings.spawn_max > 0) return plan_timeout_max;
    Duration attempt = task.settings.timeout;
    if (task.verify) attempt += task.verify->settings.timeout;
    sum += attempt * task.settings.variants * (task.settings.retries + 1);
    sum += backoff_max * task.settings.retries;
  }
  return std::clamp(sum, swarm::Plan{}.timeout, plan_timeout_max);
}

// An argument that is all from outside must not look like an option, unless "--" stands before it.
Result<void> check_argument(const CompiledTask& task, std::size_t place, const std::string& text) {
  if (!text.starts_with('-') || !task.argv[place].begins_with_hole()) return {};
  const auto before = std::span(task.settings.argv).first(place);
  if (std::ranges::find(before, "--") != before.end()) return {};
  return fail(
      ErrorCode::invalid_input,
      fmt::format("argument {} of task '{}' would begin with '-', which a program takes for "
                  "an option: put \"--\" before it in argv",
                  place, task.settings.name));
}

// Of a question that waits for other tasks nobody knows what these have read; of one that does not,
// the wake's own taint says it, and is put over this when the plan is committed.
std::shared_ptr<const swarm::Ask> ask_of(const config::RuleTask& settings) {
  if (!settings.ask) return nullptr;
  swarm::Ask out;
  out.model = settings.ask->model;
  out.prompt = settings.ask->prompt;
  out.schema = settings.ask->schema;
  out.tools = settings.ask->tools;
  out.output_tokens_max = static_cast<int>(
      std::min<std::int64_t>(settings.ask->output_tokens_max, std::numeric_limits<int>::max()));
  out.interface_prompt = settings.ask->interface_prompt;
  out.interface_schema = settings.ask->interface_schema;
  out.tainted = !settings.needs.empty() || !settings.needs_interface.empty();
  return std::make_shared<const swarm::Ask>(std::move(out));
}

std::shared_ptr<const swarm::AgentWork> agent_of(const CompiledTask& from, const Scope& scope) {
  const auto& agent = from.settings.agent;
  if (!agent) return nullptr;
  swarm::AgentWork out;
  out.name = agent->name;
  out.prompt = agent->prompt;
  out.commit = from.commit.text(scope);
  // Only a try of the rule, without an event, has nothing to say here.
  if (out.commit.empty()) out.commit = "HEAD";
  return std::make_shared<const swarm::AgentWork>(std::move(out));
}

Result<swarm::Task> task_of(const CompiledTask& from, const Scope& scope) {
  const config::RuleTask& settings = from.settings;
  swarm::Task task;
  task.name = settings.name;
  for (std::size_t place = 0; place < from.argv.size(); ++place) {
    auto text = from.argv[place].text(scope);
    if (auto safe = check_argument(from, place, text); !safe) {
      return std::unexpected(std::move(safe.error()));
    }
    task.argv.push_back(std::move(text));
  }
  task.builtin = settings.builtin;
  task.reduce = settings.reduce;
  task.ask = ask_of(settings);
  task.agent = agent_of(from, scope);
  task.input = from.input.value(scope);
  task.needs = settings.needs;
  task.needs_interface = settings.needs_interface;
  task.for_each = settings.for_each;
  task.spawn_max = settings.spawn_max;
  task.planner = settings.planner;
  task.variants = settings.variants;
  task.hedge = settings.hedge;
  task.cache = settings.cache;
  task.digest = from.digest.text(scope);
  task.timeout = settings.timeout;
  task.retries = settings.retries;
  task.containment = containment_of(settings.sandbox);
  if (!from.verify) return task;
  auto verify = task_of(*from.verify, scope);
  if (!verify) return verify;
  verify->name.clear();  // the engine names it after its task
  task.verify = std::make_shared<const swarm::Task>(std::move(*verify));
  return task;
}

}  // namespace

Result<CompiledRule> compile_rule(const config::Rule& rule) {
  const auto place = fmt::format("rule '{}'", rule.name);
  auto filter = Filter::compile(rule.match, rule.when);
  if (!filter) return at(place, filter.error());
  CompiledRule out{rule.name, std::move(*filter), std::nullopt, {}, {}, {}};
  out.on_failure = on_failure_of(rule.on_failure);
  if (!rule.remember.empty()) {
    auto remember = compile_early(rule.remember);
    if (!remember) return at(place + ": remember", remember.error());
    out.remember = std::move(*remember);
  }
  for (const auto& task : rule.tasks) {
    auto compiled = compile_task(task);
    if (!compiled) return at(fmt::format("{}: task '{}'", place, task.name), compiled.error());
    out.tasks.push_back(std::move(*compiled));
  }
  for (const auto& action : rule.actions) {
    auto compiled = compile_action(action);
    if (!compiled) return at(fmt::format("{}: action to {}", place, action.sink), compiled.error());
    out.actions.push_back(std::move(*compiled));
  }
  if (out.tasks.empty()) return out;
  const auto plan = plan_of(out, Scope{}, "a try");
  if (!plan) return at(place, plan.error());
  if (auto valid = swarm::validate(*plan); !valid) return at(place, valid.error());
  return out;
}

Result<swarm::Plan> plan_of(const CompiledRule& rule, const Scope& scope, std::string title) {
  swarm::Plan plan;
  plan.title = std::move(title);
  plan.timeout = timeout_of(rule);
  plan.on_failure = rule.on_failure;
  for (const auto& from : rule.tasks) {
    auto task = task_of(from, scope);
    if (!task) return std::unexpected(std::move(task.error()));
    plan.tasks.push_back(std::move(*task));
  }
  // Such as an argument with a NUL byte in it: only what the event says can be wrong here.
  if (auto valid = swarm::validate(plan); !valid) return std::unexpected(std::move(valid.error()));
  return plan;
}

Action action_of(const CompiledAction& action, const Scope& scope) {
  Action out;
  out.kind = action.settings.kind;
  out.sink = action.settings.sink;
  auto payload = action.payload.value(scope);
  if (payload.is_object()) out.payload = std::move(payload.get_object());
  return out;
}

json::object kept_of(const CompiledRule& rule, const EventView& event) {
  json::object kept;
  for (const auto& action : rule.actions) {
    if (action.is_at_once()) continue;
    for (const auto& text : action.payload.texts()) text.keep(event, kept);
  }
  return kept;
}

json::value told_of(const swarm::Report& report) {
  json::object tasks;
  json::array failed;
  for (const auto& task : report.tasks) {
    tasks[task.name] = {{"state", swarm::to_text(task.state)},
                        {"result", task.result},
                        {"error", task.error},
                        {"took", vigil::to_text(task.took)}};
    if (task.state == swarm::TaskState::failed) failed.emplace_back(task.name);
  }
  json::object out;
  out["ok"] = report.ok;
  out["error"] = report.error;
  out["title"] = report.title;
  out["result"] = report.result;
  out["wall"] = vigil::to_text(report.wall);
  out["tasks"] = std::move(tasks);
  out["tasks_failed"] = std::move(failed);
  return out;
}

}  // namespace vigil::entities
