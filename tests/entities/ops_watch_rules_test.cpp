// When a reading is an alert, and when that is over.
#include "tests/entities/ops_watch_world.hpp"

namespace vigil::entities {
namespace {

using namespace testing;

config::OpsWatch watch_with(config::OpsWatchRule rule) {
  auto out = disk_watch();
  out.rules.push_back(std::move(rule));
  return out;
}

config::OpsWatchRule low_disk() {
  auto out = rule_of("disk.free{mount=~\"/.*\"}");
  out.below = 10;
  out.clear = 15;
  return out;
}

TEST_CASE("a reading below its limit is told, and resolved once it has come back far enough") {
  WatchStory story(watch_with(low_disk()));
  CHECK(story.seen({reading("/", 50)}).actions.empty());
  CHECK(story.look(10).actions.empty());  // at the limit is not below it
  auto told = story.look(9.5);
  REQUIRE(action_of(told, "notify") != nullptr);
  CHECK(has(text_in(action_of(told, "notify"), "text"), "9.5 percent, below 10"));
  CHECK(story.look(9).actions.empty());     // the same again
  CHECK(story.look(10.5).actions.empty());  // not far enough
  CHECK(story.look(14.9).actions.empty());
  CHECK(story.fires());
  told = story.look(15);
  CHECK(action_of(told, "notify") != nullptr);
  CHECK_FALSE(story.fires());
  CHECK(story.look(10.5).actions.empty());  // that far down it is well, from above
  CHECK_FALSE(story.fires());
}

TEST_CASE("`for` counts from the first look that was so, also across looks that failed") {
  auto rule = low_disk();
  rule.lasts = 3min;
  WatchStory story(watch_with(rule));
  story.seen({reading("/", 5)});
  CHECK(story.look(5).actions.empty());
  story.last = story.next_timer("look");
  CHECK(story.failed("timeout").actions.empty());
  CHECK(action_of(story.look(5), "notify") != nullptr);
}

TEST_CASE("`for` begins anew when the value was well between, or nobody looked for long") {
  auto rule = low_disk();
  rule.lasts = 2min;
  WatchStory story(watch_with(rule));
  story.seen({reading("/", 5)});
  CHECK(story.look(5).actions.empty());
  CHECK(story.look(50).actions.empty());
  CHECK(story.look(5).actions.empty());
  story.now += 1h;
  CHECK(story.look(5).actions.empty());
  CHECK(story.look(5).actions.empty());
  CHECK_FALSE(story.look(5).actions.empty());
}

TEST_CASE("each series is an alert of its own in the one incident of the watch") {
  WatchStory story(watch_with(low_disk()));
  story.seen({reading("/", 5), reading("/home", 5), reading("tmp", 5)});
  CHECK(story.cases[story.last_case].state.at("alerts").as_object().size() == 2);
  const auto told = story.look({reading("/", 50), reading("/home", 5)});
  CHECK(has(text_in(action_of(told, "notify"), "text"), "1 "));
  CHECK(story.fires());
}

TEST_CASE("a mount that is gone resolves after the time that a reading may be missing") {
  WatchStory story(watch_with(low_disk()));
  story.seen({reading("/", 50), reading("/mnt", 5)});
  CHECK(story.fires());
  story.look({reading("/", 50)});
  story.look({reading("/", 50)});
  CHECK(story.fires());
  const auto told = story.look({reading("/", 50)});
  CHECK_FALSE(story.fires());
  CHECK(has(told.why, "not read any more"));
}

TEST_CASE("when no reading of a rule comes, that is an alert until one does") {
  WatchStory story(watch_with(low_disk()));
  story.seen({reading("/", 50)});
  story.look(json::array{});
  story.look(json::array{});
  CHECK_FALSE(story.fires());
  auto told = story.look(json::array{});
  CHECK(has(told.why, "no reading of disk.free"));
  CHECK(story.fires());
  story.look(json::array{});
  CHECK(story.fires());
  told = story.look(50);
  CHECK_FALSE(story.fires());
  CHECK(has(told.why, "is read again"));
}

TEST_CASE("what is no number does not count, and is said once") {
  WatchStory story(watch_with(low_disk()));
  CHECK(has(story.seen({reading("/", nullptr), reading("/a", "NaN"), reading("/b", 50)}).why,
            "2 readings are no numbers"));
  CHECK_FALSE(has(story.look({reading("/", nullptr), reading("/a", "x"), reading("/b", 50)}).why,
                  "no numbers"));
}

TEST_CASE("ten thousand series that break a rule are bounded, with a note") {
  WatchStory story(watch_with(low_disk()));
  json::array all;
  for (int i = 0; i < 10'050; ++i) all.push_back(reading("/" + std::to_string(i), 1));
  const auto told = story.seen(std::move(all));
  CHECK(has(told.why, "50 readings beyond the bound of 10000"));
  CHECK(has(told.why, "9500 series break a rule and are not told"));
  CHECK(vigil::to_text(json::value(story.cases[story.last_case].state)).size() < 400'000);
  CHECK(story.cases[story.last_case].state.at("alerts").as_object().size() == 500);
}

TEST_CASE("only so many series are remembered, with a note") {
  auto rule = rule_of("disk.free");
  rule.anomaly = true;
  WatchStory story(watch_with(rule));
  json::array all;
  for (int i = 0; i < 20; ++i) all.push_back(reading("/" + std::to_string(i), 1));
  CHECK(has(story.seen(std::move(all)).why, "4 series are not remembered"));
}

TEST_CASE("a value unlike any before is an anomaly for as long as it is held") {
  auto rule = rule_of("disk.free");
  rule.anomaly = true;
  rule.hold = 10min;
  WatchStory story(watch_with(rule));
  story.seen({reading("/", 50)});
  for (int i = 0; i < 200; ++i) story.look(50 + (i * 37) % 23);
  CHECK_FALSE(story.fires());
  CHECK_FALSE(story.look(900).actions.empty());
  CHECK(story.fires());
  for (int i = 0; i < 11; ++i) story.look(50 + (i * 37) % 23);
  CHECK_FALSE(story.fires());
}

TEST_CASE("a disk on its way to its limit is told before it is there") {
  auto rule = rule_of("disk.free");
  rule.full_within = 4h;
  rule.limit = 0;
  WatchStory story(watch_with(rule));
  story.seen({reading("/", 100)});
  double free = 100;
  for (int i = 0; i < 20; ++i) story.look(free -= 0.1);  // 16 hours left
  CHECK_FALSE(story.fires());
  std::string why;
  for (int i = 0; i < 60 && !story.fires(); ++i) why = story.look(free -= 1).why;
  CHECK(story.fires());
  CHECK(has(why, "reaches 0 in about"));
  for (int i = 0; i < 400 && story.fires(); ++i) story.look(free);
  CHECK_FALSE(story.fires());
}

TEST_CASE("a change by more than so many percent is told, from zero as well") {
  auto rule = rule_of("disk.free");
  rule.change_above = 50;
  rule.change_within = 5min;
  WatchStory story(watch_with(rule));
  story.seen({reading("/", 100)});
  CHECK(story.look(140).actions.empty());
  CHECK(has(story.look(151).why, "+51 % in 2m, from 100"));
  for (int i = 0; i < 6; ++i) story.look(151);
  CHECK_FALSE(story.fires());
  story.look(0);
  CHECK(story.fires());
}

TEST_CASE("what a counter has risen by counts from zero when its program starts anew") {
  auto rule = rule_of("disk.free");
  rule.rise_above = 20;
  rule.change_within = 5min;
  WatchStory story(watch_with(rule));
  story.seen({reading("/", 1000)});
  CHECK(story.look(1015).actions.empty());
  CHECK(story.look(4).actions.empty());  // 15 and 4
  CHECK(has(story.look(6).why, "+21 in 3m"));
  for (int i = 0; i < 6; ++i) story.look(6);
  CHECK_FALSE(story.fires());
}

}  // namespace
}  // namespace vigil::entities
