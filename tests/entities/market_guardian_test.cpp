// The market guardian: what it hears, tells and sums up.
#include "tests/entities/market_story.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::testing::market_story;
using namespace std::chrono_literals;

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
  config::MarketRule odd;
  odd.name = "odd";
  odd.when = {"close is unusual"};
  settings.rules.push_back(cross);
  settings.rules.push_back(level);
  settings.rules.push_back(odd);
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
  CHECK(tried.scores.at("odd").told > 0);
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
  // What the feed made of the entry counts before its title.
  auto made = item;
  made.as_object()["id"] = "urn:3";
  made.as_object()["title"] = "A report";
  made.as_object()["filing"] = {{"form", "8-K"}, {"cik", "0000320193"}};
  CHECK(story.hear("feed.item", made).actions.size() == 1);
  made.as_object()["id"] = "urn:4";
  made.as_object()["filing"] = {{"form", "8-K/A"}, {"cik", "0000320193"}};
  CHECK(story.hear("feed.item", made).actions.empty());  // another form
  auto event = std::make_shared<Event>();
  event->type = "feed.item";
  event->data = {{"id", "3"}, {"title", "Rebitcoined bananas"}};
  CHECK_FALSE(story.keeper->interest(*event).relevant);
}

TEST_CASE("a watch hears its symbol and its interval however they are written") {
  auto settings = settings_of();
  settings.watches[0].interval = "1h";
  Story story(settings);
  const auto heard = [&](const char* type, json::value data) {
    Event event;
    event.type = type;
    event.data = std::move(data);
    return story.keeper->interest(event).relevant;
  };
  CHECK(heard("market.signal", {{"symbol", "BINANCE:BTCUSDT"}}));
  CHECK_FALSE(heard("market.signal", {{"symbol", "BINANCE:BTCUSDTPERP"}}));
  CHECK(heard("market.bar", {{"symbol", "BTCUSDT"}, {"interval", "60m"}}));
  CHECK_FALSE(heard("market.bar", {{"symbol", "BTCUSDT"}, {"interval", "2h"}}));
  CHECK(heard("market.bar", {{"symbol", "BTCUSDT"}, {"interval", "2h"}, {"merged", 2}}));
}

TEST_CASE("a price that came before the first bar does not push the bar away") {
  Story story;
  story.now = noon + 30s;
  story.hear("market.trade",
             {{"symbol", "BTCUSDT"}, {"price", "100"}, {"time", to_rfc3339(noon + 30s)}});
  const auto decision = story.bar("BTCUSDT", noon, "94");  // began before, ended after
  REQUIRE_FALSE(decision.actions.empty());
  CHECK(text_of(decision.actions[0]).find("-6.00% from 100") != std::string::npos);
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
