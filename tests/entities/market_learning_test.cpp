// The market guardian: what it finds out about an alert, and what it learns of its rules.
#include "tests/entities/market_story.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::testing::market_story;
using namespace std::chrono_literals;

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

TEST_CASE("where nothing is found about an alert, nothing more is told") {
  Story story;
  story.bar("BTCUSDT", noon, "86030");
  const auto told = story.bar("BTCUSDT", noon + 14min, "81700.5");
  REQUIRE(told.plans.size() == 1);
  const auto ended = story.wake("watch:btc", SwarmEnded{story.run(told.plans[0])});
  CHECK(ended.actions.empty());
  CHECK(ended.why.find("nothing was found") != std::string::npos);
}

TEST_CASE("an alert of a rule that is mostly noise says so") {
  auto settings = settings_of();
  settings.investigate = false;
  settings.rules[0].when = {"close moves 1% within 1 bars"};
  settings.propose_after = 5;
  Story story(settings);
  story.bar("BTCUSDT", noon, "100");
  const auto first = story.bar("BTCUSDT", noon + 1min, "102");
  REQUIRE_FALSE(first.actions.empty());
  CHECK(text_of(first.actions[0]).find("led nowhere") == std::string::npos);
  story.bar("BTCUSDT", noon + 2min, "102");
  story.states["watch:btc"]["scores"] = {{"slump", {{"told", 9}, {"known", 8}, {"noise", 6}}}};
  const auto next = story.bar("BTCUSDT", noon + 3min, "105");
  REQUIRE_FALSE(next.actions.empty());
  CHECK(text_of(next.actions[0]).find("75% of 8 alerts led nowhere") != std::string::npos);
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
  CHECK(proposed.actions[0].ask_first);  // whatever the autonomy says
  CHECK(proposed.preferences.empty());
  const json::value payload(proposed.actions[0].payload);
  const auto before = market::score_from_json(*find_path(payload, "before"));
  const auto after = market::score_from_json(*find_path(payload, "after"));
  CHECK(before.known > 0);
  CHECK(after.noise_share() < before.noise_share());
  CHECK(3 * after.hits >= before.hits);
  CHECK(find_integer(payload, "bars").value_or(0) >= 200);
  const auto text = text_of(proposed.actions[0]);
  CHECK(text.find("now: close falls 1% within 1 bars") != std::string::npos);
  CHECK(text.find(fmt::format("{:.0f}%", 100 * before.noise_share())) != std::string::npos);
  CHECK(text.find("Proposed: ") != std::string::npos);
  ActionSettled refused{{}, "tune", "denied", {}, {}, "tune:slump"};
  const auto kept = story.wake("watch:btc", refused);
  CHECK(kept.preferences.empty());
  CHECK(kept.why.find("stays") != std::string::npos);
  story.wake("watch:btc", SwarmEnded{story.run(*plan)});  // proposed once more
  ActionSettled settled{{}, "tune", "delivered", {}, {}, "tune:slump"};
  const auto taken = story.wake("watch:btc", settled);
  REQUIRE(taken.preferences.size() == 1);
  CHECK(taken.preferences[0].key == "threshold:slump:btc");
  CHECK(story.bar("BTCUSDT", story.now + 5min, "1000").actions.empty());
  CHECK(story.bar("BTCUSDT", story.now + 5min, "988").actions.empty());  // no alert any more
}
