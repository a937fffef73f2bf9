// The rules across keys that concern models, agents and the tools of others.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/validate_entity.hpp"
#include "config/words.hpp"

namespace vigil::config {
namespace {

template <class Thing>
void check_known(const std::string& key, std::string_view what, const std::string& name,
                 const std::map<std::string, Thing>& all, Violations& found) {
  if (name.empty() || all.contains(name)) return;
  std::vector<std::string> names;
  for (const auto& [known, thing] : all) names.push_back(known);
  auto hint = suggestion(name, names);
  if (hint.empty()) hint = fmt::format(": define [{}.{}]", what, name);
  found.add(key, fmt::format("there is no {} \"{}\"{}", what, name, hint));
}

bool is_open_to_others(const std::string& url) {
  constexpr std::string_view plain = "http://";
  if (!url.starts_with(plain)) return false;
  auto host = std::string_view(url).substr(plain.size());
  host = host.starts_with('[') ? host.substr(0, host.find(']') + 1)
                               : host.substr(0, host.find_first_of(":/"));
  // Not a name that only begins like an address of this machine.
  const bool is_address = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host != "localhost" && host != "[::1]" && !(is_address && host.starts_with("127."));
}

void check_key_is_hidden(const std::string& at, const std::string& url, bool has_key,
                         Violations& found) {
  if (!has_key || !is_open_to_others(url)) return;
  found.add(at + ".url", "the key would travel in the open: use https, or leave the key out",
            at + ".key");
}

void check_price(const std::string& key, const Price& price, Violations& found) {
  for (const auto& [name, value] :
       {std::pair{"input", price.input}, std::pair{"output", price.output},
        std::pair{"cache_read", price.cache_read}, std::pair{"cache_write", price.cache_write}}) {
    if (value >= 0 && value <= 1e6) continue;
    found.add(fmt::format("{}.{}", key, name), "expected a price from 0 to 1000000");
  }
}

void check_model(const std::string& name, const Model& model, const Settings& settings,
                 Violations& found) {
  const auto at = "model." + name;
  check_key_is_hidden(at, model.url, model.key.has_value(), found);
  check_price(at + ".price", model.price, found);
  if (model.temperature && (*model.temperature < 0 || *model.temperature > 2)) {
    found.add(at + ".temperature", "expected a number from 0 to 2");
  }
  if (model.stall > model.timeout) {
    found.add(at + ".stall", "must not be longer than the timeout", at + ".timeout");
  }
  for (std::size_t i = 0; i < model.fallback.size(); ++i) {
    const auto key = fmt::format("{}.fallback[{}]", at, i);
    check_known(key, "model", model.fallback[i], settings.models, found);
    if (model.fallback[i] == name) found.add(key, "a model cannot stand in for itself");
  }
  const bool costs = model.price.input > 0 || model.price.output > 0;
  if (model.budget.money_cents > 0 && !costs) {
    found.add(at + ".budget.money_cents",
              "means nothing without its price: give price.input and "
              "price.output");
  }
}

void check_agent(const std::string& name, const Agent& agent, Violations& found) {
  const auto at = "agent." + name;
  check_price(at + ".price", agent.price, found);
  if (agent.recipe == AgentRecipe::command && agent.argv.empty()) {
    found.add(at + ".argv", "recipe = \"command\" needs the program", at + ".recipe");
  }
  if (agent.outcome == AgentOutcome::patch && agent.repository.empty()) {
    found.add(at + ".repository",
              "outcome = \"patch\" needs a clone to make a patch for: give repository, or outcome "
              "= \"discard\"",
              at + ".outcome");
  }
}

void check_server(const std::string& name, const McpServer& server, Violations& found) {
  const auto at = "mcp." + name;
  if (server.argv.empty() == server.url.empty()) {
    found.add(at, "give exactly one of argv and url");
  }
  if (server.key && server.url.empty()) {
    found.add(at + ".key", "is for url: a program gets secrets = { NAME = \"file:PATH\" }");
  }
  check_key_is_hidden(at, server.url, server.key.has_value(), found);
}

void check_approvals(const Settings& settings, Violations& found) {
  const auto& approvals = settings.approvals;
  if (!approvals.link_url.empty() && !approvals.link_secret) {
    found.add("approvals.link_secret",
              "links to approve by must be signed: link_secret = \"file:PATH\"",
              "approvals.link_url");
  }
  check_known("approvals.tell_sink", "sink", approvals.tell_sink, settings.sinks, found);
}

void check_task_minds(const std::string& at, const RuleTask& task, const Settings& settings,
                      Violations& found) {
  const auto check_prompt = [&](const std::string& key, const std::string& prompt) {
    if (prompt.find("{{") == std::string::npos) return;
    found.add(key,
              "holds no {{expressions}}: put what comes from an event into input, which is "
              "shown as data");
  };
  if (task.agent) {
    check_known(at + ".agent.name", "agent", task.agent->name, settings.agents, found);
    check_prompt(at + ".agent.prompt", task.agent->prompt);
  }
  if (!task.ask) return;
  check_known(at + ".ask.model", "model", task.ask->model, settings.models, found);
  check_prompt(at + ".ask.prompt", task.ask->prompt);
  check_prompt(at + ".ask.interface_prompt", task.ask->interface_prompt);
  for (std::size_t i = 0; i < task.ask->tools.size(); ++i) {
    const auto& tool = task.ask->tools[i];
    const auto key = fmt::format("{}.ask.tools[{}]", at, i);
    const auto dot = tool.find('.', 4);
    if (!tool.starts_with("mcp.") || dot == std::string::npos || dot + 1 == tool.size()) {
      found.add(key, fmt::format("expected mcp.SERVER.TOOL, not \"{}\"", tool));
    } else {
      check_known(key, "mcp", tool.substr(4, dot - 4), settings.mcp, found);
    }
  }
}

}  // namespace

void check_minds(const Settings& settings, Violations& found) {
  for (const auto& [name, model] : settings.models) check_model(name, model, settings, found);
  for (const auto& [name, agent] : settings.agents) check_agent(name, agent, found);
  for (const auto& [name, server] : settings.mcp) check_server(name, server, found);
  check_approvals(settings, found);
  check_known("memory.model", "model", settings.memory.model, settings.models, found);
  if (settings.memory.forget_below < 0 || settings.memory.forget_below > 1) {
    found.add("memory.forget_below", "expected a number from 0 to 1");
  }
}

void check_entity_minds(const std::string& key, const Entity& entity, const Settings& settings,
                        Violations& found) {
  const auto& advice = *entity.advice;
  const auto at = key + ".advice";
  check_known(at + ".model", "model", advice.model, settings.models, found);
  check_known(at + ".strong", "model", advice.strong, settings.models, found);
  if (advice.sure < 0 || advice.sure > 1) found.add(at + ".sure", "expected a number from 0 to 1");
  for (std::size_t i = 0; i < advice.about.size(); ++i) {
    if (std::ranges::find(advised, advice.about[i]) != advised.end()) continue;
    found.add(fmt::format("{}.about[{}]", at, i),
              fmt::format("expected review, failure, move, mail or incident, not \"{}\"",
                          advice.about[i]));
  }
  const auto* rules = find_kind<Rules>(entity);
  if (rules == nullptr) return;
  for (std::size_t i = 0; i < rules->rules.size(); ++i) {
    for (std::size_t j = 0; j < rules->rules[i].tasks.size(); ++j) {
      check_task_minds(fmt::format("{}.rule[{}].task[{}]", key, i, j), rules->rules[i].tasks[j],
                       settings, found);
    }
  }
}

}  // namespace vigil::config
