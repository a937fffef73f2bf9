// The market guardian as the runtime drives it: events in, decisions out, state through text.
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

using namespace vigil;
using namespace vigil::entities;
using namespace std::chrono_literals;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

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

config::Market settings_of() {
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

std::string text_of(const Action& action) {
  return std::string(find_text(json::value(action.payload), "text").value_or(""));
}

}  // namespace

TEST_CASE("an alert is told once, investigated, and told with news, peers and numbers") {
  Story story;
  story.bar("eth", noon, "2000");
  story.bar("BTCUSDT", noon, "86030");
  story.now = noon + 4min;
  const auto news = story.hear("feed.item", {{"id", "n1"},
                                             {"title", "Bitcoin <exchange> halts"},
                                             {"link", "https://example.org/a"},
                                             {"published", "2026-11-23T12:03:00Z"}});
  CHECK(news.actions.empty());
  const auto told = story.bar("BTCUSDT", noon + 14min, "81700.5");
  REQUIRE(told.actions.size() == 1);
  CHECK(told.rule == "alert");
  CHECK(told.actions[0].kind == "notify");
  CHECK(told.actions[0].sticky_key == "btc/slump@2026-11-23T12:15:00.000Z");
  CHECK(text_of(told.actions[0]).find("81700.5 is -5.03% from 86030 within 1h") !=
        std::string::npos);
  REQUIRE(told.plans.size() == 1);
  CHECK(swarm::validate(told.plans[0]).has_value());
  CHECK(story.bar("BTCUSDT", noon + 15min, "81600").actions.empty());  // it still holds
  const auto report = story.run(told.plans[0]);
  const auto found = story.wake("watch:btc", SwarmEnded{report});
  REQUIRE(found.actions.size() == 1);
  CHECK(found.actions[0].sticky_key == told.actions[0].sticky_key);
  const auto text = text_of(found.actions[0]);
  CHECK(text.find("12 min before: Bitcoin &lt;exchange&gt; halts https://example.org/a") !=
        std::string::npos);
  // Looked at again with nothing new: not told again.
  CHECK(story.wake("watch:btc", SwarmEnded{report}).actions.empty());
}

TEST_CASE("the same bars give the same alerts live and in a back-test") {
  auto settings = settings_of();
  settings.investigate = false;
  settings.watches[0].jump_max = 20;
  config::MarketRule cross;
  cross.name = "cross";
  cross.when = {"close crosses above sma(10)", "rsi(5) above 50"};
  cross.clear = 0.1;
  config::MarketRule level;
  level.name = "level";
  level.when = {"close above bb(10,1.5).upper"};
  level.again = "1%";
  settings.rules.push_back(cross);
  settings.rules.push_back(level);
  Story story(settings);
  std::vector<market::Bar> bars;
  std::vector<std::string> live;
  std::uint32_t random = 12345;
  std::int64_t cents = 1000000;
  for (int i = 0; i < 400; ++i) {
    random = random * 1664525u + 1013904223u;
    cents += static_cast<std::int64_t>(random >> 16) % 20001 - 10000;
    if (i == 200) cents = cents * 13 / 10;  // held, then confirmed
    const auto close = fmt::format("{}.{:02}", cents / 100, cents % 100);
    const auto price = Decimal::parse(close).value();
    bars.push_back(
        {noon + i * 1min, 1min, price, price, price, price, Decimal::parse("5").value()});
    const auto decision = story.bar("BTCUSDT", noon + i * 1min, close);
    for (const auto& action : decision.actions) {
      live.emplace_back(find_text(json::value(action.payload), "alert.id").value_or(""));
    }
  }
  const auto setup = market::setup_of(settings).value();
  const auto tried = market::backtest(setup.settings.watches[0], setup.calendars.at("24x7"),
                                      setup.rules, bars, 0.5);
  std::vector<std::string> past;
  for (const auto& outcome : tried.outcomes) past.push_back(outcome.alert.id);
  std::ranges::sort(live);
  std::ranges::sort(past);
  CHECK(live.size() > 20);
  CHECK(live == past);
}

TEST_CASE("news and filings are told where a rule asks, once") {
  auto settings = settings_of();
  config::MarketRule filing;
  filing.name = "filing";
  filing.when = {"filing \"8-K\""};
  settings.rules = {filing};
  Story story(settings);
  const json::value item{{"id", "urn:1"},
                         {"title", "8-K - EXAMPLE INC (0000320193) (Filer)"},
                         {"link", "https://www.sec.gov/x"},
                         {"updated", "2026-11-23T11:00:00Z"},
                         {"categories", json::array{"8-K"}}};
  const auto told = story.hear("feed.item", item);
  REQUIRE(told.actions.size() == 1);
  CHECK(text_of(told.actions[0]).find("https://www.sec.gov/x") != std::string::npos);
  CHECK(story.hear("feed.item", item).actions.empty());
  const json::value other{{"id", "urn:2"}, {"title", "10-Q - EXAMPLE INC (0000320193) (Filer)"}};
  CHECK(story.hear("feed.item", other).actions.empty());
  auto event = std::make_shared<Event>();
  event->type = "feed.item";
  event->data = {{"id", "3"}, {"title", "Rebitcoined bananas"}};
  CHECK_FALSE(story.keeper->interest(*event).relevant);
}

TEST_CASE("silence is told once, and ended by a price") {
  auto settings = settings_of();
  settings.watches[0].stale_after = 10min;
  Story story(settings);
  const auto first = story.bar("BTCUSDT", noon, "100");
  REQUIRE(first.timers.size() == 1);
  CHECK(first.timers[0].name == "stale");
  story.now = *first.timers[0].due;
  const auto told = story.wake("watch:btc", TimerDue{"stale", story.now, {}});
  REQUIRE(told.actions.size() == 1);
  CHECK(text_of(told.actions[0]).find("nothing was heard from feed") != std::string::npos);
  story.now += 10min;
  CHECK(story.wake("watch:btc", TimerDue{"stale", story.now, {}}).actions.empty());
  const auto heard = story.bar("BTCUSDT", story.now, "101");
  CHECK(heard.why.find("heard again") != std::string::npos);
}

TEST_CASE("a noisy rule is found out, and the threshold that a person approves applies") {
  auto settings = settings_of();
  settings.investigate = false;
  settings.rules[0].when = {"close falls 1% within 1 bars"};
  settings.worth = 2;
  settings.propose_after = 5;
  Story story(settings);
  std::optional<swarm::Plan> plan;
  double close = 1000;
  for (int i = 0; i < 2600 && !plan; ++i) {
    const auto phase = i % 300;
    if (phase % 50 == 25) close *= 0.988;
    if (phase % 50 == 26) close /= 0.988;
    if (phase == 150) close *= 0.96;
    if (phase > 150 && phase < 180) close *= 0.997;
    if (phase == 290) close = 1000;
    const auto decision = story.bar("BTCUSDT", noon + i * 5min, fmt::format("{:.4f}", close));
    if (!decision.plans.empty()) plan = decision.plans[0];
  }
  REQUIRE(plan.has_value());
  const auto proposed = story.wake("watch:btc", SwarmEnded{story.run(*plan)});
  REQUIRE(proposed.actions.size() == 1);
  CHECK(proposed.actions[0].kind == "tune");
  CHECK(proposed.preferences.empty());
  ActionSettled settled{{}, "tune", "delivered", {}, {}, "tune:slump"};
  const auto taken = story.wake("watch:btc", settled);
  REQUIRE(taken.preferences.size() == 1);
  CHECK(taken.preferences[0].key == "threshold:slump:btc");
  CHECK(story.bar("BTCUSDT", story.now + 5min, "1000").actions.empty());
  CHECK(story.bar("BTCUSDT", story.now + 5min, "988").actions.empty());  // no alert any more
}

TEST_CASE("what cannot be meant is refused with its key; unknown symbols are not listened to") {
  auto settings = settings_of();
  settings.rules[0].when = {"close over 5"};
  config::Entity entity;
  entity.name = "coins";
  entity.of = settings;
  CHECK(make_market(entity).error().message.find("market.rule[0].when[0]") != std::string::npos);
  Story story;
  Event event;
  event.type = "market.bar";
  event.data = {{"symbol", "DOGE"}};
  CHECK_FALSE(story.keeper->interest(event).relevant);
  event.type = "github.push";
  CHECK_FALSE(story.keeper->interest(event).relevant);
}

TEST_CASE("digests come with the session, late ones are skipped; holdings are valued exactly") {
  auto settings = settings_of();
  settings.watches[0].session = "XNYS";
  settings.watches.pop_back();
  settings.watches[0].peers.clear();
  settings.digest = {"close"};
  settings.holdings = config::MarketHoldings{};
  settings.holdings->file = "/nowhere.csv";
  Story story(settings);
  CHECK(story.keeper->standing_cases() ==
        std::vector<std::string>{"watch:btc", "digest:XNYS", "holdings"});
  story.bar("BTCUSDT", noon, "100.10");
  const auto set = story.wake("digest:XNYS", TimerDue{"settings", story.now, {}});
  REQUIRE(set.timers.size() == 1);
  const auto due = *set.timers[0].due;
  CHECK(to_rfc3339(due) == "2026-11-23T21:00:00.000Z");
  story.now = due;
  const auto told = story.wake("digest:XNYS", TimerDue{"close", due, {}});
  REQUIRE(told.actions.size() == 1);
  CHECK(text_of(told.actions[0]).find("btc: 100.1,") != std::string::npos);
  story.now = due + 1h;
  CHECK(story.wake("digest:XNYS", TimerDue{"close", due, {}}).actions.empty());

  swarm::Report report;
  swarm::TaskOutcome outcome;
  outcome.result = {{"positions", json::array{{{"symbol", "BTCUSDT"}, {"quantity", "0.3"}}}}};
  report.tasks.push_back(outcome);
  const auto valued = story.wake("holdings", SwarmEnded{report});
  CHECK(valued.why.find("worth 30.03,") != std::string::npos);
  story.bar("BTCUSDT", noon + 1min, "89");
  const auto down = story.wake("holdings", SwarmEnded{report});
  REQUIRE(down.actions.size() == 1);
  CHECK(story.wake("holdings", SwarmEnded{report}).actions.empty());
}
