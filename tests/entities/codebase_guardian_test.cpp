#include "tests/entities/codebase_story.hpp"

using namespace vigil;
using namespace vigil::testing;

TEST_CASE("a pull request that is opened becomes a plan that can run") {
  Story story;
  const auto decision = story.tell(event_wake({pull_request("opened", head_one)}));
  CHECK(decision.verdict == Verdict::acted);
  REQUIRE(decision.plans.size() == 1);
  const auto& plan = decision.plans[0];
  CHECK(swarm::validate(plan).has_value());
  CHECK(plan.result_of == "review");
  CHECK(plan.tasks.front().name == "changes");
  CHECK(plan.tasks.back().needs.size() == plan.tasks.size() - 1);
  CHECK(find_text(plan.tasks.front().input, "head") == head_one);
  for (const auto& task : plan.tasks) {
    CHECK(task.containment == swarm::Containment::strict);
    REQUIRE_FALSE(task.read_paths.empty());
    CHECK(task.write_paths.empty());
  }
  CHECK(has(decision.why, "octo/repo#12"));
}

TEST_CASE("the same wake and memory give the same decision") {
  Story story;
  const auto wake = event_wake({pull_request("opened", head_one)});
  const auto first = story.keeper->decide(wake, story.memory);
  const auto second = story.keeper->decide(wake, story.memory);
  CHECK(to_json(first.plans.at(0)) == to_json(second.plans.at(0)));
  CHECK(first.state == second.state);
  CHECK(first.why == second.why);
}

TEST_CASE("one commit is not reviewed twice, unless the pull request is reopened") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  CHECK(has(story.tell(event_wake({pull_request("synchronize", head_one)})).why, "under review"));
  story.tell(report_wake(head_one, {}));
  const auto again = story.tell(event_wake({pull_request("synchronize", head_one)}));
  CHECK(again.verdict == Verdict::ignored);
  CHECK(has(again.why, "reviewed already"));
  CHECK(story.tell(event_wake({pull_request("reopened", head_one)})).plans.size() == 1);
}

TEST_CASE("findings are commented and set the status") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  const auto decision = story.tell(report_wake(head_one, {finding("k1", Severity::high)}));
  const auto* comment = action_of(decision, "comment");
  CHECK(has(text_in(comment, "body"), "a.c:3"));
  CHECK(comment->sticky_key == "review");
  CHECK(comment->payload.find("sha") == comment->payload.end());  // it would be a status
  CHECK(comment->sink == "out");
  CHECK(find_integer(json::value(comment->payload), "number") == 12);
  CHECK(text_in(comment, "repository") == "octo/repo");
  const auto* status = action_of(decision, "status");
  CHECK(text_in(status, "state") == "failure");
  CHECK(text_in(status, "sha") == head_one);
  CHECK(text_in(status, "description") == "1 high");
  REQUIRE(decision.episodes.size() == 1);
  CHECK(has(decision.episodes[0].text, "a.c:3"));
  REQUIRE(decision.documents.size() == 1);
  CHECK(decision.facts.size() == 1);
}

TEST_CASE("a clean change is told to nobody, until there is a comment to correct") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  auto quiet = story.tell(report_wake(head_one, {finding("todo", Severity::info)}));
  CHECK(action_of(quiet, "comment") == nullptr);
  CHECK(text_in(action_of(quiet, "status"), "state") == "success");
  story.tell(event_wake({pull_request("synchronize", head_two)}));
  story.tell(report_wake(head_two, {finding("k1", Severity::high)}));
  story.tell(wake_for(ActionSettled{ActionId{1}, "comment", "delivered", nullptr, ""}));
  story.tell(event_wake({pull_request("synchronize", head_one)}));
  const auto clean = story.tell(report_wake(head_one, {}));
  const auto body = text_in(action_of(clean, "comment"), "body");
  CHECK(has(body, "nothing"));
  CHECK(has(body, "No longer there"));
}

TEST_CASE("a comment that was denied does not exist") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  story.tell(report_wake(head_one, {finding("k1", Severity::high)}));
  story.tell(wake_for(ActionSettled{ActionId{1}, "comment", "denied", nullptr, "not now"}));
  story.tell(event_wake({pull_request("synchronize", head_two)}));
  CHECK(action_of(story.tell(report_wake(head_two, {})), "comment") == nullptr);
}

TEST_CASE("after a new push only what is new is called new") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  story.tell(report_wake(head_one, {finding("k1", Severity::high), finding("k2", Severity::low)}));
  story.tell(event_wake({pull_request("synchronize", head_two)}));
  const auto decision = story.tell(
      report_wake(head_two, {finding("k2", Severity::low), finding("k3", Severity::low)}));
  const auto body = text_in(action_of(decision, "comment"), "body");
  CHECK(has(body, "key `k3`) **new**"));
  CHECK_FALSE(has(body, "key `k2`) **new**"));
  CHECK(has(decision.why, "1 new and 1 no longer there"));
}

TEST_CASE("the review of an older commit is recognised as stale and told to nobody") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  const auto newer = story.tell(event_wake({pull_request("synchronize", head_two)}));
  CHECK(has(newer.why, "not told"));
  const auto stale = story.tell(report_wake(head_one, {finding("k1", Severity::critical)}));
  CHECK(stale.rule == "stale");
  CHECK(stale.actions.empty());
  CHECK_FALSE(stale.state.has_value());
  CHECK_FALSE(
      story.tell(report_wake(head_two, {finding("k1", Severity::critical)})).actions.empty());
}

TEST_CASE(
    "what is not in the clone is reviewed in its place, said so, and never called a success") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  const auto decision = story.tell(report_wake(head_one, {finding("k1", Severity::low)}, false));
  CHECK(has(decision.why, "not in the local clone"));
  CHECK(has(text_in(action_of(decision, "comment"), "body"), "not the change itself"));
  CHECK(text_in(action_of(decision, "status"), "state") == "error");
  // It may have been fetched since: being told again is reason enough to look again.
  CHECK(story.tell(event_wake({pull_request("synchronize", head_one)})).plans.size() == 1);
}

TEST_CASE("a closed pull request closes its case, and late reports are not told") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  const auto closed = story.tell(event_wake({pull_request("closed", head_one)}));
  CHECK(closed.close_case);
  CHECK(has(closed.why, "merged"));
  CHECK(closed.episodes.size() == 1);
  CHECK(story.tell(report_wake(head_one, {finding("k1", Severity::high)})).actions.empty());
}

TEST_CASE("a batch comes to its newest change, or to its end") {
  Story story;
  const auto decision =
      story.tell(event_wake({pull_request("opened", head_one), pull_request("labeled", head_one),
                             pull_request("synchronize", head_two)}));
  REQUIRE(decision.plans.size() == 1);
  CHECK(find_text(decision.plans[0].tasks[0].input, "head") == head_two);
  CHECK(story
            .tell(event_wake(
                {pull_request("synchronize", head_one), pull_request("closed", head_one)}))
            .close_case);
  Story other;
  CHECK(other.tell(event_wake({pull_request("labeled", head_one)})).verdict == Verdict::ignored);
}

TEST_CASE("a push has no thread: its payload can mark the commit instead") {
  Story story;
  const auto push = make_event("github.push", json::object{{"ref", "refs/heads/main"},
                                                           {"before", std::string(40, 'a')},
                                                           {"after", head_one},
                                                           {"repository", {{"full_name", "o/r"}}}});
  story.tell(event_wake({push}));
  const auto decision = story.tell(report_wake(head_one, {finding("k1", Severity::high)}));
  const auto* comment = action_of(decision, "comment");
  CHECK(text_in(comment, "sha") == head_one);
  CHECK(text_in(comment, "state") == "failure");
  CHECK(comment->payload.find("number") == comment->payload.end());
}

TEST_CASE("a review that came to nothing says why, and the next push is reviewed") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  swarm::Report report;
  report.error = "task 'changes' failed";
  report.tasks.push_back(
      {.name = "changes", .state = swarm::TaskState::failed, .error = "exit code 65: no clone"});
  const auto decision = story.tell(wake_for(SwarmEnded{report}));
  CHECK(has(decision.why, "no clone"));
  CHECK(text_in(action_of(decision, "status"), "state") == "error");
  CHECK(story.tell(event_wake({pull_request("synchronize", head_one)})).plans.size() == 1);
  // The failure of an older review says nothing about the newer commit.
  story.tell(event_wake({pull_request("synchronize", head_two)}));
  const auto older = story.tell(wake_for(SwarmEnded{report}));
  CHECK(older.rule == "stale");
  CHECK(older.actions.empty());
}

TEST_CASE("a commit whose review was cancelled can be reviewed again") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  swarm::Report report;
  report.cancelled = true;
  CHECK(story.tell(wake_for(SwarmEnded{report})).rule == "cancelled");
  CHECK(story.tell(event_wake({pull_request("synchronize", head_one)})).plans.size() == 1);
}

TEST_CASE("when one analyser fails the others are heard all the same") {
  Story story;
  story.tell(event_wake({pull_request("opened", head_one)}));
  swarm::Report report;
  json::object changes{{"head", head_one}, {"asked_head", head_one}, {"as_asked", true}};
  report.tasks.push_back({.name = "changes", .state = swarm::TaskState::done, .result = changes});
  report.tasks.push_back({.name = "secrets",
                          .state = swarm::TaskState::done,
                          .result = analysis("one", {finding("k1", Severity::high)})});
  report.tasks.push_back({.name = "todo", .state = swarm::TaskState::failed, .error = "killed"});
  const auto decision = story.tell(wake_for(SwarmEnded{report}));
  CHECK(has(text_in(action_of(decision, "comment"), "body"), "Without a result"));
  CHECK(text_in(action_of(decision, "status"), "state") == "failure");
  report.cancelled = true;
  CHECK(story.tell(wake_for(SwarmEnded{report})).rule == "cancelled");
}

TEST_CASE("a schedule has the latest commits of the clone reviewed") {
  Story story;
  const auto due = make_event("schedule.due", nullptr);
  const auto interest = story.keeper->interest(*due);
  CHECK(interest.relevant);
  CHECK(interest.case_key.ends_with("@HEAD"));
  const auto decision = story.tell(event_wake({due}));
  REQUIRE(decision.plans.size() == 1);
  CHECK_FALSE(find_text(decision.plans[0].tasks[0].input, "head").has_value());
  const auto told = story.tell(report_wake("", {finding("k1", Severity::high)}));
  CHECK(action_of(told, "comment") != nullptr);
  CHECK(action_of(told, "status") == nullptr);
}
