// Rules where it gets uncomfortable: text of strangers, swarms that never end, configuration that
// changed meanwhile, mistakes.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "tests/entities/rules_world.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::testing;

namespace {

constexpr const char* head = R"(
[sink.desk]
kind = "log"
[entity.clerk]
kind = "rules"
[[entity.clerk.on]]
source = "admin"
)";

std::string rule(const std::string& keys, const std::string& name = "r") {
  return fmt::format("[[entity.clerk.rule]]\nname = \"{}\"\n{}\n", name, keys);
}
std::string task(const std::string& keys, const std::string& name = "t") {
  return fmt::format("[[entity.clerk.rule.task]]\nname = \"{}\"\n{}\n", name, keys);
}
std::string action(const std::string& keys) {
  return fmt::format("[[entity.clerk.rule.action]]\nsink = \"desk\"\n{}\n", keys);
}

Decision arrived(RulesWorld& world, const char* data, std::int64_t id = 1) {
  return world.ask(EventsArrived{{RulesWorld::event(id, data)}});
}

std::string refusal(const std::string& rules) {
  const auto made = make_guardian(entity_of(head + rules));
  return made ? std::string() : made.error().message;
}

bool says(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("what an event says never becomes an option of a program") {
  RulesWorld world(head + rule("remember = 'seen'") +
                   task("argv = [\"git\", \"show\", \"{{event.data.rev}}\"]"));
  const auto good = arrived(world, R"({"rev":"4f2a"})");
  CHECK(good.plans.front().tasks.front().argv.back() == "4f2a");
  const auto bad = arrived(world, R"({"rev":"--output=/etc/passwd"})", 2);
  CHECK(bad.plans.empty());
  CHECK(bad.verdict == Verdict::noted);
  CHECK(bad.episodes.size() == 1);
  CHECK(says(bad.why, "would begin with '-'"));
  CHECK(says(bad.why, "\"--\""));
  CHECK(world.memory.state.at("waiting").as_object().size() == 1);  // that of the good one
  RulesWorld safe(
      head + rule("") +
      task("argv = [\"grep\", \"--\", \"{{event.data.rev}}\", \"x-{{event.data.rev}}\"]"));
  CHECK(arrived(safe, R"({"rev":"-v"})").plans.front().tasks.front().argv ==
        std::vector<std::string>{"grep", "--", "-v", "x--v"});
}

TEST_CASE("an argument that no program can receive is told, not cut") {
  RulesWorld world(head + rule("") + task("argv = [\"echo\", \"{{event.data.t}}\"]"));
  const auto bad = arrived(world, R"({"t":"a\u0000b"})");
  CHECK(bad.plans.empty());
  CHECK(bad.verdict == Verdict::noted);
  CHECK(says(bad.why, "NUL"));
  CHECK_FALSE(world.memory.state.contains("waiting"));
}

TEST_CASE("no text of a stranger keeps a report from being told, or gets more into it") {
  RulesWorld world(head + rule("") + task("argv = [\"true\"]") +
                   action("on = 'report'\npayload = { text = "
                          "'{{event.data.a}}{{event.data.b}}|{{report.ok}}' }"));
  for (const char* data :
       {R"({"a":"{","b":"{report.tasks | json}}"})", R"({"a":"{{","b":"x"})",
        R"({"a":"{{event.data.secret}}","b":"","secret":"s3cret"})", R"({"a":"}}","b":"{{"})"}) {
    CAPTURE(data);
    const auto begun = arrived(world, data);
    const auto told = world.ended(begun.plans.front().title, true);
    REQUIRE(told.actions.size() == 1);
    const auto said = json::parse(data);
    const auto wanted =
        std::string(said.at("a").as_string()) + std::string(said.at("b").as_string()) + "|true";
    CHECK(text_of(told.actions.front()) == wanted);
  }
}

TEST_CASE("a report keeps its types where a text is one hole") {
  RulesWorld world(head + rule("") + task("argv = [\"true\"]", "largest") +
                   action("on = 'ok'\npayload = { n = '{{event.data.n}}', ok = '{{report.ok}}', "
                          "tasks = '{{report.tasks_failed}}', text = 'of {{case.key}}' }"));
  const auto begun = arrived(world, R"({"n":12})");
  const auto told = world.ended(begun.plans.front().title, true);
  REQUIRE(told.actions.size() == 1);
  CHECK(told.actions.front().payload ==
        json::parse(R"({"n":12,"ok":true,"tasks":[],"text":"of web1"})").as_object());
  CHECK(says(told.why, "notify to desk"));
}

TEST_CASE("one event that comes again has a swarm and a report of its own") {
  RulesWorld world(head + rule("") + task("argv = [\"true\"]") +
                   action("on = 'ok'\npayload = { text = 'n={{event.data.n}}' }"));
  const auto first = arrived(world, R"({"n":1})", 7);
  const auto again = arrived(world, R"({"n":2})", 7);
  CHECK(first.plans.front().title != again.plans.front().title);
  CHECK(text_of(world.ended(first.plans.front().title, true).actions.at(0)) == "n=1");
  CHECK(text_of(world.ended(again.plans.front().title, true).actions.at(0)) == "n=2");
}

TEST_CASE("swarms that never end are forgotten, the oldest first, and the newest still told") {
  RulesWorld world(head + rule("") + task("argv = [\"true\"]") +
                   action("on = 'ok'\npayload = { text = 'n={{event.data.n}}' }"));
  std::string last;
  for (int n = 1; n <= 250; ++n) {
    last = arrived(world, fmt::format(R"({{"n":{}}})", n).c_str(), n).plans.front().title;
  }
  CHECK(world.memory.state.at("waiting").as_object().size() == 100);
  CHECK(text_of(world.ended(last, true).actions.at(0)) == "n=250");
  const auto oldest = world.ended("r #1", true);
  CHECK(oldest.actions.empty());
  CHECK(oldest.rule == "r");
}

TEST_CASE("a rule that is gone when its swarm ends is said to be gone") {
  const auto with_task = rule("", "old") + task("argv = [\"true\"]") +
                         action("on = 'ok'\npayload = { text = 'done' }");
  RulesWorld world(head + with_task);
  const auto title = arrived(world, "{}").plans.front().title;
  RulesWorld changed(head + rule("", "new"));
  changed.memory.state = world.memory.state;
  const auto ended = changed.ended(title, true);
  CHECK(ended.actions.empty());
  CHECK(says(ended.why, "no such rule"));
  CHECK_FALSE(changed.memory.state.contains("waiting"));
}

TEST_CASE("a state that is not ours is survived") {
  RulesWorld world(head + rule("") + task("argv = [\"true\"]"));
  world.memory.state = json::parse(R"({"waiting":7,"events":"many"})").as_object();
  CHECK(arrived(world, "{}").plans.size() == 1);
  world.memory.state = json::parse(R"({"waiting":{"r #9":[1]}})").as_object();
  CHECK(world.ended("r #9", true).actions.empty());
  world.memory.state = json::parse(R"({"waiting":{"r #9":{"rule":1,"event":2}}})").as_object();
  CHECK(world.ended("r #9", true).actions.empty());
}

TEST_CASE("a condition that fails is named, and the next rule is asked") {
  RulesWorld world(head + rule("when = \"event.data.n > 5\"", "strict") +
                   rule("remember = 'x'", "rest"));
  const auto decision = arrived(world, R"({"n":"many"})");
  CHECK(decision.rule == "rest");
  CHECK(says(decision.why, "rule 'strict': Lua: when:1:"));
}

TEST_CASE("a rule of nothing says that the event does not matter") {
  RulesWorld world(head + rule("match = { \"data.bot\" = true }", "bots") + rule("remember = 'x'"));
  const auto decision = arrived(world, R"({"bot":true})");
  CHECK(decision.verdict == Verdict::noted);
  CHECK(decision.rule == "bots");
  CHECK(decision.episodes.empty());
}

TEST_CASE("a plan lives as long as its tasks may take") {
  RulesWorld world(head + rule("") + task("argv = [\"true\"]\ntimeout = \"2h\"\nretries = 2", "a") +
                   task("argv = [\"true\"]\ntimeout = \"1h\"\nneeds = [\"a\"]", "b"));
  const auto plan = arrived(world, "{}").plans.front();
  CHECK(plan.timeout >= std::chrono::hours{7});
  CHECK(swarm::validate(plan).has_value());
  RulesWorld quick(head + rule("") + task("argv = [\"true\"]\ntimeout = \"1s\""));
  CHECK(arrived(quick, "{}").plans.front().timeout == swarm::Plan{}.timeout);
}

TEST_CASE("keys of cases are bounded, and long ones are told apart") {
  RulesWorld world(std::string(head) + rule("remember = 'x'"));
  const auto key_of = [&](const std::string& subject) {
    Event event;
    event.type = "a.b";
    event.subject = subject;
    return world.guardian->interest(event).case_key;
  };
  std::string umlauts;
  for (int n = 0; n < 400; ++n) umlauts += "ü";
  CHECK(key_of("short") == "short");
  CHECK(key_of(std::string(400, 'x')) == std::string(400, 'x'));
  CHECK(key_of(umlauts + "1") != key_of(umlauts + "2"));
  CHECK(key_of("bad \xff") != key_of("bad \xfe"));
  for (const auto& long_one : {umlauts, "x" + umlauts, std::string(5000, '\xff')}) {
    CHECK(key_of(long_one).size() <= 400);
    CHECK(is_valid_utf8(key_of(long_one)));
  }
}

TEST_CASE("feedback about a case is kept apart from that about an action") {
  RulesWorld world(std::string(head) + rule("remember = 'x'"));
  const auto heard = world.ask(FeedbackGiven{ActionId{}, "useful", "", nullptr});
  CHECK(says(heard.why, "this case"));
  CHECK(heard.preferences.front().key == "feedback:case:web1");
  CHECK(world.ask(TimerDue{"t", TimePoint{}, nullptr}).verdict == Verdict::ignored);
}

TEST_CASE("what can be known beforehand is told when the configuration is taken") {
  CHECK(says(refusal(rule("remember = '{{report.ok}}'")), "no report yet"));
  CHECK(says(refusal(rule("") + action("payload = { t = 'x {{report.ok}}' }")), "no report yet"));
  CHECK(says(refusal(rule("") + task("argv = [\"a\", \"{{report.ok}}\"]")), "no report yet"));
  CHECK(says(refusal(rule("") + task("argv = [\"a\"]\ninput = { a = [\"{{report.ok}}\"] }")),
             "no report yet"));
  CHECK(says(refusal(rule("") + task("builtin = \"codebase.secretz\"")), "vigil-task list"));
  CHECK(refusal(rule("") + task("builtin = \"codebase.secrets\"")).empty());
  CHECK(says(refusal(rule("remember = '{{event.action}}'")), "data.action"));
  const auto key = [](const std::string& text) {
    auto entity = entity_of(head + rule("remember = 'x'"));
    std::get<config::Rules>(entity.of).case_key = text;
    const auto made = make_guardian(entity);
    return made ? std::string() : made.error().message;
  };
  CHECK(says(key("{{case.key}}"), "case_key: "));
  CHECK(says(key("{{report.ok}}"), "case_key: "));
  CHECK(says(key("{{event.data.x"), "case_key: "));
  CHECK(key("all").empty());
}

TEST_CASE("real payloads go through rules that look everywhere") {
  namespace fs = std::filesystem;
  const fs::path folder = source_dir() + "/../shared/data/webhooks";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: no collection of payloads at ../shared/data/webhooks");
    return;
  }
  RulesWorld world(
      head +
      rule("match = { or = [{ \"data.action\" = \"~^(opened|created)$\" }, { \"data.ref?\" = "
           "true }] }\nwhen = '''\nlocal n = 0\nfor name, value in pairs(event.data) do\n  if "
           "matches(name, 'e') then n = n + 1 end\nend\nreturn n > 1'''\nremember = '"
           "{{event.data.action | default \"none\"}} {{event.data | json | truncate 200}}'"));
  int seen = 0;
  int matched = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".json" || entry.file_size() > 1'000'000) continue;
    std::ifstream file(entry.path());
    const auto data = parse_json(std::string{std::istreambuf_iterator<char>(file), {}});
    if (!data) continue;
    CAPTURE(entry.path().string());
    auto event = std::make_shared<Event>();
    event->type = "real";
    event->data = *data;
    CHECK(world.guardian->interest(*event).relevant);
    const auto decision = world.ask(EventsArrived{{event}});
    CHECK_FALSE(decision.why.empty());
    if (!decision.episodes.empty()) CHECK(is_valid_utf8(decision.episodes.front().text));
    matched += decision.verdict == Verdict::noted ? 1 : 0;
    ++seen;
  }
  MESSAGE(seen << " payloads, " << matched << " matched");
  CHECK(seen > 100);
  CHECK(matched > 10);
  CHECK(matched < seen);
}
