#include "entities/rules/template.hpp"

#include <doctest/doctest.h>

#include <boost/json/parse.hpp>

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

TEST_CASE("holes of a report stay until there is one, and no event can make one") {
  World world;
  const auto first = world.text("{{report.ok}}: {{event.data.sly}}");
  CHECK(first.starts_with("{{report.ok}}: "));
  CHECK(first.find("{{report.result}}") == std::string::npos);
  const auto report = json::parse(R"({"ok":true,"result":"secret"})");
  const auto second = Template::compile(first).value().text(Scope{nullptr, "", &report});
  CHECK(second.starts_with("true: "));
  CHECK(second.find("secret") == std::string::npos);
}

TEST_CASE("what cannot be meant is refused with the hole") {
  for (const char* bad :
       {"{{event.x", "{{other.x}}", "{{}}", "{{event.x | upper}}", "{{event.x | truncate 0}}",
        "{{event.x | truncate x}}", "{{case.other}}"}) {
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
