#include "entities/decision.hpp"

#include <doctest/doctest.h>

#include <boost/json/parse.hpp>

using namespace vigil;
using namespace vigil::entities;
using namespace std::chrono_literals;

namespace {

Decision full() {
  Decision out;
  out.verdict = Verdict::acted;
  out.why = "because";
  out.rule = "the-rule";
  out.state = json::object{{"n", 1}};
  out.close_case = true;
  out.episodes.push_back({"note", "it happened", json::value(7)});
  out.facts.push_back({"color", json::value("green"), 0.5, "told"});
  out.preferences.push_back({"quiet", json::value(true), "asked for"});
  out.documents.push_back({"doc", "Title", "body"});
  out.timers.push_back({"later", parse_rfc3339("2026-11-23T10:15:00Z").value(), json::value("n")});
  out.timers.push_back({"gone", std::nullopt, nullptr});
  Action action;
  action.kind = "comment";
  action.sink = "forge";
  action.payload["text"] = "hello";
  action.sticky_key = "review";
  action.expires = parse_rfc3339("2026-11-24T10:15:00Z").value();
  out.actions.push_back(action);
  swarm::Plan plan;
  plan.title = "look";
  swarm::Task task;
  task.name = "one";
  task.argv = {"/bin/true"};
  plan.tasks.push_back(task);
  out.plans.push_back(plan);
  return out;
}

std::string error_of(const char* text) {
  const auto decision = decision_from_json(json::parse(text));
  return decision ? std::string() : decision.error().message;
}

}  // namespace

TEST_CASE("a decision round trips through JSON") {
  const auto written = to_json(full());
  const auto read = decision_from_json(json::value(written));
  REQUIRE(read.has_value());
  CHECK(to_json(*read) == written);
  CHECK(read->actions.front().expires == full().actions.front().expires);
  CHECK_FALSE(read->timers.back().due.has_value());
}

TEST_CASE("a short answer is enough") {
  const auto read = decision_from_json(json::parse(R"({"why":"nothing new"})"));
  REQUIRE(read.has_value());
  CHECK(read->verdict == Verdict::noted);
  CHECK_FALSE(read->state.has_value());
}

TEST_CASE("what is wrong is named with its path") {
  CHECK(error_of(R"({})").find("why") != std::string::npos);
  CHECK(error_of(R"({"why":""})").find("why") != std::string::npos);
  CHECK(error_of(R"({"why":"x","verdict":"maybe"})").find("verdict") != std::string::npos);
  CHECK(error_of(R"({"why":"x","actions":[{"payload":{}}]})").find("actions[0].sink") !=
        std::string::npos);
  CHECK(error_of(R"({"why":"x","actions":{}})").find("actions") != std::string::npos);
  CHECK(error_of(R"({"why":"x","facts":[{"key":1,"value":2}]})").find("facts[0].key") !=
        std::string::npos);
  CHECK(error_of(R"({"why":"x","timers":[{"name":"t","due":"soon"}]})").find("timers[0].due") !=
        std::string::npos);
  CHECK(
      error_of(R"({"why":"x","plans":[{"title":"p","tasks":[{"name":"a"}]}]})").find("plans[0]") !=
      std::string::npos);
  CHECK_FALSE(error_of(R"([1])").empty());
}

TEST_CASE("a wake says what kind it is, and its JSON tells the rest") {
  Wake wake{"guard", "case", parse_rfc3339("2026-11-23T10:15:00Z").value(), Taint::untrusted,
            TimerDue{"later", parse_rfc3339("2026-11-23T10:00:00Z").value(), json::value("n")}};
  const json::value told = to_json(wake);
  CHECK(kind_of(wake) == "timer");
  CHECK(find_text(told, "timer.name") == "later");
  CHECK(find_text(told, "now") == "2026-11-23T10:15:00.000Z");
  wake.because = ActionSettled{ActionId{3}, "notify", "failed", nullptr, "no route"};
  CHECK(kind_of(wake) == "action");
  CHECK(find_text(json::value(to_json(wake)), "action.outcome") == "failed");
}
