// From one look to the next: what was told, what people thought of it.
#include "tests/entities/codebase_story.hpp"

using namespace vigil;
using namespace vigil::testing;

TEST_CASE("a commit is pending while it is looked at, and never for ever") {
  Story story;
  const auto opened = story.tell(event_wake({pull_request("opened", head_one)}));
  const auto* pending = action_of(opened, "status");
  CHECK(text_in(pending, "state") == "pending");
  CHECK(text_in(pending, "sha") == head_one);
  const auto ended = story.tell(report_wake(head_one, {}));
  CHECK(text_in(action_of(ended, "status"), "state") == "success");
  CHECK(action_of(ended, "status")->sticky_key == pending->sticky_key);
  story.tell(event_wake({pull_request("synchronize", head_two)}));
  swarm::Report report;
  report.cancelled = true;
  report.title = story.titles[head_two];
  const auto cancelled = story.tell(wake_for(SwarmEnded{report}));
  CHECK(text_in(action_of(cancelled, "status"), "state") == "error");
}

TEST_CASE("a look builds on the last one as long as nothing else decides what it finds") {
  Story story;
  const auto before = [](const Decision& decision) {
    REQUIRE(decision.plans.size() == 1);
    return find_text(decision.plans[0].tasks[0].input, "before.head").value_or("");
  };
  CHECK(before(story.tell(event_wake({pull_request("opened", head_one)}))).empty());
  auto wake = report_wake(head_one, {finding("k1", Severity::high)});
  story.tell(std::move(wake));
  const auto next = story.tell(event_wake({pull_request("synchronize", head_two)}));
  CHECK(before(next) == head_one);
  CHECK(find_text(next.plans[0].tasks.back().input, "carried.0.key") == "k1");
  story.tell(report_wake(head_two, {finding("k1", Severity::high)}));
  // Dismissed meanwhile, here or in another case: everything is looked at.
  story.tell(wake_for(FeedbackGiven{ActionId{1}, "noise", "k1", nullptr}));
  CHECK(before(story.tell(event_wake({pull_request("synchronize", head_one)}))).empty());
  story.tell(report_wake(head_one, {}));
  CHECK(before(story.tell(event_wake({pull_request("synchronize", head_two)}))) == head_one);
  story.tell(report_wake(head_two, {}, false));  // something else was looked at
  CHECK(before(story.tell(event_wake({pull_request("synchronize", head_one)}))).empty());
  story.tell(report_wake(head_one, {}));
  CHECK(before(story.tell(event_wake({pull_request("reopened", head_one)}))).empty());
}

TEST_CASE("noise is dismissed for good, and comes back when it is called useful") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  story.tell(report_wake(head_one, {finding("k1", Severity::high), finding("k2", Severity::high)}));
  const auto noise = story.tell(wake_for(FeedbackGiven{ActionId{1}, "noise", "k1", nullptr}));
  REQUIRE(noise.preferences.size() == 1);
  CHECK(noise.preferences[0].key == "dismissed:k1");
  CHECK_FALSE(noise.preferences[0].why.empty());
  const auto next = story.tell(event_wake({pull_request("synchronize", head_two)}));
  CHECK(find_text(next.plans.at(0).tasks.back().input, "dismissed.0") == "k1");
  const auto told = story.tell(
      report_wake(head_two, {finding("k1", Severity::high), finding("k2", Severity::high)}));
  CHECK_FALSE(has(text_in(action_of(told, "comment"), "body"), "`k1`"));
  story.tell(wake_for(FeedbackGiven{ActionId{1}, "useful", "k1", nullptr}));
  CHECK(story.memory.known_preferences.empty());
  CHECK(has(story.tell(wake_for(FeedbackGiven{ActionId{1}, "noise", "", nullptr})).why, "key"));
}

TEST_CASE("feedback in words is kept, and dismisses only what it can mean") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  story.tell(report_wake(head_one, {finding("k1", Severity::high), finding("k2", Severity::high)}));
  const auto vague = story.tell(wake_for(FeedbackGiven{ActionId{1}, "noise", "too much", nullptr}));
  CHECK(vague.preferences.empty());
  REQUIRE(vague.episodes.size() == 1);
  CHECK(has(vague.episodes[0].text, "too much"));
  const json::value told = json::object{{"findings", json::array{"k2"}}};
  const auto only = story.tell(wake_for(FeedbackGiven{ActionId{1}, "noise", "no", told}));
  REQUIRE(only.preferences.size() == 1);
  CHECK(only.preferences[0].key == "dismissed:k2");
  const auto by_key =
      story.tell(wake_for(FeedbackGiven{ActionId{1}, "noise", "0123456789ab-2", nullptr}));
  CHECK(by_key.preferences.at(0).key == "dismissed:0123456789ab-2");
}
