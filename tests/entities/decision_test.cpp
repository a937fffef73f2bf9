#include "entities/decision.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <random>

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
  action.ask_first = true;
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

// Decisions of any shape, from a seed.
class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  int below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }

  std::string text() {
    static const std::string letters[] = {"a", "Z", " ", "ü", "\"", "\\", "\n", "{{", "😀", "0"};
    std::string out = "x";
    for (int n = below(8); n > 0; --n) out += letters[below(10)];
    return out;
  }
  json::value value(int depth = 0) {
    switch (below(depth > 2 ? 6 : 8)) {
      case 0:
        return nullptr;
      case 1:
        return below(2) == 0;
      case 2:
        return std::int64_t{1} << below(63);
      case 3:
        return static_cast<double>(below(1000)) / 8 + 0.5;
      case 6: {
        json::array out;
        for (int n = below(4); n > 0; --n) out.push_back(value(depth + 1));
        return out;
      }
      case 7:
        return object(depth + 1);
      default:
        return json::value(text());
    }
  }
  json::object object(int depth = 0) {
    json::object out;
    for (int n = below(4); n > 0; --n) out[text()] = value(depth + 1);
    return out;
  }
  TimePoint time() { return TimePoint{std::chrono::milliseconds{below(2'000'000'000)} * 800}; }

  Decision decision() {
    Decision out;
    out.verdict = static_cast<Verdict>(below(3));
    out.why = text();
    if (below(2) == 0) out.rule = text();
    if (below(2) == 0) out.state = object();
    out.close_case = below(2) == 0;
    for (int n = below(3); n > 0; --n) out.episodes.push_back({text(), text(), value()});
    for (int n = below(3); n > 0; --n) {
      out.facts.push_back({text(), value(), static_cast<double>(below(9)) / 8, text()});
    }
    for (int n = below(3); n > 0; --n) out.preferences.push_back({text(), value(), text()});
    for (int n = below(3); n > 0; --n) out.documents.push_back({text(), text(), text()});
    for (int n = below(3); n > 0; --n) out.timers.push_back({text(), time(), value()});
    for (int n = below(3); n > 0; --n) out.timers.push_back({text(), std::nullopt, value()});
    for (int n = below(3); n > 0; --n) {
      out.actions.push_back({text(), text(), object(), text(), time()});
    }
    for (int n = below(2); n > 0; --n) out.plans.push_back(plan());
    return out;
  }

 private:
  swarm::Plan plan() {
    swarm::Plan out;
    out.title = text();
    for (int n = 0; n <= below(4); ++n) {
      swarm::Task task;
      task.name = "t" + std::to_string(n);
      task.argv = {"/bin/echo", text()};
      task.input = value();
      if (n > 0) task.needs = {"t0"};
      task.timeout = std::chrono::seconds{below(100)};
      task.retries = below(3);
      out.tasks.push_back(std::move(task));
    }
    return out;
  }
  std::mt19937 random_;
};

// Every place in a document, for putting something else there.
void places_of(json::value& at, std::vector<json::value*>& out) {
  out.push_back(&at);
  if (auto* list = at.if_array()) {
    for (auto& item : *list) places_of(item, out);
  } else if (auto* object = at.if_object()) {
    for (auto& member : *object) places_of(member.value(), out);
  }
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

TEST_CASE("any decision round trips through JSON text") {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    const auto decision = Dice(seed).decision();
    const auto written = to_json(decision);
    const auto text = vigil::to_text(json::value(written));
    const auto read = decision_from_json(parse_json(text).value());
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
    CHECK(to_json(*read) == written);
    CHECK(read->verdict == decision.verdict);
    CHECK(read->state == decision.state);
    CHECK(read->plans.size() == decision.plans.size());
  }
}

TEST_CASE("a decision with anything in any place is read or refused in words") {
  int refused = 0;
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    Dice dice(seed);
    json::value whole(to_json(full()));
    std::vector<json::value*> places;
    places_of(whole, places);
    *places[static_cast<std::size_t>(dice.below(static_cast<int>(places.size())))] = dice.value();
    const auto read = decision_from_json(whole);
    if (read) {
      CHECK_FALSE(read->why.empty());
      continue;
    }
    ++refused;
    CHECK(read.error().code == ErrorCode::invalid_input);
    CHECK_FALSE(read.error().message.empty());
  }
  CHECK(refused > 200);
}

TEST_CASE("members that are null or not known are left out of account") {
  const auto read = decision_from_json(
      json::parse(R"({"id":7,"why":"x","rule":null,"state":null,"actions":null,"mood":"good"})"));
  REQUIRE(read.has_value());
  CHECK_FALSE(read->state.has_value());
  CHECK(read->actions.empty());
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
  CHECK(error_of(R"({"why":"x","actions":[{"sink":"a"},{"sink":7}]})") ==
        "actions[1].sink: expected text");
  CHECK(error_of(R"({"why":"x","facts":[{"key":"k","value":1,"confidence":7}]})") ==
        "facts[0].confidence: expected a number from 0 to 1");
  CHECK(error_of(R"({"why":" \n"})").starts_with("why: "));
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
