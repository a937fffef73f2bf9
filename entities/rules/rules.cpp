#include "entities/rules/rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>

#include "entities/rules/filter.hpp"
#include "entities/rules/template.hpp"

namespace vigil::entities {
namespace {

constexpr std::size_t case_key_bytes_max = 400;
constexpr std::size_t reasons_max = 5;    // told of a batch
constexpr std::size_t waiting_max = 100;  // swarms whose report a case waits for

struct CompiledTask {
  config::RuleTask settings;
  std::vector<Template> argv;
  JsonTemplate input;
};

struct CompiledAction {
  config::RuleAction settings;
  JsonTemplate payload;
};

struct CompiledRule {
  std::string name;
  Filter filter;
  std::optional<Template> remember;
  std::vector<CompiledTask> tasks;
  std::vector<CompiledAction> actions;
};

swarm::Containment containment_of(const std::string& sandbox) {
  if (sandbox == "none") return swarm::Containment::none;
  return sandbox == "net" ? swarm::Containment::net : swarm::Containment::strict;
}

Result<CompiledTask> compile_task(const config::RuleTask& task) {
  CompiledTask out{task, {}, {}};
  for (const auto& word : task.argv) {
    auto text = Template::compile(word);
    if (!text) return std::unexpected(std::move(text.error()));
    // Text from outside may be an argument, never the program.
    if (out.argv.empty() && text->has_holes()) {
      return fail(ErrorCode::invalid_input, "argv[0] is the program and may hold no {{...}}");
    }
    out.argv.push_back(std::move(*text));
  }
  auto input = JsonTemplate::compile(task.input);
  if (!input) return std::unexpected(std::move(input.error()));
  out.input = std::move(*input);
  return out;
}

Result<CompiledRule> compile_rule(const config::Rule& rule) {
  const auto at = [&](const Error& error) {
    return fail(error.code, fmt::format("rule '{}': {}", rule.name, error.message));
  };
  auto filter = Filter::compile(rule.match, rule.when);
  if (!filter) return at(filter.error());
  CompiledRule out{rule.name, std::move(*filter), std::nullopt, {}, {}};
  if (!rule.remember.empty()) {
    auto remember = Template::compile(rule.remember);
    if (!remember) return at(remember.error());
    out.remember = std::move(*remember);
  }
  for (const auto& task : rule.tasks) {
    auto compiled = compile_task(task);
    if (!compiled) return at(compiled.error());
    out.tasks.push_back(std::move(*compiled));
  }
  for (const auto& action : rule.actions) {
    auto payload = JsonTemplate::compile(action.payload);
    if (!payload) return at(payload.error());
    out.actions.push_back({action, std::move(*payload)});
  }
  return out;
}

swarm::Plan plan_of(const CompiledRule& rule, const Scope& scope, std::string title) {
  swarm::Plan plan;
  plan.title = std::move(title);
  for (const auto& from : rule.tasks) {
    swarm::Task task;
    task.name = from.settings.name;
    for (const auto& word : from.argv) task.argv.push_back(word.text(scope));
    task.builtin = from.settings.builtin;
    task.input = from.input.value(scope);
    task.needs = from.settings.needs;
    task.timeout = from.settings.timeout;
    task.retries = from.settings.retries;
    task.containment = containment_of(from.settings.sandbox);
    plan.tasks.push_back(std::move(task));
  }
  return plan;
}

Action action_of(const CompiledAction& from, json::value payload) {
  Action out;
  out.kind = from.settings.kind;
  out.sink = from.settings.sink;
  if (payload.is_object()) out.payload = std::move(payload.get_object());
  return out;
}

// What templates see of a report: results by task name, beside the sums.
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

class Rules final : public Guardian {
 public:
  Rules(Template case_key, std::vector<CompiledRule> rules)
      : case_key_(std::move(case_key)), rules_(std::move(rules)) {}

  Interest interest(const Event& event) const override {
    const EventView view(event);
    Scope scope;
    scope.event = &view;
    const json::value no_report;
    scope.report = &no_report;
    auto key = case_key_.text(scope);
    if (key.empty()) key = event.type;  // what is about nothing in particular is kept by its type
    if (key.size() > case_key_bytes_max) key.resize(case_key_bytes_max);
    return Interest::in(to_valid_utf8(key));
  }

  Decision decide(const Wake& wake, const Recollection& memory) const override {
    Decision out;
    if (const auto* events = std::get_if<EventsArrived>(&wake.because)) {
      arrived(wake, *events, memory, out);
    } else if (const auto* ended = std::get_if<SwarmEnded>(&wake.because)) {
      this->ended(ended->report, memory, out);
    } else if (const auto* action = std::get_if<ActionSettled>(&wake.because)) {
      settled(*action, out);
    } else if (const auto* feedback = std::get_if<FeedbackGiven>(&wake.because)) {
      heard(*feedback, out);
    } else {
      out.verdict = Verdict::ignored;
      out.why = "rules set no timers";
    }
    return out;
  }

 private:
  void arrived(const Wake& wake, const EventsArrived& events, const Recollection& memory,
               Decision& out) const;
  bool apply(const CompiledRule& rule, const Event& event, const Scope& scope, json::object& state,
             Decision& out, std::string& what) const;
  void ended(const swarm::Report& report, const Recollection& memory, Decision& out) const;
  static void settled(const ActionSettled& action, Decision& out);
  static void heard(const FeedbackGiven& feedback, Decision& out);
  const CompiledRule* rule_for(const Event& event, std::string& mistakes) const;
  const CompiledRule* find(std::string_view name) const;

  Template case_key_;
  std::vector<CompiledRule> rules_;
};

const CompiledRule* Rules::rule_for(const Event& event, std::string& mistakes) const {
  for (const auto& rule : rules_) {
    const auto matched = rule.filter.matches(event);
    if (!matched) mistakes += fmt::format(" (rule '{}': {})", rule.name, matched.error().message);
    if (matched.value_or(false)) return &rule;
  }
  return nullptr;
}

const CompiledRule* Rules::find(std::string_view name) const {
  for (const auto& rule : rules_) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

json::object& child(json::object& parent, std::string_view name) {
  auto& value = parent[name];
  if (!value.is_object()) value = json::object();
  return value.get_object();
}

// True: something was asked for.
bool Rules::apply(const CompiledRule& rule, const Event& event, const Scope& scope,
                  json::object& state, Decision& out, std::string& what) const {
  bool asked = false;
  what = fmt::format("rule '{}' matched", rule.name);
  if (rule.remember) {
    // Nothing is left open in what is remembered: a report's hole is empty there.
    const json::value no_report;
    Scope whole = scope;
    whole.report = &no_report;
    out.episodes.push_back({rule.name, rule.remember->text(whole), nullptr});
    what += ", it is remembered";
  }
  if (!rule.tasks.empty()) {
    const auto title = fmt::format("{} #{}", rule.name, event.id.value);
    auto plan = plan_of(rule, scope, title);
    what += fmt::format(", {} task{} to run", plan.tasks.size(), plan.tasks.size() == 1 ? "" : "s");
    out.plans.push_back(std::move(plan));
    asked = true;
    json::array later;  // what waits for the report, with the event's part filled in
    for (const auto& action : rule.actions) {
      later.push_back(action.settings.on == "event" ? json::value() : action.payload.value(scope));
    }
    auto& waiting = child(state, "waiting");
    if (waiting.size() < waiting_max) {
      waiting[title] = {{"rule", rule.name}, {"payloads", std::move(later)}};
    }
  }
  for (const auto& action : rule.actions) {
    if (action.settings.on != "event") continue;
    const json::value no_report;
    Scope whole = scope;
    whole.report = &no_report;
    out.actions.push_back(action_of(action, action.payload.value(whole)));
    what += fmt::format(", {} to {}", action.settings.kind, action.settings.sink);
    asked = true;
  }
  return asked;
}

void Rules::arrived(const Wake& wake, const EventsArrived& events, const Recollection& memory,
                    Decision& out) const {
  auto state = memory.case_state();
  std::vector<std::string> reasons;
  std::size_t matched = 0;
  bool asked = false;
  for (const auto& event : events.events) {
    std::string mistakes;
    const auto* rule = rule_for(*event, mistakes);
    std::string what =
        fmt::format("none of {} rules matches {}{}", rules_.size(), event->type, mistakes);
    if (rule != nullptr) {
      ++matched;
      const EventView view(*event);
      asked = apply(*rule, *event, Scope{&view, wake.case_key, nullptr}, state, out, what) || asked;
      if (out.rule.empty()) out.rule = rule->name;
    }
    if (reasons.size() < reasons_max) reasons.push_back(std::move(what));
  }
  out.verdict = asked ? Verdict::acted : (matched > 0 ? Verdict::noted : Verdict::ignored);
  out.why = fmt::format("{}", fmt::join(reasons, "; "));
  if (events.events.size() > 1) {
    out.why = fmt::format("{} events together: {}", events.events.size(), out.why);
  }
  if (matched == 0) return;
  const auto* seen = state.if_contains("events");
  const auto count = seen != nullptr && seen->is_int64() ? seen->get_int64() : 0;
  state["events"] = count + static_cast<std::int64_t>(matched);
  state["last_event"] = events.events.back()->id.value;
  out.state = std::move(state);
}

void Rules::ended(const swarm::Report& report, const Recollection& memory, Decision& out) const {
  auto state = memory.case_state();
  auto& waiting = child(state, "waiting");
  const auto* entry = waiting.if_contains(report.title);
  const auto name = entry == nullptr ? report.title.substr(0, report.title.rfind(" #"))
                                     : std::string(find_text(*entry, "rule").value_or(""));
  const auto* rule = find(name);
  const auto how = report.ok ? "did its work" : (report.cancelled ? "was cancelled" : "failed");
  out.rule = name;
  out.verdict = Verdict::noted;
  out.why = fmt::format("the swarm of rule '{}' {}{}{}", name, how,
                        report.error.empty() ? "" : ": ", report.error);
  out.episodes.push_back({"swarm", out.why, nullptr});
  const auto* payloads = entry == nullptr ? nullptr : find_path(*entry, "payloads");
  if (rule != nullptr && payloads != nullptr && payloads->is_array() && !report.cancelled) {
    const auto told = told_of(report);
    const auto& list = payloads->get_array();
    for (std::size_t at = 0; at < rule->actions.size() && at < list.size(); ++at) {
      const auto& on = rule->actions[at].settings.on;
      const bool now =
          on == "report" || (on == "ok" && report.ok) || (on == "failed" && !report.ok);
      if (!now) continue;
      const auto payload = JsonTemplate::compile(list[at]);
      if (!payload)
        continue;  // the configuration changed meanwhile: it is not its payload any more
      out.actions.push_back(
          action_of(rule->actions[at], payload->value(Scope{nullptr, "", &told})));
      out.verdict = Verdict::acted;
    }
  }
  waiting.erase(report.title);
  if (waiting.empty()) state.erase("waiting");
  out.state = std::move(state);
}

void Rules::settled(const ActionSettled& action, Decision& out) {
  out.verdict = Verdict::noted;
  out.why = fmt::format("action {} ({}) is {}{}{}", action.action.value, action.kind,
                        action.outcome, action.error.empty() ? "" : ": ", action.error);
  if (action.outcome != "delivered") out.episodes.push_back({"action", out.why, nullptr});
}

void Rules::heard(const FeedbackGiven& feedback, Decision& out) {
  out.verdict = Verdict::noted;
  out.why = fmt::format("a person found action {} {}", feedback.action.value,
                        feedback.verdict == "useful" ? "useful" : "to be noise");
  const auto key = fmt::format("feedback:{}", feedback.action.value);
  out.preferences.push_back({key, json::value(feedback.verdict), feedback.note});
}

}  // namespace

Result<std::unique_ptr<Guardian>> make_rules(const config::Entity& entity) {
  const auto& settings = std::get<config::Rules>(entity.of);
  auto case_key = Template::compile(settings.case_key);
  if (!case_key) return std::unexpected(std::move(case_key.error()));
  std::vector<CompiledRule> rules;
  for (const auto& rule : settings.rules) {
    auto compiled = compile_rule(rule);
    if (!compiled) return std::unexpected(std::move(compiled.error()));
    rules.push_back(std::move(*compiled));
  }
  return std::make_unique<Rules>(std::move(*case_key), std::move(rules));
}

}  // namespace vigil::entities
