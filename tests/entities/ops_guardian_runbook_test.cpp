// Checks that report, evidence, and what may be done about an incident.
#include "tests/entities/ops_world.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::testing;

namespace {

EventPtr ping(json::object data, std::string type = "job.ping") {
  return OpsStory::event(std::move(type), std::move(data));
}

config::Ops with_check() {
  config::Ops settings;
  settings.checks.push_back({"backup", 1h, 10min, 30min, "critical"});
  return settings;
}

config::Ops with_runbook() {
  config::Ops settings;
  config::OpsRunbook book;
  book.name = "restart";
  book.match = {"alertname=UnitDown"};
  book.arguments = {"unit"};
  book.argument_pattern = "(web|api)[.]service";
  book.check = {"systemctl", "is-failed", "{label:unit}"};
  book.sink = "restart";
  book.verify = {"systemctl", "is-active", "{label:unit}"};
  book.rollback_sink = "undo";
  book.per_hour_max = 1;
  settings.runbooks.push_back(book);
  settings.investigate = false;
  return settings;
}

EventPtr unit_down(const std::string& unit, const std::string& status = "firing") {
  return group({{.fingerprint = "u", .status = status, .labels = {{"unit", unit}}}}, "UnitDown");
}

Decision ended(OpsStory& story, const std::string& title, bool ok) {
  swarm::Report report;
  report.title = title;
  report.ok = ok;
  swarm::TaskOutcome task;
  task.name = "step";
  task.state = ok ? swarm::TaskState::done : swarm::TaskState::failed;
  task.error = ok ? "" : "exit code 3";
  report.tasks.push_back(task);
  return story.wake(story.last_case, SwarmEnded{report});
}

Decision settled(OpsStory& story, const std::string& outcome) {
  return story.wake(story.last_case, ActionSettled{ActionId{1}, "run", outcome, {}, ""});
}

}  // namespace

TEST_CASE("a job that does not report is an incident, and its next report ends it") {
  OpsStory story(with_check());
  story.tell(ping({{"check", "backup"}}));
  CHECK(story.waits("late"));
  auto decision = story.next_timer("late");
  CHECK(has(text_in(action_of(decision, "notify"), "body"), "no ping for 1h10m"));
  CHECK(story.waits("escalate"));
  decision = story.tell(ping({{"check", "backup"}, {"exit", 0}}));
  CHECK(has(text_in(action_of(decision, "notify"), "text"), "resolved"));
  decision = story.next_timer("settle");
  CHECK_FALSE(decision.close_case);
  CHECK(story.waits("late"));
}

TEST_CASE("a run that fails or does not end is an incident") {
  OpsStory story(with_check());
  story.tell(ping({{"check", "backup"}, {"state", "start"}}));
  CHECK(story.waits("run"));
  auto decision = story.next_timer("run");
  CHECK(has(text_in(action_of(decision, "notify"), "body"), "runs for more than 30m"));
  story.tell(ping({{"check", "backup"}}));
  CHECK_FALSE(story.waits("run"));
  decision = story.tell(ping({{"check", "backup"}, {"exit", 7}}));
  CHECK(has(text_in(action_of(decision, "notify"), "body"), "exit code 7"));
}

TEST_CASE("a ping of an unknown check is refused, and a check that never reports is noticed") {
  OpsStory story(with_check());
  CHECK_FALSE(story.keeper->interest(*ping({{"check", "other"}})).relevant);
  story.tell(OpsStory::event("schedule.due", json::object{}));
  const auto decision = story.next_timer("never:backup");
  CHECK(has(text_in(action_of(decision, "notify"), "text"), "never reported"));
}

TEST_CASE("evidence has ids, says what could not be looked at, and is told") {
  OpsStory story;
  story.tell(OpsStory::event("github.release.published", {{"release", {{"tag_name", "v7"}}}}));
  auto decision = story.tell(group({{.fingerprint = "a"}}));
  CHECK(has(text_in(action_of(decision, "notify"), "body"), "v7"));
  swarm::Report report;
  report.title = decision.plans.at(0).title;
  swarm::TaskOutcome disk;
  disk.name = "disk";
  disk.state = swarm::TaskState::done;
  disk.result = "Mounted Use%\n/ 99%\n```\n@all";
  swarm::TaskOutcome journal;
  journal.name = "journal";
  journal.state = swarm::TaskState::failed;
  journal.error = "there is no program journalctl";
  report.tasks = {disk, journal};
  decision = story.wake(story.last_case, SwarmEnded{report});
  const auto body = text_in(action_of(decision, "notify"), "body");
  CHECK(has(body, "E2 disk: Mounted Use%"));
  CHECK(has(body, "E3 journal: could not look"));
  CHECK_FALSE(has(body, "@all"));
  REQUIRE(decision.documents.size() == 1);
  CHECK(has(decision.documents[0].body, "    / 99%"));
}

TEST_CASE("a runbook checks, acts, verifies") {
  OpsStory story(with_runbook());
  auto decision = story.tell(unit_down("web.service"));
  REQUIRE(decision.plans.size() == 1);
  CHECK(decision.plans[0].tasks[0].argv.back() == "web.service");
  CHECK(action_of(decision, "run") == nullptr);
  decision = ended(story, decision.plans[0].title, true);
  const auto* run = action_of(decision, "run");
  CHECK(run != nullptr);
  CHECK(run->sink == "restart");
  CHECK(run->expires.has_value());
  CHECK(find_text(json::value(run->payload), "arguments.unit") == "web.service");
  settled(story, "delivered");
  decision = story.next_timer("verify");
  REQUIRE(decision.plans.size() == 1);
  ended(story, decision.plans[0].title, true);
  story.tell(unit_down("web.service", "resolved"));
  decision = story.next_timer("settle");
  CHECK(has(text_in(action_of(decision, "notify"), "post_mortem"), "runbook restart"));
}

TEST_CASE("a runbook that did not help is rolled back, and somebody is called") {
  OpsStory story(with_runbook());
  auto decision = story.tell(unit_down("web.service"));
  ended(story, decision.plans.at(0).title, true);
  settled(story, "delivered");
  decision = story.next_timer("verify");
  decision = ended(story, decision.plans.at(0).title, false);
  REQUIRE(action_of(decision, "run") != nullptr);
  CHECK(action_of(decision, "run")->sink == "undo");
  CHECK(action_of(decision, "escalate") != nullptr);
}

TEST_CASE("a runbook does not act when its check, its arguments or a person say no") {
  OpsStory story(with_runbook());
  auto decision = story.tell(unit_down("web.service"));
  decision = ended(story, decision.plans.at(0).title, false);
  CHECK(action_of(decision, "run") == nullptr);
  for (const auto* unit : {"other.service", "web.service;reboot", "--now", "", "web.service\nx"}) {
    CAPTURE(unit);
    OpsStory hostile(with_runbook());
    decision = hostile.tell(unit_down(unit));
    CHECK(decision.plans.empty());
    CHECK(action_of(decision, "run") == nullptr);
  }
  OpsStory denied(with_runbook());
  decision = denied.tell(unit_down("web.service"));
  ended(denied, decision.plans.at(0).title, true);
  decision = settled(denied, "denied");
  CHECK(action_of(decision, "escalate") == nullptr);
  CHECK(has(decision.why, "denied"));
}

TEST_CASE("a runbook that ran often enough calls somebody instead") {
  OpsStory story(with_runbook());
  auto decision = story.tell(unit_down("web.service"));
  ended(story, decision.plans.at(0).title, true);
  settled(story, "failed");
  story.tell(unit_down("web.service", "resolved"));
  story.now += 4min;
  story.tell(unit_down("web.service"));
  CHECK(story.cases[story.last_case].state.at("runs").as_array().size() == 1);
}

TEST_CASE("settings that cannot be meant are refused with a reason") {
  const auto refused = [](const config::Ops& settings) {
    config::Entity entity;
    entity.name = "ops";
    entity.of = settings;
    const auto made = make_ops(entity);
    return made ? std::string() : made.error().message;
  };
  config::Ops settings = with_runbook();
  settings.runbooks[0].argument_pattern = "(";
  CHECK(has(refused(settings), "ops.runbook[0]: argument_pattern"));
  settings = {};
  settings.silences.push_back({{"a"}, {}, {}, ""});
  CHECK(has(refused(settings), "ops.silence[0]: the matcher"));
  settings = {};
  settings.evidence.push_back({"bad name!", {"true"}, {}, {}, 1s, "strict"});
  CHECK(has(refused(settings), "ops.evidence"));
}
