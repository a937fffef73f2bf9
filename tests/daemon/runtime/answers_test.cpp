#include "daemon/runtime/answers.hpp"

#include "commit_world.hpp"

using namespace vigil;
using namespace vigil::runtime;
using namespace std::chrono_literals;
using vigil::testing::action_to;
using vigil::testing::noon;

namespace {

constexpr const char* may_propose = R"(
[approvals]
preference_after = 3
preference_uses_max = 2
preference_expires = "48h"
expires = "24h"
tell_sink = "out"
github_from = ["ada"]
slack_from = ["U1"]
[source.chat]
kind = "webhook"
scheme = "slack"
secrets = ["file:/nowhere"]
[source.forge]
kind = "webhook"
scheme = "github"
secrets = ["file:/nowhere"]
[entity.guard.autonomy_of]
notify = "propose"
)";

entities::Action comment(const std::string& text, const std::string& repository) {
  auto action = action_to("web");
  action.payload["text"] = text;
  action.payload["repository"] = repository;
  return action;
}

struct World : vigil::testing::CommitWorld {
  World() : CommitWorld(may_propose) {}

  // One more action that the guardian asks for.
  storage::Action asked(entities::Action action, TimePoint now = noon) {
    const auto uid = std::to_string(++number);
    auto what = decided(arrive(event(uid, uid), noon).wakes.front());
    what.now = now;
    what.decision.actions = {std::move(action)};
    settle(what);
    storage::Action newest;
    for (const auto& row : reader()->outbox.list("guard", ActionId{}, 5)) {
      if (row.sink == "web") return row;
    }
    return newest;
  }

  Answered answer(const Answer& what, TimePoint now = noon) {
    return commit([&](storage::Stores& stores) {
      return commit_answer(stores, inhabitants->settings().approvals, what, now);
    });
  }

  std::string state(ActionId id) { return reader()->outbox.find(id)->state; }

  int number = 0;
};

Answer yes(ActionId id, bool always = false) {
  return {.action = id, .approve = true, .always = always, .by = "uid 7"};
}
Answer no(ActionId id) { return {.action = id, .approve = false, .by = "uid 7"}; }

}  // namespace

TEST_CASE("what differs only in what it says is alike; another place or an unknown member is not") {
  const json::object one{{"text", "a"}, {"repository", "octo/app"}, {"number", 1}};
  const json::object other{{"number", 2}, {"repository", "octo/app"}, {"text", "b"}};
  const auto like = likeness_of("comment", "gh", one);
  CHECK(like.digest == likeness_of("comment", "gh", other).digest);
  CHECK(like.common == json::object{{"repository", "octo/app"}});
  CHECK(like.digest != likeness_of("comment", "other", one).digest);
  CHECK(like.digest != likeness_of("status", "gh", one).digest);
  auto elsewhere = one;
  elsewhere["repository"] = "octo/lib";
  CHECK(like.digest != likeness_of("comment", "gh", elsewhere).digest);
  auto more = one;
  more["to"] = "mallory@example.org";
  CHECK(like.digest != likeness_of("comment", "gh", more).digest);
  auto fewer = one;
  fewer.erase("number");
  CHECK(like.digest != likeness_of("comment", "gh", fewer).digest);
}

TEST_CASE("a proposal ends when [approvals] says, and somebody is told of it") {
  World world;
  const auto proposed = world.asked(comment("hello", "octo/app"));
  CHECK(proposed.state == "proposed");
  CHECK(proposed.expires == noon + 24h);
  const auto told = world.reader()->outbox.in_state("approved", 5);
  REQUIRE(told.size() == 1);
  CHECK(told.front().sink == "out");
  CHECK(told.front().kind == "proposal");
  CHECK(told.front().payload.at("action").as_int64() == proposed.id.value);
  CHECK(told.front().payload.at("text") == "guard proposes: notify to web: hello");
}

TEST_CASE("approve always lets alike ones out, so often and so long, and denies nothing else") {
  World world;
  const auto first = world.asked(comment("one", "octo/app"));
  const auto answered = world.answer(yes(first.id, true));
  REQUIRE(answered.refused.empty());
  CHECK(world.state(first.id) == "approved");
  const auto kept = world.reader()->memory.preference("guard", answered.preference);
  REQUIRE(kept.has_value());
  CHECK(kept->taint == Taint::trusted);
  CHECK(kept->why == "approved always: notify to web with repository octo/app, by uid 7");
  CHECK(world.asked(comment("two", "octo/app")).state == "approved");
  CHECK(world.asked(comment("x", "octo/lib")).state == "proposed");
  CHECK(world.asked(comment("three", "octo/app")).state == "approved");
  CHECK(world.asked(comment("four", "octo/app")).state == "proposed");  // its bound is reached
  CHECK(
      consenting_of(world.reader()->memory.preference("guard", answered.preference)->value)->uses ==
      2);
}

TEST_CASE("a preference ends by time, and forgetting it takes it back") {
  World world;
  const auto first = world.asked(comment("one", "octo/app"));
  const auto key = world.answer(yes(first.id, true)).preference;
  CHECK(world.asked(comment("late", "octo/app"), noon + 48h).state == "proposed");
  CHECK(world.asked(comment("in time", "octo/app"), noon + 47h).state == "approved");
  world.commit([&](storage::Stores& stores) { return stores.memory.forget("guard", key); });
  CHECK(world.asked(comment("after", "octo/app")).state == "proposed");
}

TEST_CASE("what is asked about each time cannot be approved always") {
  World world;
  auto careful = comment("one", "octo/app");
  careful.ask_first = true;
  const auto action = world.asked(careful);
  const auto refused = world.answer(yes(action.id, true));
  CHECK(refused.refused.find("asked about each time") != std::string::npos);
  CHECK(world.state(action.id) == "proposed");
  // Nor does a preference for alike ones cover it.
  const auto other = world.asked(comment("two", "octo/app"));
  CHECK(world.answer(yes(other.id, true)).refused.empty());
  CHECK(world.asked(careful).state == "proposed");
}

TEST_CASE(
    "after a run of approvals the preference is proposed, once, and no is taken for an answer") {
  World world;
  const auto approve_one = [&] {
    const auto action = world.asked(comment("x", "octo/app"));
    REQUIRE(action.state == "proposed");
    return world.answer(yes(action.id));
  };
  CHECK_FALSE(approve_one().proposed);
  CHECK_FALSE(world.answer(no(world.asked(comment("x", "octo/app")).id)).proposed);
  CHECK_FALSE(approve_one().proposed);
  CHECK_FALSE(approve_one().proposed);  // three approvals, but a denial among the last three
  const auto asks = approve_one();
  REQUIRE(asks.proposed);
  const auto proposal = world.reader()->outbox.find(asks.proposed);
  CHECK(proposal->state == "proposed");
  CHECK(proposal->sink == "vigil");
  CHECK(proposal->payload.at("text") ==
        "let the next notify to web with repository octo/app out without asking, up to 2 of them, "
        "until 2026-11-25T12:00:00.000Z: the last 3 were approved");

  SUBCASE("yes") {
    const auto answered = world.answer(yes(asks.proposed));
    CHECK_FALSE(answered.preference.empty());
    CHECK(world.state(asks.proposed) == "delivered");
    CHECK(world.asked(comment("by itself", "octo/app")).state == "approved");
  }
  SUBCASE("no") {
    CHECK(world.answer(no(asks.proposed)).preference.empty());
    CHECK(world.state(asks.proposed) == "denied");
    for (int i = 0; i < 4; ++i) CHECK_FALSE(approve_one().proposed);
  }
}

TEST_CASE("a guardian cannot give itself a preference, nor speak as the daemon") {
  World world;
  auto what = world.decided(world.arrive(world.event("a", "a"), noon).wakes.front());
  const auto likeness = likeness_of("notify", "web", comment("x", "octo/app").payload);
  Consenting consenting;
  consenting.kind = "notify";
  consenting.sink = "web";
  consenting.uses_max = 1000;
  consenting.expires = noon + 1000h;
  what.decision.preferences.push_back(
      {consenting_key(likeness), json::value(to_json(consenting)), "I may"});
  auto forged = action_to("vigil");
  forged.kind = "preference";
  what.decision.actions = {forged};
  const auto committed = world.settle(what);
  CHECK_FALSE(world.reader()->memory.preference("guard", consenting_key(likeness)));
  CHECK(committed.actions_approved + committed.actions_proposed == 0);
  const auto entry = world.reader()->ledger.find(committed.id);
  CHECK(entry->asked.at("refused").as_array().size() == 2);
  CHECK(world.asked(comment("x", "octo/app")).state == "proposed");
}

TEST_CASE("only those named answer by a comment or a chat, in words that are understood whole") {
  World world;
  const auto answers = [&](const std::string& source, const std::string& type,
                           const json::object& data) {
    Event event;
    event.source = source;
    event.type = type;
    event.data = data;
    return answers_in(event, world.inhabitants->settings());
  };
  const auto commented = [&](const std::string& who, const std::string& body,
                             const std::string& source = "forge") {
    return answers(source, "github.issue_comment.created",
                   {{"action", "created"},
                    {"comment", {{"body", body}, {"user", {{"login", who}}}}},
                    {"issue", {{"number", 4}}},
                    {"repository", {{"full_name", "octo/app"}}},
                    {"sender", {{"login", who}}}});
  };
  const auto found = commented("ada", "fine\r\n/approve 12 always\n  /deny 13 not now\n");
  REQUIRE(found.size() == 2);
  CHECK(found[0].action == ActionId{12});
  CHECK((found[0].approve && found[0].always && found[0].by == "github ada"));
  CHECK((!found[1].approve && found[1].note == "not now"));
  CHECK(commented("mallory", "/approve 12").empty());
  CHECK(commented("ada", "/approve 12", "github").empty());  // a source without a secret
  for (const auto* text : {"approve 12", "> /approve 12", "/approve twelve", "/approve 12 please",
                           "/approve -3", "/approve 12x", "/approve", "/approved 12"}) {
    CAPTURE(text);
    CHECK(commented("ada", text).empty());
  }
  const auto chatted = [&](const std::string& who, bool bot, const std::string& text) {
    return answers("chat", "chat.message", {{"user", {{"id", who}}}, {"bot", bot}, {"text", text}});
  };
  CHECK(chatted("U1", false, "approve 12").size() == 1);
  CHECK(chatted("U2", false, "approve 12").empty());
  CHECK(chatted("U1", true, "approve 12").empty());
}

TEST_CASE("a command in an event answers once, with the cursor, and the ledger says by whom") {
  World world;
  const auto action = world.asked(comment("one", "octo/app"));
  const auto event = world.event_of("chat", "chat.message", "m1", "C1",
                                    R"({"user": {"id": "U1"}, "bot": false, "text": "deny )" +
                                        std::to_string(action.id.value) + R"( too loud"})");
  const auto routed = world.arrive(event, noon);
  CHECK(routed.answered);
  CHECK(world.state(action.id) == "denied");
  REQUIRE(routed.wakes.size() == 1);  // its entity is told
  CHECK(world.reader()->wakes.find(routed.wakes.front().id)->kind == "action");
  bool said = false;
  for (const auto& entry : world.reader()->ledger.list("guard", DecisionId{}, 10)) {
    said |= entry.why == fmt::format("slack U1 denied action {}", action.id.value);
  }
  CHECK(said);
  // What is no proposal any more cannot be answered this way.
  const auto late = world.event_of("chat", "chat.message", "m2", "C1",
                                   R"({"user": {"id": "U1"}, "bot": false, "text": "approve )" +
                                       std::to_string(action.id.value) + R"("})");
  CHECK_FALSE(world.arrive(late, noon).answered);
  CHECK(world.state(action.id) == "denied");
}
