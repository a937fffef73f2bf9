// What a model guesses about an incident cites its evidence, or is not told.
#include "entities/ops/hypotheses.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/ops/evidence.hpp"

using namespace vigil;
using namespace vigil::entities::ops;

namespace {

swarm::Plan evidence_plan() {
  swarm::Plan plan;
  plan.title = "evidence 1";
  for (const auto* name : {"journal", "disk"}) {
    swarm::Task task;
    task.name = name;
    task.argv = {"true"};
    task.optional = true;
    plan.tasks.push_back(std::move(task));
  }
  return plan;
}

json::object guess(const char* text, json::array evidence, double confidence) {
  return {{"text", text}, {"evidence", std::move(evidence)}, {"confidence", confidence}};
}

swarm::TaskOutcome done(const char* name, json::value result) {
  swarm::TaskOutcome out;
  out.name = name;
  out.state = swarm::TaskState::done;
  out.result = std::move(result);
  return out;
}

}  // namespace

TEST_CASE("nobody is asked unless a model is named for it") {
  auto plan = evidence_plan();
  config::Advice advice;
  ask_for_hypotheses(advice, Incident{}, plan);
  CHECK(plan.tasks.size() == 2);
  advice.model = "small";
  advice.about = {"review"};
  ask_for_hypotheses(advice, Incident{}, plan);
  CHECK(plan.tasks.size() == 2);
  advice.about = {};
  ask_for_hypotheses(advice, Incident{}, plan);
  REQUIRE(plan.tasks.size() == 3);
  const auto& task = plan.tasks.back();
  CHECK(task.needs == std::vector<std::string>{"journal", "disk"});
  CHECK(task.optional);
  CHECK(task.ask->tainted);
  CHECK(plan.on_failure == swarm::OnFailure::partial);  // it is asked with what there is
  CHECK(swarm::validate(plan).has_value());
}

TEST_CASE("a guess is told with the ids of its evidence; one that cites nothing real is not") {
  swarm::Report report;
  report.tasks = {
      done("journal", "oom"), done("disk", "/ 100%"),
      done("hypotheses",
           json::object{{"unknown", false},
                        {"hypotheses", json::array{guess("the disk is full", {"disk", "E1"}, 0.8),
                                                   guess("aliens", {"radar"}, 0.9)}}})};
  const auto bundle = bundle_of(report, {"it was so on Monday"});
  REQUIRE(bundle.lines.size() == 4);
  CHECK(bundle.lines[0] == "E1 it was so on Monday");
  CHECK(bundle.lines[1].starts_with("E2 journal"));
  CHECK(bundle.lines[2].starts_with("E3 disk"));
  CHECK(bundle.lines[3] == "a model's guess (80 %): the disk is full [E3, E1]");
}

TEST_CASE("unknown is an answer") {
  const auto lines = hypotheses_of(json::object{{"unknown", true}, {"hypotheses", json::array{}}},
                                   {{"disk", "E1"}});
  CHECK(lines == std::vector<std::string>{"a model finds no cause in the evidence"});
}

TEST_CASE("a model that could not be asked is passed over in silence") {
  swarm::Report report;
  report.tasks = {done("journal", "oom")};
  auto failed = done("hypotheses", nullptr);
  failed.state = swarm::TaskState::failed;
  report.tasks.push_back(failed);
  CHECK(bundle_of(report, {}).lines.size() == 1);
}
