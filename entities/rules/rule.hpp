#pragma once
// One rule of a rules entity, compiled: what it matches, and what it asks for. Private to rules.
// Pure; any thread.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "entities/decision.hpp"
#include "entities/rules/filter.hpp"
#include "entities/rules/template.hpp"

namespace vigil::entities {

struct CompiledTask {
  config::RuleTask settings;
  std::vector<Template> argv;
  JsonTemplate input;
  Template digest;
  Template commit;  // of agent
  std::shared_ptr<const CompiledTask> verify;
};

struct CompiledAction {
  config::RuleAction settings;
  JsonTemplate payload;
  bool is_at_once() const { return settings.on == "event"; }
};

struct CompiledRule {
  std::string name;
  Filter filter;
  std::optional<Template> remember;
  std::vector<CompiledTask> tasks;
  swarm::OnFailure on_failure = swarm::OnFailure::go_on;
  std::vector<CompiledAction> actions;
};

// Fails with the mistake and where in the rule it stands. What can be known before any event comes
// is checked here: paths, holes for a report where there is none yet, analysers, the plan's shape.
Result<CompiledRule> compile_rule(const config::Rule& rule);

// Fails when what an event says cannot be an argument: a program would take it for an option.
Result<swarm::Plan> plan_of(const CompiledRule& rule, const Scope& scope, std::string title);
Action action_of(const CompiledAction& action, const Scope& scope);

// What the event must leave behind for the actions that wait for the report.
json::object kept_of(const CompiledRule& rule, const EventView& event);
// What templates see of a report: results by task name, beside the sums.
json::value told_of(const swarm::Report& report);

}  // namespace vigil::entities
