#include "entities/rules/template.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <random>

using namespace vigil;
using vigil::entities::EventView;
using vigil::entities::JsonTemplate;
using vigil::entities::Scope;
using vigil::entities::Template;

namespace {

struct World {
  explicit World(
      const char* data = R"({"n":7,"name":"Ada","list":[1,2],"sly":"{{report.result}}"})") {
    event.subject = "octo/repo#12";
    event.type = "a.b";
    event.data = json::parse(data);
  }
  std::string text(const std::string& source, const json::value* report = nullptr) {
    const EventView view(event);
    return Template::compile(source).value().text(Scope{&view, "the-case", report});
  }
  json::value value(const std::string& source) {
    const EventView view(event);
    const json::value none;
    return Template::compile(source).value().value(Scope{&view, "the-case", &none});
  }
  Event event;
};

}  // namespace

TEST_CASE("holes are filled from the event and the case; what is not there is empty") {
  World world;
  CHECK(world.text("{{event.subject}} by {{event.data.name}}") == "octo/repo#12 by Ada");
  CHECK(world.text("{{ event.data.n }} in {{case.key}}") == "7 in the-case");
  CHECK(world.text("[{{event.data.gone}}]") == "[]");
  CHECK(world.text("{{event.data.gone | default 'nobody'}}") == "nobody");
  CHECK(world.text("{{event.data.list | json}}") == "[1,2]");
  CHECK(world.text("plain } text {") == "plain } text {");
}

TEST_CASE("text is cut between characters") {
  World world(R"({"t":"grüße aus Köln"})");
  CHECK(world.text("{{event.data.t | truncate 4}}") == "grü…");
  CHECK(world.text("{{event.data.t | truncate 3}}") == "gr…");
  CHECK(world.text("{{event.data.t | truncate 100}}") == "grüße aus Köln");
}

TEST_CASE("a text that is one hole keeps the type of its value") {
  World world;
  CHECK(world.value("{{event.data.n}}") == json::value(7));
  CHECK(world.value("{{event.data.list}}") == json::parse("[1,2]"));
  CHECK(world.value("n={{event.data.n}}") == json::value("n=7"));
  CHECK(world.value("{{event.data.gone}}") == json::value(""));
}

TEST_CASE("what fills a hole is never read as a template, in one piece or in several") {
  World world(R"({"a":"x{","b":"{report.result}}","c":"{{event.data.d}}","d":"secret"})");
  const auto report = json::parse(R"({"ok":true,"result":"secret"})");
  CHECK(world.text("{{event.data.a}}{{event.data.b}}", &report) == "x{{report.result}}");
  CHECK(world.text("{{event.data.c}}", &report) == "{{event.data.d}}");
}

TEST_CASE("what the event said is kept for the report, and no more than was asked for") {
  World world(R"({"a":"x{","b":"{ never closed","n":7,"big":[1,{"x":"y"}],"other":"private"})");
  const EventView view(world.event);
  const auto source = Template::compile(
      "{{event.data.a}}{{event.data.b}} {{event.data.n}} {{event.data.big}} {{report.ok}} "
      "{{case.key}}{{event.data.gone | default 'nothing'}}");
  json::object kept;
  source.value().keep(view, kept);
  CHECK(kept.size() == 4);
  const auto report = json::parse(R"({"ok":true})");
  const Scope scope{nullptr, "k", &report, &kept};
  CHECK(source.value().text(scope) == "x{{ never closed 7 [1,{\"x\":\"y\"}] true knothing");
}

TEST_CASE("a value that is kept is bounded, and cut between characters") {
  World world;
  std::string large;
  while (large.size() < 100'000) large += "ü";
  world.event.data = json::object{{"t", "x" + large}, {"l", json::array(50'000, json::value(1))}};
  const EventView view(world.event);
  json::object kept;
  Template::compile("{{event.data.t}}{{event.data.l}}").value().keep(view, kept);
  CHECK(kept.at("data.t").as_string().size() < 66'000);
  CHECK(is_valid_utf8(kept.at("data.t").as_string()));
  CHECK(kept.at("data.l").as_string().size() < 66'000);
}

TEST_CASE("filters may be in any order and their texts hold anything but their own quote") {
  World world;
  CHECK(world.text(R"({{event.data.gone | default "it's | gone }}"}}!)") == "it's | gone }}!");
  CHECK(world.text("{{event.data.gone|truncate 3|default 'none'}}") == "non…");
  CHECK(world.text("{{event.data.gone | default ''}}").empty());
  World apostrophes(R"({"it's":"read"})");
  CHECK(apostrophes.text("{{event.data.it's}} {{event.data.n | default 'on'}}") == "read on");
}

TEST_CASE("what cannot be meant is refused with the hole") {
  for (const char* bad :
       {"{{event.x", "{{other.x}}", "{{}}", "{{event.x | upper}}", "{{event.x | truncate 0}}",
        "{{event.x | truncate x}}", "{{case.other}}", "{{event}}", "{{event.date.x}}",
        "{{report.resutl}}", "{{event.data.x | default nobody}}", "{{event.data.x | default 'a}}",
        "{{event.data.x |}}", "{{event.data.x | json 3}}",
        "{{event.data.x | truncate 99999999999999999999}}"}) {
    CAPTURE(bad);
    const auto compiled = Template::compile(bad);
    REQUIRE_FALSE(compiled.has_value());
    CHECK_FALSE(compiled.error().message.empty());
  }
}

TEST_CASE("all texts of a JSON value are templates") {
  World world;
  const auto shape = JsonTemplate::compile(
      json::parse(R"({"a":"{{event.data.n}}","b":["x {{case.key}}",1,null]})"));
  const EventView view(world.event);
  const json::value none;
  CHECK(shape.value().value(Scope{&view, "k", &none}) ==
        json::parse(R"({"a":7,"b":["x k",1,null]})"));
}

TEST_CASE("any text is taken or refused in words, and text without holes is left as it is") {
  const std::string pieces[] = {"{{",        "}}",       "{",    "}",       "event.data.n",
                                "report.ok", "|",        "json", "default", "truncate",
                                "'",         "\"",       " ",    "7",       "ü",
                                ".",         "case.key", "x",    "\n",      "event",
                                "subject",   "tasks"};
  World world;
  std::mt19937 random(7);
  int taken = 0;
  for (int turn = 0; turn < 20'000; ++turn) {
    std::string text;
    for (auto n = random() % 12; n > 0; --n) text += pieces[random() % std::size(pieces)];
    CAPTURE(text);
    const auto compiled = Template::compile(text);
    if (!compiled) {
      CHECK_FALSE(compiled.error().message.empty());
      continue;
    }
    ++taken;
    const EventView view(world.event);
    const auto filled = compiled->text(Scope{&view, "k"});
    if (!compiled->has_holes()) CHECK(filled == text);
    CHECK(is_valid_utf8(filled));
  }
  CHECK(taken > 1'000);
}
