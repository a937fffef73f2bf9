// What a model finds in a change: on added lines alone, each looked at twice, at most so many.
#include "entities/codebase/model_review.hpp"

#include <boost/json/array.hpp>

#include "entities/codebase/analysers.hpp"
#include "entities/codebase/codebase.hpp"
#include "tests/entities/codebase_clone.hpp"

using namespace vigil;
using namespace vigil::entities::codebase;
using testing::Clone;

namespace {

ReviewSetup setup_with(const std::string& model) {
  ReviewSetup setup;
  setup.settings.repository = "/srv/clone";
  setup.analysers = {"codebase.todo"};
  setup.advice.model = model;
  return setup;
}

json::value run(std::string_view analyser, const Clone& clone, json::object inputs,
                json::object input = {}) {
  input["repository"] = clone.path().string();
  auto changes = find_analyser("codebase.changes")->run({"c", input, {}, std::nullopt});
  REQUIRE(changes.has_value());
  inputs["changes"] = *changes;
  const auto result = find_analyser(analyser)->run({"test", input, inputs, std::nullopt});
  REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().message));
  return *result;
}

json::object claim(const char* path, int line, const char* severity) {
  return {{"path", path}, {"line", line}, {"severity", severity}, {"title", "t"}, {"why", "w"}};
}

std::vector<std::string> task_names(const swarm::Plan& plan) {
  std::vector<std::string> out;
  for (const auto& task : plan.tasks) out.push_back(task.name);
  return out;
}

}  // namespace

TEST_CASE("without a model the plan is what it was; with one the review waits for its verdict") {
  const auto without = plan_review(setup_with(""), ForgeEvent{}, "t", {});
  CHECK(task_names(without) == std::vector<std::string>{"changes", "todo", "review"});
  const auto with = plan_review(setup_with("small"), ForgeEvent{}, "t", {});
  CHECK(task_names(with) == std::vector<std::string>{"changes", "todo", "model_lines", "model_find",
                                                     "model_keep", "model_verify", "model",
                                                     "review"});
  CHECK(swarm::validate(with).has_value());
  for (const auto& task : with.tasks) {
    if (task.name.starts_with("model")) CHECK(task.optional);
    if (task.ask) CHECK(task.ask->tainted);
    if (task.ask) CHECK(task.ask->tools.empty());
  }
  CHECK(with.tasks.back().needs == std::vector<std::string>{"changes", "todo", "model"});
  auto other = setup_with("small");
  other.advice.about = {"incident"};
  CHECK_FALSE(asks_a_model(other));
  auto strong = setup_with("small");
  strong.advice.strong = "big";
  const auto second = plan_review(strong, ForgeEvent{}, "t", {});
  CHECK(second.tasks[3].ask->model == "small");
  CHECK(second.tasks[5].ask->model == "big");
}

TEST_CASE("a model is shown added lines with their places, as many as fit") {
  const Clone clone;
  const auto base = clone.commit({{"a.py", "one\n"}});
  const auto head = clone.commit({{"a.py", "one\ntwo\nthree\n"}, {"b.py", "x\n"}});
  const auto lines = run("codebase.model_lines", clone, {}, {{"base", base}, {"head", head}});
  CHECK(lines == "a.py:2: two\na.py:3: three\nb.py:1: x\n");
  const auto cut =
      run("codebase.model_lines", clone, {}, {{"base", base}, {"head", head}, {"bytes_max", 14}});
  CHECK(cut == "a.py:2: two\n(2 more lines are not shown)\n");
}

TEST_CASE("what a model says of lines that were not added is dropped, the rest is bounded") {
  const Clone clone;
  const auto base = clone.commit({{"a.py", "one\n"}});
  const auto head = clone.commit({{"a.py", "one\ntwo\nthree\n"}});
  const json::object said{
      {"findings", json::array{claim("a.py", 1, "high"), claim("a.py", 2, "low"),
                               claim("a.py", 3, "high"), claim("../etc/passwd", 1, "high")}}};
  const auto kept =
      run("codebase.model_keep", clone, {{"model_find", said}}, {{"base", base}, {"head", head}});
  CHECK(find_integer(kept, "elsewhere") == 2);
  const auto& findings = kept.at("findings").as_array();
  REQUIRE(findings.size() == 2);
  CHECK(find_integer(findings[0], "line") == 3);  // the most severe first
  CHECK(find_text(findings[0], "text") == "three");
  const auto one = run("codebase.model_keep", clone, {{"model_find", said}},
                       {{"base", base}, {"head", head}, {"findings_max", 1}});
  CHECK(one.at("findings").as_array().size() == 1);
}

TEST_CASE("only what stood a second look is told, and none of it turns a status red") {
  auto high = claim("a.py", 3, "high");
  high["text"] = "three";
  const json::object inputs{
      {"model_keep",
       json::object{{"findings", json::array{high, claim("a.py", 2, "low"), claim("a.py", 4, "low"),
                                             claim("a.py", 5, "low")}}}},
      {"model_verify", json::array{json::object{{"real", true}, {"confidence", 0.9}},
                                   json::object{{"real", true}, {"confidence", 0.3}},
                                   json::object{{"real", false}, {"confidence", 1.0}}, nullptr}}};
  const auto result = run_model_judge({"model", json::object{{"sure", 0.7}}, inputs, std::nullopt});
  REQUIRE(result.has_value());
  CHECK(find_text(*result, "summary") == "1 of 4 findings of a model stood a second look");
  const auto& findings = result->at("findings").as_array();
  REQUIRE(findings.size() == 1);
  const auto finding = finding_from_json(findings[0]);
  REQUIRE(finding.has_value());
  CHECK(finding->severity == Severity::medium);
  CHECK(finding->line == 3);
  // The same line in other words is the same finding: who called it noise is not told again.
  CHECK(finding->key == finding_key("model", "model", "a.py", "three"));
}
