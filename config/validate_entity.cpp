#include "config/validate_entity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "config/words.hpp"

namespace vigil::config {
namespace {

template <class Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

void check_sink_exists(const std::string& key, const std::string& sink, const Settings& settings,
                       Violations& found) {
  if (settings.sinks.contains(sink)) return;
  auto hint = suggestion(sink, names_of(settings.sinks));
  if (hint.empty()) hint = fmt::format(": define [sink.{}]", sink);
  found.add(key, fmt::format("there is no sink \"{}\"{}", sink, hint));
}

void check_subscription(const std::string& key, const Subscription& on, const Settings& settings,
                        Violations& found) {
  const bool is_pattern = on.source.find('*') != std::string::npos;
  if (is_pattern || on.source == admin_source || on.source == own_source) return;
  if (settings.sources.contains(on.source)) return;
  auto hint = suggestion(on.source, names_of(settings.sources));
  if (hint.empty()) hint = fmt::format(": define [source.{}]", on.source);
  found.add(key + ".source", fmt::format("there is no source \"{}\"{}", on.source, hint));
}

void check_reactivity(const std::string& key, const Reactivity& reactivity, Violations& found) {
  const auto& debounce = reactivity.debounce;
  if (debounce && debounce->timeout > Duration{0} && debounce->timeout < debounce->period) {
    found.add(key + ".debounce.timeout", "must not be shorter than the period");
  }
  const auto& hours = reactivity.active_hours;
  if (hours && hours->from_minute == hours->to_minute) {
    found.add(key + ".active_hours.to", "from and to are the same: no hour would be active");
  }
  if (hours && hours->from_minute == 24 * 60) {
    found.add(key + ".active_hours.from", "the day starts at \"00:00\"; \"24:00\" is its end");
  }
}

template <class Thing>
void check_names_unique(const std::string& key, const std::vector<Thing>& things,
                        Violations& found) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < things.size(); ++i) {
    if (things[i].name.empty() || seen.insert(things[i].name).second) continue;
    found.add(fmt::format("{}[{}].name", key, i),
              fmt::format("\"{}\" stands here twice; names are unique", things[i].name));
  }
}

void check_codebase(const std::string& key, const Codebase& codebase, const Settings& settings,
                    Violations& found) {
  check_names_unique(key + ".command", codebase.commands, found);
  if (!codebase.report_sink.empty()) {
    check_sink_exists(key + ".report_sink", codebase.report_sink, settings, found);
  }
  if (!codebase.status_sink.empty()) {
    check_sink_exists(key + ".status_sink", codebase.status_sink, settings, found);
  }
  if (!codebase.digest_sink.empty()) {
    check_sink_exists(key + ".digest_sink", codebase.digest_sink, settings, found);
  }
  if (!codebase.upgrades) return;
  const auto check_sink = [&](const std::string& name, const std::string& sink) {
    if (!sink.empty()) check_sink_exists(key + ".upgrades." + name, sink, settings, found);
  };
  check_sink("push_sink", codebase.upgrades->push_sink);
  check_sink("pull_sink", codebase.upgrades->pull_sink);
}

void check_ops(const std::string& key, const Ops& ops, const Settings& settings,
               Violations& found) {
  check_names_unique(key + ".evidence", ops.evidence, found);
  check_names_unique(key + ".runbook", ops.runbooks, found);
  const auto check_sink = [&](const std::string& at, const std::string& sink) {
    if (!sink.empty()) check_sink_exists(at, sink, settings, found);
  };
  check_sink(key + ".report_sink", ops.report_sink);
  check_sink(key + ".escalation_sink", ops.escalation_sink);
  for (std::size_t i = 0; i < ops.runbooks.size(); ++i) {
    const auto at = fmt::format("{}.runbook[{}]", key, i);
    check_sink(at + ".sink", ops.runbooks[i].sink);
    check_sink(at + ".rollback_sink", ops.runbooks[i].rollback_sink);
    for (const auto* argv : {&ops.runbooks[i].check, &ops.runbooks[i].verify}) {
      if (argv->empty() || argv->front().find('{') == std::string::npos) continue;
      found.add(at, "which program runs is never taken from an event");
    }
  }
  check_watches(key, ops, settings, found);
  std::set<std::string> ids;
  for (std::size_t i = 0; i < ops.checks.size(); ++i) {
    if (ids.insert(ops.checks[i].id).second) continue;
    found.add(fmt::format("{}.check[{}].id", key, i),
              fmt::format("\"{}\" stands here twice; ids are unique", ops.checks[i].id));
  }
}

void check_comms(const std::string& key, const Comms& comms, const Settings& settings,
                 Violations& found) {
  check_names_unique(key + ".rule", comms.rules, found);
  if (!comms.mail_sink.empty()) {
    check_sink_exists(key + ".mail_sink", comms.mail_sink, settings, found);
  }
  if (!comms.send_sink.empty()) {
    check_sink_exists(key + ".send_sink", comms.send_sink, settings, found);
  }
  if (!comms.report_sink.empty()) {
    check_sink_exists(key + ".report_sink", comms.report_sink, settings, found);
  }
  if (comms.triage_sure < 0.5 || comms.triage_sure > 1) {
    found.add(key + ".triage_sure", "expected a number from 0.5 to 1");
  }
}

void check_needs(const std::string& key, const RuleTask& task,
                 const std::vector<std::string>& needs, const std::set<std::string>& names,
                 Violations& found) {
  for (std::size_t i = 0; i < needs.size(); ++i) {
    const auto at = fmt::format("{}[{}]", key, i);
    if (needs[i] == task.name) {
      found.add(at, "a task cannot need itself");
    } else if (!names.contains(needs[i])) {
      found.add(at, fmt::format("there is no task \"{}\" in this rule{}", needs[i],
                                suggestion(needs[i], {names.begin(), names.end()})));
    }
  }
}

void check_task(const std::string& key, const RuleTask& task, const std::set<std::string>& names,
                Violations& found) {
  const int works = static_cast<int>(!task.argv.empty()) + static_cast<int>(!task.builtin.empty()) +
                    static_cast<int>(!task.reduce.empty()) +
                    static_cast<int>(task.ask.has_value()) +
                    static_cast<int>(task.agent.has_value());
  if (works != 1) {
    found.add(key, works == 0 ? "does nothing: give argv or builtin, or reduce, ask or agent"
                              : "give only one of argv, builtin, reduce, ask and agent");
  }
  if (!task.argv.empty() && task.argv.front().find("{{") != std::string::npos) {
    found.add(key + ".argv[0]", "which program runs is never taken from an event");
  }
  check_needs(key + ".needs", task, task.needs, names, found);
  check_needs(key + ".needs_interface", task, task.needs_interface, names, found);
}

// Tasks that can start are taken away until none is left; what stays waits for itself.
std::vector<std::string> in_circle(const std::vector<RuleTask>& tasks) {
  std::map<std::string, std::set<std::string>> waiting;
  for (const auto& task : tasks) {
    waiting[task.name].insert(task.needs.begin(), task.needs.end());
    waiting[task.name].insert(task.needs_interface.begin(), task.needs_interface.end());
  }
  for (bool moved = true; moved;) {
    moved = false;
    for (auto it = waiting.begin(); it != waiting.end();) {
      const bool can_start = std::ranges::none_of(
          it->second, [&](const auto& need) { return waiting.contains(need); });
      it = can_start ? waiting.erase(it) : std::next(it);
      moved = moved || can_start;
    }
  }
  return names_of(waiting);
}

void check_tasks(const std::string& key, const Rule& rule, Violations& found) {
  check_names_unique(key + ".task", rule.tasks, found);
  std::set<std::string> names;
  for (const auto& task : rule.tasks) names.insert(task.name);
  const std::size_t before = found.all.size();
  for (std::size_t i = 0; i < rule.tasks.size(); ++i) {
    check_task(fmt::format("{}.task[{}]", key, i), rule.tasks[i], names, found);
  }
  if (found.all.size() != before) return;
  const auto circle = in_circle(rule.tasks);
  if (circle.empty()) return;
  std::string members;
  for (const auto& name : circle) members += (members.empty() ? "" : ", ") + name;
  found.add(key + ".task",
            fmt::format("these tasks wait for each other in a circle, or for one that does: {}",
                        members));
}

void check_rules(const std::string& key, const Rules& rules, const Settings& settings,
                 Violations& found) {
  if (rules.rules.empty()) found.add(key + ".rule", "is required: add [[" + key + ".rule]]");
  if (rules.case_key.empty()) found.add(key + ".case_key", "must not be empty");
  check_names_unique(key + ".rule", rules.rules, found);
  for (std::size_t i = 0; i < rules.rules.size(); ++i) {
    const Rule& rule = rules.rules[i];
    const auto at = fmt::format("{}.rule[{}]", key, i);
    check_tasks(at, rule, found);
    for (std::size_t j = 0; j < rule.actions.size(); ++j) {
      const auto action = fmt::format("{}.action[{}]", at, j);
      check_sink_exists(action + ".sink", rule.actions[j].sink, settings, found);
      if (rule.actions[j].on != "event" && rule.tasks.empty()) {
        found.add(action + ".on",
                  fmt::format("\"{}\" waits for tasks, and this rule has none: "
                              "write on = \"event\"",
                              rule.actions[j].on),
                  at + ".task");
      }
    }
  }
}

}  // namespace

void check_entity(const std::string& key, const Entity& entity, const Settings& settings,
                  Violations& found) {
  for (std::size_t i = 0; i < entity.on.size(); ++i) {
    check_subscription(fmt::format("{}.on[{}]", key, i), entity.on[i], settings, found);
  }
  check_reactivity(key + ".reactivity", *entity.reactivity, found);
  check_entity_minds(key, entity, settings, found);
  if (const auto* codebase = find_kind<Codebase>(entity)) {
    check_codebase(key + ".codebase", *codebase, settings, found);
  } else if (const auto* rules = find_kind<Rules>(entity)) {
    check_rules(key, *rules, settings, found);
  } else if (const auto* ops = find_kind<Ops>(entity)) {
    check_ops(key + ".ops", *ops, settings, found);
  } else if (const auto* market = find_kind<Market>(entity)) {
    check_market(key + ".market", *market, settings, found);
  } else if (const auto* comms = find_kind<Comms>(entity)) {
    check_comms(key + ".comms", *comms, settings, found);
  }
}

}  // namespace vigil::config
