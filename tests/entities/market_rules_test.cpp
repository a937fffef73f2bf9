// Conditions and rules over made-up bars: what is told, and when it may be told again.
#include <doctest/doctest.h>

#include <boost/json/object.hpp>

#include "entities/market/backtest.hpp"

using namespace vigil;
using namespace vigil::entities::market;
using namespace std::chrono_literals;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

Decimal price(std::string_view text) { return Decimal::parse(text).value(); }

Bar bar_at(std::size_t i, std::string_view close, std::string_view volume = "10") {
  const auto value = price(close);
  return {noon + static_cast<int>(i) * 1min, 1min, value, value, value, value, price(volume)};
}

struct Wish {
  std::vector<std::string> when;
  std::string again = "cleared";
  double clear = 0;
  int bars = 1;
  Duration cooldown{0};
};

Rule rule_of(const Wish& wish) {
  config::MarketRule settings;
  settings.name = "r";
  settings.when = wish.when;
  settings.again = wish.again;
  settings.clear = wish.clear;
  settings.bars = wish.bars;
  settings.cooldown = wish.cooldown;
  auto rule = make_rule(settings);
  REQUIRE_MESSAGE(rule.has_value(), (rule ? "" : rule.error().message));
  return *rule;
}

// The places of the bars at which something was told.
std::string told(const Wish& wish, const std::vector<const char*>& closes) {
  const auto rule = rule_of(wish);
  std::string out;
  std::string kept;
  for (std::size_t i = 0; i < closes.size(); ++i) {
    Judge judge({&rule});
    // As it lives: its state goes through text at each bar.
    if (!kept.empty()) REQUIRE(judge.restore(parse_json(kept).value()));
    const auto judged = judge.take(bar_at(i, closes[i]), {});
    for (std::size_t n = 0; n < judged.alerts.size(); ++n) out += std::to_string(i) + " ";
    kept = vigil::to_text(json::value(judge.state()));
  }
  return out;
}

}  // namespace

TEST_CASE("conditions are read as they are meant, and written back the same") {
  for (const auto* text :
       {"close above 70000", "close below 0.00012", "close crosses above sma(50)",
        "ema(12) crosses below ema(26)", "rsi(14) crosses 50", "volume above 3 * volume_sma(20)",
        "close rises 5% within 1h", "close falls 2.5% within 3 bars", "close moves 1% within 15m",
        "volume spikes 3x over 20 bars", "close is unusual", "spread above 1.5", "signal \"buy\"",
        "news", "filing \"8-k\"", "macd(12,26,9) crosses above macd(12,26,9).signal",
        "liveliness(20,100) above 2"}) {
    CAPTURE(text);
    const auto condition = parse_condition(text);
    REQUIRE(condition.has_value());
    CHECK(condition->text() == text);
    CHECK(parse_condition(condition->text())->text() == text);
  }
  CHECK(parse_condition("falls 5% within 1h")->text() == "close falls 5% within 1h");
  CHECK(parse_condition("close is above bb.upper")->text() == "close above bb(20,2).upper");
  CHECK(parse_condition("filing \"8-K\"")->word == "8-k");
}

TEST_CASE("what cannot be meant is refused with what was expected") {
  const std::vector<std::pair<const char*, const char*>> cases{
      {"", "expected a condition"},
      {"close", "expected a condition"},
      {"close above", "on the right"},
      {"close over 5", "expected above, below, crosses"},
      {"close above sma(x)", "a parameter is a number"},
      {"close above ssma(5)", "is no indicator"},
      {"5 above close", "a series stands on the left"},
      {"close falls 5 within 1h", "close falls 5% within 1h"},
      {"close falls 0% within 1h", "above 0"},
      {"close falls 5% within 5 years", "expected a time"},
      {"close falls 5% within 90d", "31d"},
      {"volume spikes 1x over 20 bars", "more than 1x"},
      {"volume spikes 3x over 0 bars", "1 to 1000 bars"},
      {"signal buy now", "one text in quotes"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    const auto condition = parse_condition(text);
    REQUIRE_FALSE(condition.has_value());
    CHECK(condition.error().message.find(expected) != std::string::npos);
  }
}

TEST_CASE("a rule is refused with the key that is wrong") {
  config::MarketRule settings;
  settings.name = "r";
  CHECK(make_rule(settings).error().message.starts_with("when: "));
  settings.when = {"close above 1", "news"};
  CHECK(make_rule(settings).error().message.starts_with("when[1]: signal, news and filing"));
  settings.when = {"close above 1"};
  settings.again = "sometimes";
  CHECK(make_rule(settings).error().message.starts_with("again: "));
  settings.again = "5%";
  settings.bars = 2;
  CHECK(make_rule(settings).has_value());
  settings.when = {"close crosses 1"};
  CHECK(make_rule(settings).error().message.starts_with("when[0]: a crossing"));
}

namespace {

struct Case {
  const char* name;
  Wish wish;
  std::vector<const char*> closes;
  const char* told;
};
const std::vector<Case> stories{
    {"a level is told as it is reached, and again once it was left",
     {{"close above 100"}},
     {"99", "101", "102", "100", "101"},
     "1 4 "},
    {"at the level is not above it", {{"close above 100"}}, {"100", "100.0000000000001"}, "1 "},
    {"a level that holds from the start is told", {{"close below 100"}}, {"99", "98"}, "0 "},
    {"with hysteresis it must be left by more",
     {{"close above 100"}, "cleared", 1},
     {"101", "99.5", "101", "99", "101"},
     "0 4 "},
    {"exactly so far back is left",
     {{"close above 0.1"}, "cleared", 10},
     {"0.11", "0.0900000001", "0.2", "0.09", "0.11"},
     "0 4 "},
    {"once is never again", {{"close above 100"}, "once"}, {"101", "99", "101"}, "0 "},
    {"every is at each bar", {{"close above 100"}, "every"}, {"101", "102", "99", "103"}, "0 1 3 "},
    {"after so much of a move",
     {{"close above 100"}, "5%"},
     {"101", "103", "106.05", "108", "99", "101", "112"},
     "0 2 6 "},
    {"for so many bars",
     {{"close above 100"}, "cleared", 0, 3},
     {"101", "102", "99", "101", "101", "101", "101"},
     "5 "},
    {"a crossing needs the other side first",
     {{"close crosses above 100"}},
     {"101", "102", "99", "101", "102", "100", "101"},
     "3 6 "},
    {"a crossing with hysteresis",
     {{"close crosses above 100"}, "cleared", 2},
     {"97", "101", "99", "101", "98", "101"},
     "1 5 "},
    {"either way", {{"close crosses 100"}}, {"99", "101", "100", "99"}, "1 3 "},
    {"below", {{"close crosses below 100"}}, {"101", "99", "101", "99"}, "1 3 "},
    {"both must hold at once",
     {{"close above 100", "close below 105"}},
     {"106", "104", "99", "103"},
     "1 3 "},
    {"a fall within bars",
     {{"close falls 5% within 3 bars"}},
     {"100", "99", "98", "95", "94.05", "99"},
     "3 "},
    {"a fall that takes longer is none",
     {{"close falls 5% within 2 bars"}},
     {"100", "98", "96", "94.1"},
     ""},
    {"a rise within time", {{"close rises 10% within 2m"}}, {"10", "10.5", "11", "10.9"}, "2 "},
    {"exactly five percent counts", {{"close falls 5% within 1h"}}, {"0.3", "0.285"}, "1 "},
    {"an indicator against a level", {{"sma(2) above 100"}}, {"90", "101", "120", "90"}, "2 "},
    {"indicators of each other",
     {{"sma(2) crosses above sma(3)"}},
     {"10", "9", "8", "9", "12"},
     "4 "},
};

}  // namespace

TEST_CASE("levels, crossings, moves: what is told and when it may be again") {
  for (const auto& one : stories) {
    CAPTURE(one.name);
    CHECK(told(one.wish, one.closes) == one.told);
  }
  Wish cooled{{"close above 100"}};
  cooled.cooldown = 3min;
  CHECK(told(cooled, {"101", "99", "101", "102", "103"}) == "0 3 ");
}

TEST_CASE("volume spikes against the bars before") {
  const auto rule = rule_of({{"volume spikes 3x over 3 bars"}});
  Judge judge({&rule});
  const std::vector<const char*> volumes{"50", "10", "10", "10", "29", "30", "70"};
  std::string at;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    if (!judge.take(bar_at(i, "5", volumes[i]), {}).alerts.empty()) at += std::to_string(i) + " ";
  }
  CHECK(at == "6 ");
}

TEST_CASE("outside of the session nothing is told, and what still holds is told when it opens") {
  const auto rule = rule_of({{"close above 100"}});
  Judge judge({&rule});
  CHECK(judge.take(bar_at(0, "101"), {false, {}}).alerts.empty());
  CHECK(judge.take(bar_at(1, "102"), {true, {}}).alerts.size() == 1);
  CHECK(judge.take(bar_at(2, "103"), {true, {}}).alerts.empty());
}

TEST_CASE("what followed is known after an hour and a day, and scored") {
  const auto rule = rule_of({{"close crosses above 100"}});
  Judge judge({&rule});
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i <= 1500; ++i) {
    const auto* close = i == 0 ? "99" : i < 61 ? "101" : i < 500 ? "98" : "105";
    auto judged = judge.take(bar_at(i, close), {});
    outcomes.insert(outcomes.end(), judged.outcomes.begin(), judged.outcomes.end());
  }
  REQUIRE(outcomes.size() == 1);
  CHECK(*outcomes[0].after_hour == doctest::Approx(100 * (98.0 - 101) / 101));
  CHECK(*outcomes[0].after_day == doctest::Approx(100 * (105.0 - 101) / 101));
  CHECK(outcomes[0].is_hit(1));
  CHECK_FALSE(outcomes[0].is_noise(1));
  CHECK(outcomes[0].drawdown() == doctest::Approx(100 * 3.0 / 101));
  CHECK(outcomes[0].is_noise(5));
  RuleScore score;
  score.add(outcomes[0], 1);
  CHECK(to_json(score_from_json(json::value(to_json(score)))) == to_json(score));
}

TEST_CASE("what followed after an hour is not known of bars of a day") {
  const auto rule = rule_of({{"close above 100"}});
  Judge judge({&rule});
  std::vector<Outcome> outcomes;
  for (int i = 0; i < 3; ++i) {
    auto bar = bar_at(0, i == 0 ? "101" : "90");
    bar.at += i * 24h;
    bar.interval = 24h;
    auto judged = judge.take(bar, {});
    outcomes.insert(outcomes.end(), judged.outcomes.begin(), judged.outcomes.end());
  }
  REQUIRE(outcomes.size() == 1);
  CHECK_FALSE(outcomes[0].after_hour.has_value());
  CHECK(outcomes[0].after_day.has_value());
  CHECK(outcomes[0].is_noise(20));
  CHECK_FALSE(outcomes[0].is_noise(5));
  RuleScore score;
  score.add(outcomes[0], 1);
  CHECK_FALSE(score.mean_hour().has_value());
  CHECK(move_text(score.mean_hour()) == "-");
  CHECK(move_text(score.mean_day()) == "-10.89%");
}

TEST_CASE("the page of a back-test says so where there is nothing to see") {
  const auto rule = rule_of({{"close above 100"}});
  const config::MarketWatch watch;
  const auto calendar = Calendar::make("24x7", {}).value();
  const std::vector<Bar> quiet{bar_at(0, "50")};
  const auto none = backtest(watch, calendar, {rule}, quiet, 0.5);
  CHECK(none.scores.at("r").told == 0);  // a rule that never told is listed, too
  const auto page = to_html("A & B", quiet, none, 0.5);
  CHECK(page.find("A &amp; B") != std::string::npos);
  CHECK(page.find("<p>1 bar from") != std::string::npos);
  CHECK(page.find("no rule held") != std::string::npos);
  CHECK(to_html("x", {}, {}, 0.5).find("There are no bars") != std::string::npos);
  const std::vector<Bar> loud{bar_at(0, "50"), bar_at(1, "101")};
  const auto some = to_html("x", loud, backtest(watch, calendar, {rule}, loud, 0.5), 0.5);
  CHECK(some.find("close 101 above 100") != std::string::npos);
  CHECK(some.find("no rule held") == std::string::npos);
  CHECK(some.find("12:01") != std::string::npos);  // marks of minutes, where the days are the same
}

TEST_CASE("a rule whose words changed begins anew, warmed by what is known") {
  const auto slow = rule_of({{"sma(3) above 100"}});
  const auto quick = rule_of({{"sma(2) above 100"}});
  Judge before({&slow});
  for (std::size_t i = 0; i < 3; ++i) before.take(bar_at(i, "101"), {});
  Judge after({&quick});
  CHECK_FALSE(after.restore(json::value(before.state())));
  after.warm(bar_at(1, "101"));
  after.warm(bar_at(2, "101"));
  CHECK(after.take(bar_at(3, "101"), {}).alerts.size() == 1);
}

TEST_CASE("a threshold is made rarer, never the price somebody named") {
  const auto other = [](const char* text) {
    const auto made = with_threshold(parse_condition(text).value(), 2);
    return made ? made->text() : "none";
  };
  CHECK(other("close falls 2% within 1h") == "close falls 4% within 1h");
  CHECK(other("rsi(14) below 30") == "rsi(14) below 15");
  CHECK(other("adx(14) above 20") == "adx(14) above 40");
  CHECK(other("volume spikes 3x over 20 bars") == "volume spikes 6x over 20 bars");
  CHECK(other("close above 70000") == "none");
  CHECK(other("close crosses above sma(50)") == "none");
}

TEST_CASE("a noisy threshold is replaced by one that tells less and still what counts") {
  // Small dips that lead nowhere, and rarely a large one that goes on.
  std::vector<Bar> bars;
  double close = 1000;
  for (std::size_t i = 0; i < 3000; ++i) {
    const auto phase = i % 300;
    if (phase % 50 == 25) close *= 0.988;
    if (phase % 50 == 26) close /= 0.988;
    if (phase == 150) close *= 0.96;
    if (phase > 150 && phase < 180) close *= 0.997;
    if (phase == 290) close = 1000;
    auto bar = bar_at(i, std::to_string(close));
    bar.at = noon + static_cast<int>(i) * 5min;
    bar.interval = 5min;
    bars.push_back(bar);
  }
  const auto rule = rule_of({{"close falls 1% within 1 bars"}});
  config::MarketWatch watch;
  watch.name = "w";
  const auto calendar = Calendar::make("24x7", {}).value();
  const auto tuned = tune(watch, calendar, rule, bars, 2.0);
  REQUIRE(tuned.when.size() == 1);
  CHECK(tuned.after.noise_share() < tuned.before.noise_share());
  CHECK(3 * tuned.after.hits >= tuned.before.hits);
  CHECK(tuned.after.told < tuned.before.told);
}
