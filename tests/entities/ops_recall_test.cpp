// What an incident knows of the past the moment it begins: what it was like, what was changed, what
// helped; and what is left of it when it is over.
#include "tests/entities/ops_world.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::testing;

namespace {

OneAlert shop(std::string status = "firing", std::string starts = "2026-09-21T10:00:00Z") {
  return {.fingerprint = "a",
          .status = std::move(status),
          .starts = std::move(starts),
          .labels = {{"service", "shop"}}};
}

std::string body_of(const Decision& decision) {
  return text_in(action_of(decision, "notify"), "body");
}

std::size_t at(const std::string& text, std::string_view part) {
  const auto found = text.find(part);
  INFO(text);
  INFO(part);
  REQUIRE(found != std::string::npos);
  return found;
}

}  // namespace

TEST_CASE("what was deployed lately is evidence, that of the same service and the newest first") {
  OpsStory story;
  const auto change = [&](std::string type, json::value data) {
    story.tell(OpsStory::event(std::move(type), std::move(data)));
    story.now += 10min;
  };
  change("deploy.done", json::object{{"service", "shop"},
                                     {"environment", "production"},
                                     {"version", "v1.4.2"},
                                     {"by", "sam"}});
  change("github.push", json::object{{"ref", "refs/heads/main"},
                                     {"after", std::string(40, 'a')},
                                     {"repository", {{"full_name", "octo/site"}}},
                                     {"head_commit", {{"message", "new colours\n\nlong story"}}},
                                     {"sender", {{"login", "kim"}}}});
  change("gitlab.deployment", json::object{{"object_kind", "deployment"},
                                           {"status", "failed"},
                                           {"deployment_id", 7},
                                           {"environment", "staging"},
                                           {"project", {{"path_with_namespace", "octo/blog"}}}});
  const auto body = body_of(story.tell(group({shop()})));
  const auto here = at(body, "changed here: deployment of shop to production, v1.4.2, by sam, 30m");
  const auto newest = at(body, "changed: deployment of octo/blog to staging, failed");
  const auto older = at(body, "changed: push to octo/site, main, by kim: new colours");
  CHECK(here < newest);
  CHECK(newest < older);
  CHECK(at(body, "E1") < here);
}

TEST_CASE("one deployment that is told again and again is one change, as it was told last") {
  OpsStory story;
  for (const auto* state : {"pending", "in_progress", "failure"}) {
    story.tell(OpsStory::event(
        "github.deployment_status.created",
        json::object{{"deployment", {{"id", 42}, {"ref", "v2"}, {"environment", "production"}}},
                     {"deployment_status", {{"state", state}}},
                     {"repository", {{"full_name", "octo/shop"}}}}));
  }
  CHECK(story.facts.size() == 1);
  const auto body = body_of(story.tell(group({shop()})));
  CHECK(has(body, "changed here: deployment of octo/shop to production, v2, failure"));
}

TEST_CASE("changes are bounded, and those of yesterday are no evidence") {
  OpsStory story;
  for (int i = 0; i < 100; ++i) {
    story.tell(OpsStory::event("deploy.done", json::object{{"service", "s"}, {"id", i}}));
  }
  CHECK(story.facts.size() == 40);
  story.now += 25h;
  CHECK_FALSE(has(body_of(story.tell(group({shop()}))), "changed"));
}

TEST_CASE("the last one like it says what helped, how often there was one, and where to read on") {
  OpsStory story;
  story.tell(group({shop()}));
  story.command("note the cache was full: emptied it");
  story.now += 7min;
  story.tell(group({shop("resolved")}));
  auto end = story.next_timer("settle");
  const auto key = end.documents.at(0).key;
  const auto post_mortem = text_in(action_of(end, "notify"), "post_mortem");
  CHECK(has(post_mortem, "# Incident 1: Disk"));
  CHECK(has(post_mortem, "## What people noted\n\n- sam: the cache was full: emptied it"));
  CHECK(has(post_mortem, "| acknowledged | by nobody |"));
  story.now += 1h;
  auto again = story.tell(group({shop("firing", "2026-09-21T12:00:00Z")}));
  auto body = body_of(again);
  CHECK(has(body, "last one like it: Disk"));
  CHECK(has(body, "ended by itself after 7m; helped: sam: the cache was full: emptied it"));
  CHECK(has(std::string(again.state->at("evidence").as_array().at(0).as_string()), key));
  // The second ends by itself: what helped the first time is still told at the third.
  story.tell(group({shop("resolved", "2026-09-21T12:00:00Z")}));
  story.next_timer("settle");
  story.now += 1h;
  body = body_of(story.tell(group({shop("firing", "2026-09-21T14:00:00Z")})));
  CHECK(has(body, "it was number 2; helped: sam: the cache was full"));
}

TEST_CASE("a topic that asks whether it may send is told with its link") {
  OpsStory story;
  auto event = std::make_shared<Event>();
  event->type = "sns.subscription_confirmation";
  event->source = "aws";
  event->subject = "arn:aws:sns:eu-west-1:123456789012:alarms";
  event->data = json::object{{"Type", "SubscriptionConfirmation"},
                             {"SubscribeURL", "https://sns.eu-west-1.amazonaws.com/?Action=x"}};
  const auto decision = story.tell(event);
  CHECK(has(text_in(action_of(decision, "notify"), "text"), "https://sns.eu-west-1"));
  event->data.as_object()["SubscribeURL"] = "https://example.org/";
  CHECK_FALSE(story.keeper->interest(*event).relevant);
}
