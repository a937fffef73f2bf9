// Why a price may have moved, as a model says: what cites no news that is there is not told.
#include "entities/market/explanation.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

using namespace vigil;
using namespace vigil::entities::market;

namespace {

json::object item(const char* id, const char* at, const char* title) {
  return {{"id", id}, {"at", at}, {"title", title}, {"link", "https://example.org/"}};
}

const json::object subject{
    {"id", "slump@1"}, {"rule", "slump"}, {"at", "2026-11-23T12:15:00Z"}, {"price", "81700"}};

json::object near(json::array items) {
  return {{"alert", subject}, {"items", std::move(items)}, {"before", "6h"}, {"after", "1h"}};
}

config::Advice advice_of(const std::string& model) {
  config::Advice out;
  out.model = model;
  return out;
}

json::object said(const char* text, json::array items, double confidence) {
  return {{"text", text}, {"items", std::move(items)}, {"confidence", confidence}};
}

std::string told(json::object answer, swarm::TaskState state = swarm::TaskState::done) {
  swarm::TaskOutcome outcome;
  outcome.name = explanation_task;
  outcome.state = state;
  outcome.result = std::move(answer);
  swarm::Report report;
  report.tasks.push_back(std::move(outcome));
  const json::value found{{"news", json::array{item("n1", "2026-11-23T12:03:00Z", "halt"),
                                               item("n2", "2026-11-23T12:04:00Z", "fork")}}};
  return explanation_of(report, found);
}

}  // namespace

TEST_CASE("a model is asked only about news near the move, and only if one is named for it") {
  const json::array items{item("old", "2026-11-22T12:00:00Z", "long ago"),
                          item("n1", "2026-11-23T12:03:00Z", "Exchange halts")};
  swarm::Plan plan;
  ask_for_explanation(advice_of(""), subject, near(items), plan);
  auto other = advice_of("small");
  other.about = {"review"};
  ask_for_explanation(other, subject, near(items), plan);
  ask_for_explanation(advice_of("small"), subject, near({items[0]}), plan);
  CHECK(plan.tasks.empty());

  ask_for_explanation(advice_of("small"), subject, near(items), plan);
  REQUIRE(plan.tasks.size() == 1);
  const auto& task = plan.tasks[0];
  CHECK(task.optional);
  CHECK(task.ask->model == "small");
  CHECK(task.ask->tools.empty());
  CHECK(task.ask->prompt.find("Exchange") == std::string::npos);
  CHECK(find_text(task.input, "news.0.id") == "n1");
  CHECK(find_integer(task.input, "news.0.minutes") == -12);
  CHECK(find_path(task.input, "news.1") == nullptr);
}

TEST_CASE("an explanation is told with the items it cites, or not at all") {
  CHECK(told({{"unknown", false},
              {"explanations",
               json::array{said("The exchange @halted.", json::array{"n1", "n1"}, 0.7),
                           said("A whale sold.", json::array{"n9"}, 0.9),
                           said("Both.", json::array{"n2", "n9"}, 0.9),
                           said("It just did.", json::array{}, 0.9)}}}) ==
        "A model's guess (70 %): The exchange &#64;halted. [n1]\n");
  CHECK(told({{"unknown", true}, {"explanations", json::array{}}}) ==
        "A model finds no reason in the news.\n");
  CHECK(told({{"unknown", false},
              {"explanations", json::array{said("Sure.", json::array{"n9"}, 1.0)}}}) == "");
  CHECK(told({{"unknown", true}}, swarm::TaskState::failed) == "");
}
