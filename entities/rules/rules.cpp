#include "entities/rules/rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "entities/case_key.hpp"
#include "entities/rules/rule.hpp"

namespace vigil::entities {
namespace {

constexpr std::size_t reasons_max = 5;    // told of a batch
constexpr std::size_t waiting_max = 100;  // swarms whose report a case waits for
// What is kept for them, in all: the state is written with each decision.
constexpr std::size_t waiting_bytes_max = 1024 * 1024;

// What a case keeps in its state:
//   waiting: by title of a swarm, {"rule", "event": what its later actions need to know}
//   events, last_event: how many events a rule matched, and the last one's number
//   conversations: by "RULE/TASK" where the next run of an agent goes on
constexpr std::string_view waiting_key = "waiting";
constexpr std::string_view conversations_key = "conversations";

class Rules final : public Guardian {
 public:
  Rules(Template case_key, std::vector<CompiledRule> rules)
      : case_key_(std::move(case_key)), rules_(std::move(rules)) {}

  Interest interest(const Event& event) const override {
    const EventView view(event);
    Scope scope;
    scope.event = &view;
    auto key = case_key_.text(scope);
    if (key.empty()) key = event.type;  // what is about nothing in particular is kept by its type
    return Interest::in(case_key_of(std::move(key)));
  }

  Decision decide(const Wake& wake, const Recollection& memory) const override {
    Decision out;
    if (const auto* events = std::get_if<EventsArrived>(&wake.because)) {
      arrived(wake, *events, memory, out);
    } else if (const auto* swarm = std::get_if<SwarmEnded>(&wake.because)) {
      ended(wake, swarm->report, memory, out);
    } else if (const auto* action = std::get_if<ActionSettled>(&wake.because)) {
      settled(*action, out);
    } else if (const auto* feedback = std::get_if<FeedbackGiven>(&wake.because)) {
      heard(wake, *feedback, out);
    } else {
      out.verdict = Verdict::ignored;
      out.why = "rules set no timers";
    }
    return out;
  }

 private:
  // What one event came to.
  struct Outcome {
    bool matched = false;
    bool asked = false;  // for something to be run or done
    std::string rule;
    std::string told;
  };

  void arrived(const Wake& wake, const EventsArrived& events, const Recollection& memory,
               Decision& out) const;
  Outcome consider(const Event& event, const std::string& case_key, json::object& state,
                   Decision& out) const;
  static void run_tasks(const CompiledRule& rule, const Event& event, const Scope& scope,
                        json::object& state, Decision& out, Outcome& outcome);
  void ended(const Wake& wake, const swarm::Report& report, const Recollection& memory,
             Decision& out) const;
  static void settled(const ActionSettled& action, Decision& out);
  static void heard(const Wake& wake, const FeedbackGiven& feedback, Decision& out);
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
  const auto found = std::ranges::find(rules_, name, &CompiledRule::name);
  return found == rules_.end() ? nullptr : &*found;
}

json::object& child(json::object& parent, std::string_view name) {
  auto& value = parent[name];
  if (!value.is_object()) value = json::object();
  return value.get_object();
}

std::string plural(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::size_t size_of(const json::value& entry) { return vigil::to_text(entry).size(); }

void let_go_of_oldest(json::object& waiting) {
  std::size_t bytes = 0;
  for (const auto& entry : waiting) bytes += size_of(entry.value());
  // The newest stays, however large it is.
  while (waiting.size() > 1 && (waiting.size() > waiting_max || bytes > waiting_bytes_max)) {
    bytes -= size_of(waiting.begin()->value());
    waiting.stable_erase(waiting.begin());
  }
}

// Agents go on where they ended in this case.
void go_on_talking(const std::string& rule, const json::object& state, swarm::Plan& plan) {
  const auto* kept = state.if_contains(conversations_key);
  if (kept == nullptr || !kept->is_object()) return;
  for (auto& task : plan.tasks) {
    const auto* known = kept->as_object().if_contains(fmt::format("{}/{}", rule, task.name));
    if (!task.agent || known == nullptr || !known->is_string()) continue;
    auto agent = std::make_shared<swarm::AgentWork>(*task.agent);
    agent->conversation = known->as_string();
    task.agent = std::move(agent);
  }
}

void keep_conversations(const CompiledRule& rule, const swarm::Report& report,
                        json::object& state) {
  for (const auto& task : rule.tasks) {
    if (!task.settings.agent) continue;
    const auto ended =
        std::ranges::find(report.tasks, task.settings.name, &swarm::TaskOutcome::name);
    if (ended == report.tasks.end()) continue;
    const auto conversation = find_text(ended->result, "conversation");
    if (!conversation) continue;
    child(state, conversations_key)[fmt::format("{}/{}", rule.name, task.settings.name)] =
        std::string(*conversation);
  }
}

void Rules::run_tasks(const CompiledRule& rule, const Event& event, const Scope& scope,
                      json::object& state, Decision& out, Outcome& outcome) {
  auto& waiting = child(state, waiting_key);
  auto title = fmt::format("{} #{}", rule.name, event.id.value);
  while (waiting.contains(title)) title += " again";  // an event that was sent in once more
  auto plan = plan_of(rule, scope, title);
  if (!plan) {
    outcome.told += fmt::format(", its tasks are not run: {}", plan.error().message);
    if (waiting.empty()) state.erase(waiting_key);
    return;
  }
  go_on_talking(rule.name, state, *plan);
  outcome.told += fmt::format(", {} to run", plural(plan->tasks.size(), "task"));
  out.plans.push_back(std::move(*plan));
  outcome.asked = true;
  waiting[title] = {{"rule", rule.name}, {"event", kept_of(rule, *scope.event)}};
  // A swarm that never began (the day's budget was spent) never ends either: the oldest is let go.
  let_go_of_oldest(waiting);
}

Rules::Outcome Rules::consider(const Event& event, const std::string& case_key, json::object& state,
                               Decision& out) const {
  Outcome outcome;
  std::string mistakes;
  const auto* rule = rule_for(event, mistakes);
  if (rule == nullptr) {
    outcome.told =
        fmt::format("none of {} matches {}{}", plural(rules_.size(), "rule"), event.type, mistakes);
    return outcome;
  }
  outcome.matched = true;
  outcome.rule = rule->name;
  outcome.told = fmt::format("rule '{}' matched{}", rule->name, mistakes);
  const EventView view(event);
  const Scope scope{&view, case_key};
  if (rule->remember) {
    out.episodes.push_back({rule->name, rule->remember->text(scope), nullptr});
    outcome.told += ", it is remembered";
  }
  if (!rule->tasks.empty()) run_tasks(*rule, event, scope, state, out, outcome);
  for (const auto& action : rule->actions) {
    if (!action.is_at_once()) continue;
    out.actions.push_back(action_of(action, scope));
    outcome.told += fmt::format(", {} to {}", action.settings.kind, action.settings.sink);
    outcome.asked = true;
  }
  return outcome;
}

void Rules::arrived(const Wake& wake, const EventsArrived& events, const Recollection& memory,
                    Decision& out) const {
  auto state = memory.case_state();
  std::vector<std::string> reasons;
  std::size_t matched = 0;
  bool asked = false;
  for (const auto& event : events.events) {
    auto outcome = consider(*event, wake.case_key, state, out);
    matched += outcome.matched ? 1 : 0;
    asked = asked || outcome.asked;
    if (out.rule.empty()) out.rule = outcome.rule;
    if (std::ranges::find(reasons, outcome.told) == reasons.end()) {
      reasons.push_back(std::move(outcome.told));
    }
  }
  const auto count = reasons.size();
  reasons.resize(std::min(count, reasons_max));
  out.verdict = asked ? Verdict::acted : (matched > 0 ? Verdict::noted : Verdict::ignored);
  out.why = fmt::format("{}", fmt::join(reasons, "; "));
  if (count > reasons.size()) out.why += fmt::format("; and {} more", count - reasons.size());
  if (events.events.size() > 1) {
    out.why = fmt::format("{} events together: {}", events.events.size(), out.why);
  }
  if (matched == 0) return;
  auto& seen = state["events"];
  seen = (seen.is_int64() ? seen.get_int64() : 0) + static_cast<std::int64_t>(matched);
  state["last_event"] = events.events.back()->id.value;
  out.state = std::move(state);
}

void Rules::ended(const Wake& wake, const swarm::Report& report, const Recollection& memory,
                  Decision& out) const {
  auto state = memory.case_state();
  auto& waiting = child(state, waiting_key);
  const auto* entry = waiting.if_contains(report.title);
  const auto* known_rule = entry == nullptr ? nullptr : find_path(*entry, "rule");
  const auto* kept = entry == nullptr ? nullptr : find_path(*entry, "event");
  const auto name = known_rule != nullptr && known_rule->is_string()
                        ? std::string(known_rule->get_string())
                        : report.title.substr(0, report.title.rfind(" #"));
  const auto* rule = find(name);
  const auto* how = report.ok ? "did its work" : (report.cancelled ? "was cancelled" : "failed");
  out.rule = name;
  out.verdict = Verdict::noted;
  out.why = fmt::format("the swarm of rule '{}' {}{}{}", name, how,
                        report.error.empty() ? "" : ": ", report.error);
  out.episodes.push_back({"swarm", out.why, nullptr});
  if (rule == nullptr) out.why += "; the configuration has no such rule any more";
  // Who cancelled it wants nothing of it; one that nobody waits for has been told already.
  if (rule != nullptr && kept != nullptr && kept->is_object() && !report.cancelled) {
    const auto told = told_of(report);
    const Scope scope{nullptr, wake.case_key, &told, &kept->get_object()};
    for (const auto& action : rule->actions) {
      const auto& on = action.settings.on;
      const bool now = on == "report" || on == (report.ok ? "ok" : "failed");
      if (!now) continue;
      out.actions.push_back(action_of(action, scope));
      out.why += fmt::format(", {} to {}", action.settings.kind, action.settings.sink);
      out.verdict = Verdict::acted;
    }
  }
  waiting.stable_erase(report.title);
  if (waiting.empty()) state.erase(waiting_key);
  if (rule != nullptr) keep_conversations(*rule, report, state);
  out.state = std::move(state);
}

void Rules::settled(const ActionSettled& action, Decision& out) {
  out.verdict = Verdict::noted;
  out.why = fmt::format("action {} ({}) is {}{}{}", action.action.value, action.kind,
                        action.outcome, action.error.empty() ? "" : ": ", action.error);
  if (action.outcome != "delivered") out.episodes.push_back({"action", out.why, nullptr});
}

void Rules::heard(const Wake& wake, const FeedbackGiven& feedback, Decision& out) {
  const auto about =
      feedback.action ? fmt::format("action {}", feedback.action.value) : "this case";
  const auto key = feedback.action ? fmt::format("feedback:{}", feedback.action.value)
                                   : fmt::format("feedback:case:{}", wake.case_key);
  out.verdict = Verdict::noted;
  out.why = fmt::format("a person found {} {}", about,
                        feedback.verdict == "useful" ? "useful" : "to be noise");
  out.preferences.push_back({key, json::value(feedback.verdict), feedback.note});
}

Result<Template> compile_case_key(const std::string& text) {
  auto out = Template::compile(text);
  if (!out) return out;
  for (const auto* root : {"report", "case"}) {
    if (const auto hole = out->hole_of(root); !hole.empty()) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("{}: a case is named by what the event says: event.PATH", hole));
    }
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Guardian>> make_rules(const config::Entity& entity) {
  const auto& settings = std::get<config::Rules>(entity.of);
  auto case_key = compile_case_key(settings.case_key);
  if (!case_key) return fail(ErrorCode::invalid_input, "case_key: " + case_key.error().message);
  std::vector<CompiledRule> rules;
  for (const auto& rule : settings.rules) {
    auto compiled = compile_rule(rule);
    if (!compiled) return std::unexpected(std::move(compiled.error()));
    rules.push_back(std::move(*compiled));
  }
  return std::make_unique<Rules>(std::move(*case_key), std::move(rules));
}

}  // namespace vigil::entities
