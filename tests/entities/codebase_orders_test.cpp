// What people order in comments, and who may.
#include "entities/codebase/orders.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>

#include "entities/codebase/codebase.hpp"
#include "entities/codebase/review.hpp"
#include "tests/entities/codebase_memory.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::entities::codebase;
using namespace std::chrono_literals;
using testing::FakeMemory;
using testing::make_event;
using testing::wake_for;

namespace {

const std::string head(40, '1');

EventPtr comment(const std::string& body, const std::string& association = "MEMBER",
                 const std::string& action = "created") {
  return make_event(
      "github.issue_comment." + action,
      json::object{{"action", action},
                   {"repository", {{"full_name", "octo/repo"}}},
                   {"sender", {{"login", "ann"}}},
                   {"issue", {{"number", 12}, {"pull_request", json::object{}}}},
                   {"comment", {{"body", body}, {"author_association", association}}}});
}

EventPtr opened() {
  return make_event("github.pull_request.opened",
                    json::object{{"action", "opened"},
                                 {"repository", {{"full_name", "octo/repo"}}},
                                 {"pull_request",
                                  {{"number", 12},
                                   {"head", {{"sha", head}, {"ref", "topic"}}},
                                   {"base", {{"sha", std::string(40, 'b')}, {"ref", "main"}}}}}});
}

struct Story {
  Story() {
    config::Entity entity;
    entity.name = "keeper";
    entity.kind = "codebase";
    config::Codebase settings;
    settings.repository = source_dir();
    settings.report_sink = "out";
    settings.orders_from = {"bot-owner"};
    entity.of = settings;
    auto made = make_codebase(entity);
    REQUIRE(made.has_value());
    keeper = std::move(*made);
  }
  Decision tell(Wake wake) {
    wake.now = now;
    auto decision = keeper->decide(wake, memory);
    CHECK_FALSE(decision.why.empty());
    memory.keep(decision);
    if (!decision.plans.empty()) title = decision.plans[0].title;
    return decision;
  }
  Decision hear(const EventPtr& event) { return tell(wake_for(EventsArrived{{event}})); }
  Decision review(const std::string& rule = "github-token") {
    Finding finding;
    finding.key = "abc";
    finding.analyser = "secrets";
    finding.rule = rule;
    finding.severity = Severity::high;
    finding.path = "a.c";
    finding.title = "a secret";
    Review review;
    review.head = review.asked_head = head;
    review.why = "the commits were looked at";
    review.findings = {finding};
    swarm::Report report;
    report.ok = true;
    report.title = title;
    report.result = to_json(review);
    return tell(wake_for(SwarmEnded{std::move(report)}));
  }

  std::unique_ptr<Guardian> keeper;
  FakeMemory memory;
  TimePoint now = from_unix_us(1'790'000'000'000'000);
  std::string title;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("orders are lines of a new comment that begin with one") {
  const auto orders =
      read_orders(*comment("Thanks!\r\n  /retest\n/mute secrets \n> /hold\nsay /hold\n/snooze 2d\n"
                           "/mute\n/snooze soon\n/holdon"),
                  {});
  CHECK(orders.case_key == "octo/repo#12");
  CHECK(orders.may);
  REQUIRE(orders.all.size() == 3);
  CHECK(orders.all[0].verb == Verb::retest);
  CHECK(orders.all[1].rule == "secrets");
  CHECK(orders.all[2].wait == 48h);
  REQUIRE(orders.not_understood.size() == 2);
  CHECK(has(orders.not_understood[0], "the name of a rule"));
  CHECK(has(orders.not_understood[1], "a time up to 90d"));
  CHECK(read_orders(*comment("nothing to do"), {}).case_key.empty());
  CHECK(read_orders(*comment("/retest", "MEMBER", "edited"), {}).case_key.empty());
  CHECK(read_orders(*comment("/snooze 99999999999d"), {}).all.empty());
}

TEST_CASE("only those who may write to the repository give orders") {
  CHECK_FALSE(read_orders(*comment("/retest", "CONTRIBUTOR"), {}).may);
  CHECK_FALSE(read_orders(*comment("/retest", "NONE"), {"bob"}).may);
  CHECK(read_orders(*comment("/retest", "NONE"), {"ann"}).may);
  Story story;
  story.hear(opened());
  story.review();
  const auto refused = story.hear(comment("/mute secrets", "FIRST_TIMER"));
  CHECK(refused.preferences.empty());
  CHECK(refused.plans.empty());
  CHECK(has(refused.why, "ann may give no orders here"));
}

TEST_CASE("a commit is reviewed again on demand, but not twice at once") {
  Story story;
  CHECK(has(story.hear(comment("/retest")).why, "no commit of it is known yet"));
  story.hear(opened());
  CHECK(has(story.hear(comment("/retest")).why, "a review runs already"));
  story.review();
  const auto again = story.hear(comment("/retest"));
  REQUIRE(again.plans.size() == 1);
  const auto& input = again.plans[0].tasks.front().input;
  CHECK(find_text(input, "head") == head);
  CHECK(find_text(input, "base_ref") == "main");
  CHECK(story.review().actions.size() == 1);
}

TEST_CASE("on hold nothing is told; afterwards what was kept back is") {
  Story story;
  story.hear(opened());
  CHECK(has(story.hear(comment("/hold")).why, "ann said /hold"));
  const auto quiet = story.review();
  CHECK(quiet.actions.empty());
  CHECK(has(quiet.why, "on hold"));
  const auto over = story.hear(comment("/unhold"));
  REQUIRE(over.plans.size() == 1);
  CHECK(story.review().actions.size() == 1);
  CHECK(story.hear(comment("/unhold")).plans.empty());  // nothing was kept back
}

TEST_CASE("a snooze ends by itself") {
  Story story;
  story.hear(opened());
  const auto snoozed = story.hear(comment("/snooze 2d"));
  REQUIRE(snoozed.timers.size() == 1);
  CHECK(snoozed.timers[0].due == story.now + 48h);
  CHECK(story.review().actions.empty());
  story.now += 48h;
  const auto woken = story.tell(wake_for(TimerDue{"snooze", story.now, {}}));
  REQUIRE(woken.plans.size() == 1);
  CHECK(story.review().actions.size() == 1);
  CHECK(story.tell(wake_for(TimerDue{"snooze", story.now, {}})).plans.empty());
}

TEST_CASE("a muted rule or analyser is left out until it is wanted again") {
  for (const std::string name : {"github-token", "secrets"}) {
    CAPTURE(name);
    Story story;
    story.hear(opened());
    const auto muted = story.hear(comment("/mute " + name));
    REQUIRE(muted.preferences.size() == 1);
    CHECK(story.review().actions.empty());
    story.hear(comment("/unmute " + name + "\n/retest"));
    CHECK(story.review().actions.size() == 1);
  }
}

TEST_CASE("an order that comes with a push does not hide it") {
  Story story;
  const auto both = story.tell(wake_for(EventsArrived{{opened(), comment("/hold")}}));
  CHECK(both.plans.size() == 1);
  CHECK(has(both.why, "ann said /hold"));
  CHECK(story.review().actions.empty());
}
