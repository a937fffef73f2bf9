#include "entities/rules/filter.hpp"

#include <doctest/doctest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <thread>
#include <vector>

#include "config/load.hpp"

using namespace vigil;
using vigil::entities::Filter;
using vigil::entities::matches_glob;

namespace {

Event sample() {
  Event event;
  event.uid = "d-1";
  event.source = "github";
  event.type = "github.pull_request.opened";
  event.subject = "octo/repo#12";
  event.headers = {{"user-agent", "hook"}};
  event.data = json::parse(R"({"action":"opened","number":12,"ratio":1.5,"draft":false,"none":null,
    "big":9007199254740993,"labels":[{"name":"urgent"},{"name":"ui"}],
    "pull_request":{"base":{"ref":"main"},"title":"Fix it"}})");
  return event;
}

// The match as configuration writes it.
config::Match match_of(const std::string& table) {
  const auto text = "[entity.x]\nkind = \"rules\"\n[[entity.x.on]]\nmatch = " + table +
                    "\n[[entity.x.rule]]\nname = \"r\"\n";
  const auto loaded = config::load_text(text, "t.toml");
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    throw std::runtime_error(mistakes->front().to_text());
  }
  return std::get<config::Loaded>(loaded).settings.entities.at("x").on.at(0).match;
}

bool holds(const std::string& table) {
  return Filter::compile(match_of(table), "").value().matches(sample()).value();
}

Result<bool> lua(const std::string& expression) {
  auto filter = Filter::compile({}, expression);
  if (!filter) return std::unexpected(filter.error());
  return filter->matches(sample());
}

}  // namespace

TEST_CASE("what a forge says can be asked for in words that are the same for all of them") {
  CHECK(
      holds(R"({ "forge.kind" = "pull_request", "forge.target" = "main", "forge.number" = 12 })"));
  CHECK(holds(R"({ "forge.title" = "~^Fix" })"));
  CHECK_FALSE(holds(R"({ "forge.kind" = "push" })"));
  CHECK(lua("event.forge.action == 'opened' and event.forge.draft == nil").value());
}

TEST_CASE("fields match by value and type, lists mean any of") {
  CHECK(holds(R"({ "data.action" = "opened" })"));
  CHECK(holds(R"({ "data.action" = ["closed", "opened"] })"));
  CHECK(holds(R"({ "data.number" = 12 })"));
  CHECK(holds(R"({ "data.ratio" = 1.5 })"));
  CHECK(holds(R"({ "data.draft" = false })"));
  CHECK(holds(R"({ type = "github.pull_request.opened", subject = "octo/repo#12" })"));
  CHECK(holds(R"({ "headers.user-agent" = "hook" })"));
  CHECK(holds(R"({ "data.labels.1.name" = "ui" })"));
  CHECK_FALSE(holds(R"({ "data.number" = "12" })"));
  CHECK_FALSE(holds(R"({ "data.action" = "opene" })"));
  CHECK_FALSE(holds(R"({ "data.missing" = "x" })"));
  CHECK_FALSE(holds(R"({ "data.action" = "opened", "data.number" = 13 })"));
}

TEST_CASE("presence, expressions and nesting") {
  CHECK(holds(R"({ "data.pull_request?" = true })"));
  CHECK(holds(R"({ "data.gone?" = false })"));
  CHECK_FALSE(holds(R"({ "data.none?" = true })"));  // null is not there
  CHECK(holds(R"({ subject = "~^octo/" })"));
  CHECK_FALSE(holds(R"({ subject = "~^other/" })"));
  CHECK_FALSE(holds(R"({ "data.number" = "~1" })"));  // a number is no text
  CHECK(holds(R"({ or = [{ "data.number" = 1 }, { "data.action" = "opened" }] })"));
  CHECK_FALSE(holds(R"({ or = [{ "data.number" = 1 }, { "data.number" = 2 }] })"));
  CHECK_FALSE(holds(R"({ not = { "data.action" = "opened" } })"));
  CHECK(holds(R"({ not = { "data.missing" = 1 } })"));
  CHECK(holds(R"({ and = [{ "data.number" = 12 }, { not = { "data.draft" = true } }] })"));
}

TEST_CASE("a bad expression is told when it is compiled") {
  config::Match match;
  match.fields.push_back({"subject", config::FieldMatch::Test::regex, {json::value("(")}});
  const auto filter = Filter::compile(match, "");
  REQUIRE_FALSE(filter.has_value());
  CHECK(filter.error().message.find("subject") != std::string::npos);
  CHECK_FALSE(Filter::compile({}, "event.type ==").has_value());
}

TEST_CASE("Lua sees the event, and what is missing is nil all the way down") {
  CHECK(lua("event.type == 'github.pull_request.opened'").value());
  CHECK(lua("event.data.number > 10 and event.data.ratio < 2").value());
  CHECK(lua("#event.data.labels == 2 and event.data.labels[2].name == 'ui'").value());
  CHECK(lua("event.data.nope.deeper.still == nil").value());
  CHECK(lua("event.data.big == 9007199254740993").value());
  CHECK(lua("matches(event.subject, '^octo/') and not matches(event.subject, 'x$')").value());
  CHECK(lua("contains(event.data.pull_request.title, 'Fix')").value());
  CHECK(lua("event.subject:upper() == 'OCTO/REPO#12'").value());
  CHECK_FALSE(lua("event.data.draft").value());
  CHECK_FALSE(lua("event.data.labels[9]").value());
}

TEST_CASE("Lua has no way out of its sandbox, and an end to its patience") {
  for (const char* name : {"os",           "io",           "load",          "dofile",
                           "require",      "debug",        "pcall",         "print",
                           "setmetatable", "getmetatable", "rawset",        "collectgarbage",
                           "coroutine",    "string.rep",   "string.format", "string.find",
                           "string.gsub",  "string.dump",  "table.concat",  "math.random"}) {
    CAPTURE(name);
    CHECK(lua(std::string(name) + " == nil").value());
  }
  const auto endless = lua("(function() while true do end end)()");
  REQUIRE_FALSE(endless.has_value());
  CHECK(endless.error().message.find("steps") != std::string::npos);
  CHECK_FALSE(lua("(function() local s = 'xxxxxxxx' while true do s = s .. s end end)()"));
  CHECK_FALSE(lua("(function() local t = {} for i = 1, 1e9 do t[i] = i end end)()"));
  CHECK_FALSE(lua("(function() local function f(n) return 1 + f(n + 1) end return f(1) end)()"));
  CHECK_FALSE(lua("event.data.number.x.y + 1 > 0").has_value());
  CHECK_FALSE(lua("matches('x', '(')").has_value());
  CHECK(lua("1 < 2").value());  // the machine has survived all that
}

TEST_CASE("one filter may be asked from several threads at once") {
  const auto filter = Filter::compile({}, "event.data.number == 12").value();
  std::vector<int> held(4);
  std::vector<std::thread> threads;
  for (auto& count : held) {
    threads.emplace_back([&] {
      const auto event = sample();
      for (int turn = 0; turn < 500; ++turn) count += filter.matches(event).value_or(false) ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(held == std::vector{500, 500, 500, 500});
}

TEST_CASE("a star stands for any run of characters") {
  CHECK(matches_glob("*", ""));
  CHECK(matches_glob("github.*", "github.push"));
  CHECK(matches_glob("*.opened", "github.pull_request.opened"));
  CHECK(matches_glob("a*b*c", "a--b--b--c"));
  CHECK_FALSE(matches_glob("github.*", "gitlab.push"));
  CHECK_FALSE(matches_glob("a*b*c", "a--c--b"));
  CHECK_FALSE(matches_glob("", "x"));
}
