#pragma once
// The market guardian as the runtime drives it: events in, decisions out, state through text. For
// the tests of the guardian.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "entities/analyser.hpp"
#include "entities/market/analysers.hpp"
#include "entities/market/backtest.hpp"
#include "entities/market/market.hpp"

namespace vigil::testing {

using namespace vigil::entities;
using namespace std::chrono_literals;

namespace market_story {

inline const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

struct Memory final : Recollection {
  json::object state;
  std::map<std::string, json::value> known, preferred;
  json::object case_state() const override { return state; }
  std::optional<RememberedFact> fact(const std::string& key) const override {
    const auto found = known.find(key);
    if (found == known.end()) return std::nullopt;
    return RememberedFact{key, found->second, 1.0, {}};
  }
  std::vector<RememberedFact> facts(const std::string& prefix, int) const override {
    std::vector<RememberedFact> all;
    for (const auto& [key, value] : known) {
      if (key.starts_with(prefix)) all.push_back({key, value, 1.0, {}});
    }
    return all;
  }
  std::vector<RememberedEpisode> episodes(int) const override { return {}; }
  std::vector<Found> search(const std::string&, int) const override { return {}; }
  std::optional<json::value> preference(const std::string& key) const override {
    const auto found = preferred.find(key);
    return found == preferred.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<RememberedFact> preferences(const std::string&, int) const override { return {}; }
};

inline config::Market settings_of() {
  config::Market market;
  market.report_sink = "phone";
  config::MarketWatch btc;
  btc.name = "btc";
  btc.symbol = "BTCUSDT";
  btc.words = {"bitcoin"};
  btc.cik = "320193";
  btc.peers = {"eth"};
  config::MarketWatch eth;
  eth.name = "eth";
  market.watches = {btc, eth};
  config::MarketRule slump;
  slump.name = "slump";
  slump.when = {"close falls 5% within 1h"};
  market.rules = {slump};
  return market;
}

struct Story {
  explicit Story(config::Market settings = settings_of()) {
    config::Entity entity;
    entity.name = "coins";
    entity.kind = "market";
    entity.of = std::move(settings);
    auto made = make_market(entity);
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().message));
    keeper = std::move(*made);
  }
  Decision wake(const std::string& key, decltype(Wake::because) because) {
    Wake wake{"coins", key, now, Taint::untrusted, std::move(because)};
    memory.state = states[key];
    auto decision = keeper->decide(wake, memory);
    CHECK(to_json(decision) == to_json(keeper->decide(wake, memory)));  // promise 6
    CHECK_FALSE(decision.why.empty());
    CHECK_FALSE(decision.rule.empty());
    // Through text, as the database keeps it.
    if (decision.state) {
      states[key] = parse_json(vigil::to_text(json::value(*decision.state))).value().as_object();
    }
    for (const auto& fact : decision.facts) {
      if (fact.value.is_null())
        memory.known.erase(fact.key);
      else
        memory.known[fact.key] = fact.value;
    }
    for (const auto& one : decision.preferences) memory.preferred[one.key] = one.value;
    return decision;
  }
  Decision hear(const std::string& type, json::value data) {
    auto event = std::make_shared<Event>();
    event->source = "feed";
    event->type = type;
    event->time = event->received_at = now;
    event->data = std::move(data);
    const auto interest = keeper->interest(*event);
    REQUIRE_MESSAGE(interest.relevant, interest.why);
    return wake(interest.case_key, EventsArrived{{event}});
  }
  Decision bar(const std::string& symbol, TimePoint at, const std::string& close) {
    now = at + 1min;
    return hear("market.bar", {{"symbol", symbol},
                               {"interval", "1m"},
                               {"time", to_rfc3339(at)},
                               {"open", close},
                               {"high", close},
                               {"low", close},
                               {"close", close},
                               {"volume", "5"},
                               {"closed", true}});
  }
  // Runs a plan's tasks one after another, as the engine and vigil-task would.
  swarm::Report run(const swarm::Plan& plan) {
    swarm::Report report;
    report.title = plan.title;
    json::object results;
    for (const auto& task : plan.tasks) {
      const auto* analyser = static_cast<const Analyser*>(nullptr);
      for (const auto& one : market::analysers()) {
        if (one.name == task.builtin) analyser = &one;
      }
      REQUIRE(analyser != nullptr);
      Request request;
      request.task = task.name;
      request.input = parse_json(vigil::to_text(task.input)).value();
      for (const auto& need : task.needs) request.inputs[need] = results.at(need);
      const auto result = analyser->run(request);
      REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().message));
      results[task.name] = *result;
      swarm::TaskOutcome outcome;
      outcome.name = task.name;
      outcome.state = swarm::TaskState::done;
      outcome.result = *result;
      report.tasks.push_back(std::move(outcome));
    }
    report.ok = true;
    return report;
  }

  std::unique_ptr<Guardian> keeper;
  Memory memory;
  std::map<std::string, json::object> states;
  TimePoint now = noon;
};

inline std::string text_of(const Action& action) {
  return std::string(find_text(json::value(action.payload), "text").value_or(""));
}

}  // namespace market_story
}  // namespace vigil::testing
