#include <doctest/doctest.h>

#include <boost/json/parse.hpp>

#include "config/load.hpp"
#include "entities/guardian.hpp"
#include "entities/roster.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace std::chrono_literals;

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

class Memory final : public Recollection {
 public:
  json::object state;
  json::object case_state() const override { return state; }
  std::optional<RememberedFact> fact(const std::string&) const override { return std::nullopt; }
  std::vector<RememberedFact> facts(const std::string&, int) const override { return {}; }
  std::vector<RememberedEpisode> episodes(int) const override { return {}; }
  std::vector<Found> search(const std::string&, int) const override { return {}; }
  std::optional<json::value> preference(const std::string&) const override { return std::nullopt; }
  std::vector<RememberedFact> preferences(const std::string&, int) const override { return {}; }
};

config::Entity entity_of(const std::string& text) {
  const auto loaded = config::load_text(text, "t.toml");
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    throw std::runtime_error(mistakes->front().to_text());
  }
  return std::get<config::Loaded>(loaded).settings.entities.begin()->second;
}

struct World {
  std::unique_ptr<Guardian> guardian = make_guardian(entity_of(rules_text)).value();
  Memory memory;

  static EventPtr event(std::int64_t id, const char* data, const char* type = "disk.report") {
    auto out = std::make_shared<Event>();
    out->id = EventId{id};
    out->source = "admin";
    out->type = type;
    out->data = json::parse(data);
    return out;
  }
  Decision ask(decltype(Wake::because) because) {
    const Wake wake{"clerk", "web1", TimePoint{1000s}, Taint::trusted, std::move(because)};
    auto out = guardian->decide(wake, memory);
    // Promise 6: the same wake and the same memory give the same decision.
    CHECK(to_json(guardian->decide(wake, memory)) == to_json(out));
    if (out.state) memory.state = *out.state;
    return out;
  }
  Decision ended(const std::string& title, bool ok, bool cancelled = false) {
    swarm::Report report;
    report.title = title;
    report.ok = ok;
    report.cancelled = cancelled;
    report.error = ok ? "" : "it broke";
    swarm::TaskOutcome task;
    task.name = "largest";
    task.state = ok ? swarm::TaskState::done : swarm::TaskState::failed;
    task.result = json::value("42 /var");
    report.tasks.push_back(task);
    return ask(SwarmEnded{report});
  }
};

std::string text_of(const Action& action) {
  return std::string(action.payload.at("text").as_string());
}

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
