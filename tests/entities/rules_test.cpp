#include <doctest/doctest.h>

#include "tests/entities/rules_world.hpp"

using namespace vigil;
using namespace vigil::testing;

namespace {

constexpr const char* rules_text = R"(
[sink.desk]
kind = "log"
[entity.clerk]
kind = "rules"
case_key = "{{event.data.host}}"
[[entity.clerk.on]]
source = "admin"
[[entity.clerk.rule]]
name = "full"
match = { type = "disk.report" }
when = "event.data.percent >= 90"
remember = "{{event.data.host}} is {{event.data.percent}} % full"
[[entity.clerk.rule.task]]
name = "largest"
argv = ["du", "-s", "{{event.data.path}}"]
input = { path = "{{event.data.path}}", percent = "{{event.data.percent}}" }
[[entity.clerk.rule.action]]
sink = "desk"
on = "event"
payload = { text = "looking at {{case.key}}" }
[[entity.clerk.rule.action]]
sink = "desk"
on = "ok"
payload = { text = "{{event.data.host}}: {{report.tasks.largest.result}}" }
[[entity.clerk.rule.action]]
sink = "desk"
on = "failed"
payload = { text = "{{event.data.host}}: {{report.error}}" }
[[entity.clerk.rule]]
name = "any"
match = { type = "disk.report" }
remember = "fine"
)";

struct World : RulesWorld {
  World() : RulesWorld(rules_text) {}
};

}  // namespace

TEST_CASE("the first rule that matches decides") {
  World world;
  const auto full = world.ask(
      EventsArrived{{World::event(1, R"({"host":"web1","percent":95,"path":"/var; rm"})")}});
  CHECK(full.verdict == Verdict::acted);
  CHECK(full.rule == "full");
  REQUIRE(full.plans.size() == 1);
  const auto& task = full.plans.front().tasks.front();
  CHECK(task.argv == std::vector<std::string>{"du", "-s", "/var; rm"});  // one argument, no shell
  CHECK(find_integer(task.input, "percent") == 95);
  CHECK(full.episodes.front().text == "web1 is 95 % full");
  REQUIRE(full.actions.size() == 1);
  CHECK(text_of(full.actions.front()) == "looking at web1");
  const auto fine = world.ask(EventsArrived{{World::event(2, R"({"host":"web1","percent":5})")}});
  CHECK(fine.verdict == Verdict::noted);
  CHECK(fine.rule == "any");
  const auto other =
      world.ask(EventsArrived{{World::event(3, R"({"host":"web1"})", "cpu.report")}});
  CHECK(other.verdict == Verdict::ignored);
  CHECK(other.why.find("none of 2 rules") != std::string::npos);
  CHECK_FALSE(other.state.has_value());
}

TEST_CASE("what waits for the swarm is done when it ends, for each swarm its own") {
  World world;
  const auto first =
      world.ask(EventsArrived{{World::event(1, R"({"host":"web1","percent":95,"path":"/var"})")}});
  const auto second =
      world.ask(EventsArrived{{World::event(2, R"({"host":"web1","percent":99,"path":"/srv"})")}});
  CHECK(first.plans.front().title != second.plans.front().title);
  const auto failed = world.ended(second.plans.front().title, false);
  REQUIRE(failed.actions.size() == 1);
  CHECK(text_of(failed.actions.front()) == "web1: it broke");
  const auto ok = world.ended(first.plans.front().title, true);
  REQUIRE(ok.actions.size() == 1);
  CHECK(text_of(ok.actions.front()) == "web1: 42 /var");
  CHECK_FALSE(world.memory.state.contains("waiting"));
  CHECK(world.ended(first.plans.front().title, true).actions.empty());
}

TEST_CASE("a cancelled swarm is noted and nothing follows") {
  World world;
  const auto begun =
      world.ask(EventsArrived{{World::event(1, R"({"host":"web1","percent":95,"path":"/var"})")}});
  const auto ended = world.ended(begun.plans.front().title, false, true);
  CHECK(ended.verdict == Verdict::noted);
  CHECK(ended.actions.empty());
}

TEST_CASE("events that were gathered are decided together, each by its rule") {
  World world;
  const auto both =
      world.ask(EventsArrived{{World::event(1, R"({"host":"web1","percent":95,"path":"/var"})"),
                               World::event(2, R"({"host":"web1","percent":5})")}});
  CHECK(both.plans.size() == 1);
  CHECK(both.episodes.size() == 2);
  CHECK(both.why.find("2 events together") != std::string::npos);
  CHECK(world.memory.state.at("events").as_int64() == 2);
}

TEST_CASE("an event belongs to the case its key names, or to that of its type") {
  World world;
  CHECK(world.guardian->interest(*World::event(1, R"({"host":"web1"})")).case_key == "web1");
  CHECK(world.guardian->interest(*World::event(1, R"({})")).case_key == "disk.report");
}

TEST_CASE("what became of an action and what a person thought of it are remembered") {
  World world;
  const auto failed =
      world.ask(ActionSettled{ActionId{3}, "notify", "failed", nullptr, "no route"});
  CHECK(failed.why.find("no route") != std::string::npos);
  CHECK(failed.episodes.size() == 1);
  const auto heard = world.ask(FeedbackGiven{ActionId{3}, "noise", "too often", nullptr});
  REQUIRE(heard.preferences.size() == 1);
  CHECK(heard.preferences.front().value == json::value("noise"));
}

TEST_CASE("mistakes in rules are told with the rule when the configuration is taken") {
  const auto refused = [](const std::string& from, const std::string& to) {
    std::string text = rules_text;
    text.replace(text.find(from), from.size(), to);
    const auto made = make_guardian(entity_of(text));
    return made ? std::string() : made.error().message;
  };
  CHECK(refused("event.data.percent >= 90", "event.data.percent >=").find("full") !=
        std::string::npos);
  CHECK(refused("{{report.error}}", "{{reprot.error}}").find("reprot") != std::string::npos);
}
