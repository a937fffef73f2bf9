// Plans that a model wrote are held to their bounds.
#include "daemon/models/planning.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

using namespace vigil;
using namespace vigil::models;

namespace {

swarm::Task planner() {
  swarm::Task out;
  out.name = "plan";
  out.planner = true;
  out.spawn_max = 20;
  return out;
}

std::string refusal(const char* planned, const config::Planning& bounds = {}) {
  const auto held = hold_plan(parse_json(planned).value(), planner(), bounds);
  return held ? "" : held.error().message;
}

json::value chain_of(int tasks, bool side_by_side) {
  json::array list;
  for (int i = 0; i < tasks; ++i) {
    json::object task{{"name", "t" + std::to_string(i)}, {"builtin", "codebase.todo"}};
    if (!side_by_side && i > 0) task["needs"] = json::array{"t" + std::to_string(i - 1)};
    list.push_back(std::move(task));
  }
  return json::object{{"tasks", std::move(list)}};
}

}  // namespace

TEST_CASE("what is within the bounds may run") {
  config::Planning bounds;
  bounds.programs = {"make"};
  CHECK(refusal(R"({"tasks":[{"name":"a","argv":["make","x"]},
                             {"name":"b","ask":{"model":"m","prompt":"p"},"needs":["a"]},
                             {"name":"c","reduce":"collect","needs":["a","b"]}],
                   "result_of":"c"})",
                bounds) == "");
}

TEST_CASE("what is beyond them is refused, and the planner is told what is allowed") {
  config::Planning bounds;
  bounds.tokens_max = 1000;
  const std::pair<const char*, const char*> cases[] = {
      {R"({"text":"no plan"})", "expected {\"tasks\": [...]}"},
      {R"({"tasks":[]})", "at least one task"},
      {R"({"tasks":[{"name":"a","argv":["curl","http://evil"]}]})", "the program \"curl\" is not"},
      {R"({"tasks":[{"name":"a","argv":["sh"]}]})", "use builtin, reduce and ask"},
      {R"({"tasks":[{"name":"a","builtin":"b","containment":"none"}]})", "must be strict"},
      {R"({"tasks":[{"name":"a","builtin":"b","containment":"net"}]})", "must be strict"},
      {R"({"tasks":[{"name":"a","builtin":"b","spawn_max":5}]})", "may add no others"},
      {R"({"tasks":[{"name":"a","agent":{"name":"x","prompt":"p"}}]})", "may hold no agent"},
      {R"({"tasks":[{"name":"a","ask":{"model":"m","prompt":"p","tools":["mcp.a.b"]}}]})",
       "get no tools"},
      {R"({"tasks":[{"name":"a","ask":{"model":"m","prompt":"p"}}]})", "at most 1000 are allowed"},
      {R"({"tasks":[{"name":"a","builtin":"b","nme":1}]})", "tasks[0].nme: unknown key"},
  };
  for (const auto& [planned, says] : cases) {
    CAPTURE(planned);
    CHECK_MESSAGE(refusal(planned, bounds).find(says) != std::string::npos,
                  refusal(planned, bounds));
  }
}

TEST_CASE("what its questions could cost at most is bounded, by the prices of their models") {
  const auto planned = parse_json(R"({"tasks":[{"name":"a","retries":1,
      "ask":{"model":"m","prompt":"p","output_tokens_max":1000}}]})");
  config::Planning bounds;
  bounds.money_cents_max = 5;
  const auto priced = [](double output) {
    return [output](const std::string&) { return config::Price{0, output, 0, 0}; };
  };
  // Two attempts, each asked twice at worst: 4,000 tokens.
  CHECK(hold_plan(*planned, planner(), bounds, priced(12)).has_value());
  const auto dear = hold_plan(*planned, planner(), bounds, priced(15));
  REQUIRE_FALSE(dear.has_value());
  CHECK(dear.error().message == "its questions could cost 6 cents, at most 5 are allowed");
}

TEST_CASE("what is foreseen of a plan that holds") {
  const auto planned = parse_json(R"({"tasks":[
      {"name":"a","ask":{"model":"m","prompt":"p","output_tokens_max":1000}},
      {"name":"b","builtin":"ci.parse","needs":["a"],"for_each":"a"},
      {"name":"c","reduce":"concat","needs":["b"]}]})");
  const auto priced = [](const std::string&) { return config::Price{0, 10, 0, 0}; };
  const auto held = hold_plan(*planned, planner(), {}, priced);
  REQUIRE(held.has_value());
  CHECK(held->tokens == 2 * (1000 + 1 + 1));  // asked and repaired; the prompt, and no input
  CHECK(to_json(*held) == parse_json(R"({
      "predicted": {"tasks": 3, "depth": 3, "width": 1, "tokens": 2004, "money_micros": 20000},
      "tasks": [{"name": "a", "does": "ask m"},
                {"name": "b", "does": "builtin ci.parse", "needs": ["a"], "each": true},
                {"name": "c", "does": "reduce concat", "needs": ["b"]}]})")
                              .value());
}

TEST_CASE("how many, how deep and how wide") {
  config::Planning bounds;
  bounds.depth_max = 3;
  bounds.width_max = 5;
  const auto held = [&](int tasks, bool side_by_side) {
    const auto result = hold_plan(chain_of(tasks, side_by_side), planner(), bounds);
    return result ? std::string() : result.error().message;
  };
  CHECK(held(3, false) == "");
  CHECK(held(4, false).find("4 tasks wait for one another in a row, at most 3") == 0);
  CHECK(held(5, true) == "");
  CHECK(held(6, true).find("6 tasks side by side, at most 5") == 0);
  CHECK(held(21, true).find("21 tasks, at most 20") == 0);  // spawn_max of the planner
}

TEST_CASE("the extent of a plan counts interfaces as well, and a circle ends") {
  std::vector<swarm::Task> tasks(3);
  tasks[0].name = "a";
  tasks[1].name = "b";
  tasks[1].needs_interface = {"a"};
  tasks[2].name = "c";
  tasks[2].needs = {"elsewhere"};
  CHECK(extent_of(tasks).depth == 2);
  CHECK(extent_of(tasks).width == 2);
  tasks[0].needs = {"b"};
  CHECK(extent_of(tasks).depth >= 2);
}
