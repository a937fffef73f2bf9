// Alerts become incidents: tables of events and what is decided.
#include "tests/entities/ops_world.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::testing;

TEST_CASE("an alert that fires begins an incident, is told and investigated") {
  OpsStory story;
  const auto decision = story.tell(group({{.fingerprint = "a"}}));
  CHECK(decision.verdict == Verdict::acted);
  REQUIRE(decision.plans.size() == 1);
  CHECK(decision.plans[0].tasks.size() >= 5);
  for (const auto& task : decision.plans[0].tasks) CHECK(task.optional);
  const auto* told = action_of(decision, "notify");
  CHECK(has(text_in(told, "text"), "Disk: 1 firing"));
  CHECK_FALSE(told->sticky_key.empty());
  CHECK(story.waits("escalate"));
  CHECK(story.waits("remind"));
}

TEST_CASE("the same group in the same state is a duplicate, whatever its order and times") {
  OpsStory story;
  story.tell(group({{.fingerprint = "a"}, {.fingerprint = "b"}}));
  auto decision = story.tell(
      group({{.fingerprint = "b", .starts = "2026-09-21T11:00:00Z"}, {.fingerprint = "a"}}));
  CHECK(decision.rule == "duplicate");
  CHECK(decision.verdict == Verdict::ignored);
  CHECK(decision.actions.empty());
  decision = story.tell(group({{.fingerprint = "a"}, {.fingerprint = "b"}, {.fingerprint = "c"}}));
  CHECK(decision.rule == "alerts");
  CHECK(has(text_in(action_of(decision, "notify"), "text"), "3 firing"));
  CHECK(decision.plans.empty());  // one look for one incident
}

TEST_CASE("one message is edited from the beginning to the end, which has a post-mortem") {
  OpsStory story;
  const auto first = story.tell(group({{.fingerprint = "a"}, {.fingerprint = "b"}}));
  const auto key = action_of(first, "notify")->sticky_key;
  story.now += 5min;
  auto next = story.tell(group({{.fingerprint = "a", .status = "resolved"}, {.fingerprint = "b"}}));
  CHECK(action_of(next, "notify")->sticky_key == key);
  CHECK(has(text_in(action_of(next, "notify"), "body"), "1 resolved, 1 still fire"));
  story.now += 5min;
  next = story.tell(group(
      {{.fingerprint = "a", .status = "resolved"}, {.fingerprint = "b", .status = "resolved"}}));
  CHECK(has(text_in(action_of(next, "notify"), "text"), "resolved"));
  CHECK_FALSE(story.waits("escalate"));
  CHECK_FALSE(story.waits("remind"));
  next = story.next_timer("settle");
  CHECK(next.close_case);
  CHECK(action_of(next, "notify")->sticky_key == key);
  CHECK(has(text_in(action_of(next, "notify"), "post_mortem"), "| lasted | 10m |"));
  REQUIRE(next.documents.size() == 1);
  CHECK(has(next.documents[0].body, "## Causes"));
  CHECK(next.episodes.size() == 1);
  CHECK(story.facts.size() == 1);  // only what it was like
  const auto again = story.tell(group({{.fingerprint = "a"}}));
  CHECK(has(text_in(action_of(again, "notify"), "body"), "last one like it: Disk"));
}

TEST_CASE("a resolution that overtakes its firing does not begin an incident") {
  OpsStory story;
  auto decision = story.tell(group({{.fingerprint = "a", .status = "resolved"}}));
  CHECK(decision.actions.empty());
  story.now += 2s;
  decision = story.tell(group({{.fingerprint = "a"}}));
  CHECK(decision.actions.empty());
  CHECK(has(decision.why, "came late"));
  story.now += 10min;  // by then it fires again
  decision = story.tell(group({{.fingerprint = "a"}, {.fingerprint = "b", .status = "resolved"}}));
  CHECK(action_of(decision, "notify") != nullptr);
}

TEST_CASE("an acknowledgement stops the calls and expires when all have resolved") {
  OpsStory story;
  story.tell(group({{.fingerprint = "a"}}));
  auto decision = story.command("/ack looking at it");
  CHECK_FALSE(story.waits("escalate"));
  CHECK(has(text_in(action_of(decision, "notify"), "text"), "acknowledged by sam"));
  story.tell(group({{.fingerprint = "a", .status = "resolved"}}));
  story.now += 2min;
  decision = story.tell(group({{.fingerprint = "a"}}));
  CHECK_FALSE(has(text_in(action_of(decision, "notify"), "text"), "acknowledged"));
  CHECK(story.waits("escalate"));
}

TEST_CASE("an acknowledgement from the sender's side expires as well, and the next firing calls") {
  config::Ops settings;
  settings.escalation_sink = "pager";
  OpsStory story(settings);
  const auto pagerduty = [](const std::string& type, const std::string& status) {
    return OpsStory::event(
        "pagerduty." + type,
        json::object{
            {"event",
             {{"event_type", "incident." + type},
              {"agent", {{"summary", "Kim"}}},
              {"data",
               {{"id", "P1"}, {"status", status}, {"title", "Disk"}, {"urgency", "high"}}}}}});
  };
  story.tell(pagerduty("triggered", "triggered"));
  CHECK(story.waits("escalate"));
  auto decision = story.tell(pagerduty("acknowledged", "acknowledged"));
  CHECK(has(decision.why, "acknowledged by Kim"));
  CHECK_FALSE(story.waits("escalate"));
  story.now += 3min;
  story.tell(pagerduty("resolved", "resolved"));
  story.now += 3min;
  decision = story.tell(pagerduty("triggered", "triggered"));
  CHECK(has(decision.why, "fires again"));
  decision = story.next_timer("escalate");
  CHECK(action_of(decision, "escalate") != nullptr);
  story.tell(pagerduty("resolved", "resolved"));
  const auto end = story.next_timer("settle");
  const auto post_mortem = text_in(action_of(end, "notify"), "post_mortem");
  CHECK(has(post_mortem, "by Kim, after 0"));
  CHECK(has(post_mortem, "| calls for help | 1 |"));
}

TEST_CASE("an acknowledgement taken back calls again, and one of another incident does not hold") {
  OpsStory story;
  story.tell(group({{.fingerprint = "a"}}));
  story.command("ack");
  story.command("unack");
  CHECK(story.waits("escalate"));
  story.command("ack");
  story.tell(group({{.fingerprint = "a", .status = "resolved"}}));
  story.next_timer("settle");
  story.now += 2min;
  story.tell(group({{.fingerprint = "a", .starts = "2026-09-21T12:00:00Z"}}));
  CHECK(story.waits("escalate"));
  // Nothing fires elsewhere: there is nothing to take on, and nothing is stopped by it.
  const auto kept = story.last_case;
  story.last_case = "alert:alertname=\"Other\"";
  CHECK(has(story.command("ack").why, "nothing fires here"));
  story.last_case = kept;
  CHECK(story.waits("escalate"));
}

TEST_CASE("when nobody answers somebody is called, as often as the settings say") {
  config::Ops settings;
  settings.escalation_sink = "pager";
  settings.escalations_max = 2;
  OpsStory story(settings);
  story.tell(group({{.fingerprint = "a"}}));
  for (int call = 1; call <= 2; ++call) {
    const auto decision = story.next_timer("escalate");
    REQUIRE(action_of(decision, "escalate") != nullptr);
    CHECK(action_of(decision, "escalate")->sink == "pager");
    CHECK(action_of(decision, "escalate")->sticky_key.empty());
    CHECK(has(decision.why, "call " + std::to_string(call) + " of 2"));
  }
  CHECK_FALSE(story.waits("escalate"));
  CHECK(has(story.next_timer("remind").why, "still fires"));
  CHECK(story.waits("remind"));
}

TEST_CASE("what goes up and down is told once as flapping, and once when it is over") {
  config::Ops settings;
  settings.flap_changes = 4;
  OpsStory story(settings);
  int told = 0;
  for (int i = 0; i < 20; ++i) {
    story.now += 70s;
    const auto* status = i % 2 == 0 ? "firing" : "resolved";
    const auto decision = story.tell(group({{.fingerprint = "a", .status = status}}));
    told += action_of(decision, "notify") != nullptr ? 1 : 0;
  }
  CHECK(told == 5);
  const auto end = story.next_timer("settle");
  CHECK(has(text_in(action_of(end, "notify"), "post_mortem"), "flapping"));
}

TEST_CASE("a silence keeps quiet until it ends, and then it is told") {
  OpsStory story;
  story.last_case = "x";
  auto decision = story.command("/silence alertname=Disk for 2h new disks");
  CHECK(story.facts.size() == 1);
  decision = story.tell(group({{.fingerprint = "a"}}));
  CHECK(decision.actions.empty());
  CHECK(has(decision.why, "silenced"));
  CHECK_FALSE(story.waits("escalate"));
  decision = story.next_timer("quiet");
  CHECK(action_of(decision, "notify") != nullptr);
  CHECK(story.waits("escalate"));
}

TEST_CASE("a silence that is taken back, or does not hold for all that fires, keeps nobody quiet") {
  OpsStory story;
  story.last_case = "x";
  auto decision = story.command("silence alertname=Disk host=h1 for 2h");
  const auto id = story.facts.begin()->first.substr(std::string("silence:").size());
  decision = story.tell(group({{.fingerprint = "a", .labels = {{"host", "h1"}}}}));
  CHECK(decision.actions.empty());
  decision = story.tell(group({{.fingerprint = "a", .labels = {{"host", "h1"}}},
                               {.fingerprint = "b", .labels = {{"host", "h2"}}}}));
  CHECK(action_of(decision, "notify") != nullptr);
  story.tell(group({{.fingerprint = "a", .status = "resolved", .labels = {{"host", "h1"}}},
                    {.fingerprint = "b", .status = "resolved", .labels = {{"host", "h2"}}}}));
  story.next_timer("settle");
  story.command("unsilence " + id);
  CHECK_FALSE(story.facts.contains("silence:" + id));
  story.now += 10min;
  decision = story.tell(
      group({{.fingerprint = "a", .starts = "2026-09-21T12:00:00Z", .labels = {{"host", "h1"}}}}));
  CHECK(action_of(decision, "notify") != nullptr);
}

TEST_CASE("strangers give no commands") {
  OpsStory story;
  const json::object data{{"text", "silence alertname=Disk for 2h"}};
  CHECK_FALSE(story.keeper->interest(*OpsStory::event("ops.command", data)).relevant);
}

TEST_CASE("an alert that another one explains is not told while that one is open") {
  config::Ops settings;
  settings.inhibits.push_back({{"alertname=Down"}, {"alertname=Disk"}, {"host"}});
  OpsStory story(settings);
  const json::object host{{"host", "h1"}};
  story.tell(group({{.fingerprint = "d", .labels = host}}, "Down"));
  const auto down = story.last_case;
  auto decision = story.tell(group({{.fingerprint = "a", .labels = host}}));
  CHECK(decision.actions.empty());
  CHECK(has(decision.why, "Down explains it"));
  const auto disk = story.last_case;
  story.last_case = down;
  story.tell(group({{.fingerprint = "d", .status = "resolved", .labels = host}}, "Down"));
  story.next_timer("settle");
  story.last_case = disk;
  CHECK(action_of(story.next_timer("quiet"), "notify") != nullptr);
}

TEST_CASE("below the severity that is told, incidents are only remembered") {
  OpsStory story;
  auto decision = story.tell(group({{.fingerprint = "a", .severity = "info"}}));
  CHECK(decision.actions.empty());
  decision = story.tell(group({{.fingerprint = "a", .severity = "info"}, {.fingerprint = "b"}}));
  CHECK(action_of(decision, "notify") != nullptr);
}

TEST_CASE("500 hostile alerts in one group make one bounded message") {
  OpsStory story;
  std::vector<OneAlert> alerts;
  for (int i = 0; i < 500; ++i) {
    alerts.push_back({.fingerprint = "f" + std::to_string(i),
                      .labels = {{"host", "h\n# @everyone <script>" + std::string(2000, 'x')},
                                 {"unit", "-rf;$(reboot)"}}});
  }
  const auto decision = story.tell(group(alerts));
  const auto body = text_in(action_of(decision, "notify"), "body");
  CHECK(body.size() < 16'000);
  CHECK(has(body, "and 480 more"));
  CHECK_FALSE(has(body, "@everyone"));
  CHECK_FALSE(has(body, "<script>"));
  for (const auto& task : decision.plans.at(0).tasks) {
    for (const auto& argument : task.argv) CHECK_FALSE(has(argument, "reboot"));
  }
  CHECK(to_text(json::value(story.cases[story.last_case].state)).size() < 1024 * 1024);
}

TEST_CASE("a clock that is set back breaks nothing") {
  OpsStory story;
  story.tell(group({{.fingerprint = "a"}}));
  story.now -= 3h;
  story.tell(group({{.fingerprint = "a", .status = "resolved"}}));
  const auto decision = story.next_timer("settle");
  CHECK(has(text_in(action_of(decision, "notify"), "post_mortem"), "| lasted | 0"));
}
