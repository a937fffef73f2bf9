#include "daemon/runtime/planned.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "daemon/runtime/swarm_rows.hpp"
#include "tests/support/store_world.hpp"

using namespace vigil;
using namespace vigil::runtime;
using namespace std::chrono_literals;
using vigil::testing::StoreWorld;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

json::object foreseen() {
  return parse_json(R"({"prefix": "plan/",
      "predicted": {"tasks": 2, "depth": 2, "width": 1, "tokens": 1000, "money_micros": 50},
      "tasks": [{"name": "look", "does": "ask small"},
                {"name": "sum", "does": "reduce concat", "needs": ["look"]}]})")
      ->as_object();
}

swarm::Report report_of(swarm::TaskState end) {
  swarm::Report report;
  report.tasks.resize(3);
  report.tasks[0].name = "plan";
  report.tasks[0].state = end;
  report.tasks[1].name = "plan/look";
  report.tasks[1].state = end;
  report.tasks[1].attempts = 1;
  report.tasks[1].started = noon;
  report.tasks[1].took = 4s;
  report.tasks[1].cost = {{"tokens", 321}, {"money_micros", 12}};
  report.tasks[2].name = "plan/sum";
  report.tasks[2].state = swarm::TaskState::skipped;
  if (end == swarm::TaskState::failed) {
    report.tasks[0].error = "spawned task 'plan/look' failed: no answer";
    report.tasks[1].error = "no answer";
  }
  return report;
}

swarm::Plan planner(bool tainted, json::value input) {
  auto ask = std::make_shared<swarm::Ask>();
  ask->model = "small";
  ask->prompt = "Plan it.";
  ask->tainted = tainted;
  swarm::Plan plan;
  plan.tasks.resize(1);
  plan.tasks[0].name = "plan";
  plan.tasks[0].planner = true;
  plan.tasks[0].ask = std::move(ask);
  plan.tasks[0].input = std::move(input);
  return plan;
}

std::string shown_in(const swarm::Plan& plan) {
  const auto* shown = plan.tasks[0].input.as_object().if_contains("earlier plans");
  return shown == nullptr ? "" : std::string(shown->as_string());
}

struct World : StoreWorld {
  SwarmId end_one(TimePoint at, swarm::TaskState end = swarm::TaskState::done) {
    return commit([&](storage::Stores& stores) {
      storage::Swarm swarm;
      swarm.entity = "guard";
      swarm.state = "running";
      swarm.case_id = stores.cases.open("guard", "one", at).id;
      swarm.id = stores.swarms.add(swarm);
      storage::put_planned(stores.database(), swarm.id, "plan", foreseen());
      auto report = report_of(end);
      report.swarm = swarm.id;
      (void)commit_end(stores, swarm, report, {"guard"}, at);
      return swarm.id;
    });
  }
  swarm::Plan shown(swarm::Plan plan, int examples) {
    const auto stores = reader();
    show_earlier_plans(plan, *stores, "guard", examples);
    return plan;
  }
};

}  // namespace

TEST_CASE("what came of a plan stands beside what was predicted, with what failed and why") {
  const auto note = what_came(foreseen(), "plan", report_of(swarm::TaskState::failed));
  const json::value all(note);
  CHECK(find_integer(all, "predicted.tokens") == 1000);
  CHECK(note.at("actual") ==
        parse_json(R"({"tasks": 1, "done": 0, "failed": 1, "width": 1, "wall_us": 4000000,
                       "critical_path_us": 4000000, "tokens": 321, "money_micros": 12})")
            .value());
  CHECK(find_bool(all, "ok") == false);
  CHECK(find_text(all, "why") == "spawned task 'plan/look' failed: no answer");
  CHECK(find_text(all, "failed.0.name") == "look");
  CHECK(find_text(all, "failed.0.why") == "no answer");
}

TEST_CASE("the end of a swarm settles its plans, and the next planner is shown the last of them") {
  World world;
  (void)world.end_one(noon);
  const auto failed = world.end_one(noon + 1h, swarm::TaskState::failed);
  CHECK(find_bool(storage::planned_in(world.reader()->database(), failed)[0].note, "ok") == false);
  const auto plan = world.shown(planner(true, json::object{{"goal", "mend"}}), 3);
  CHECK(find_text(plan.tasks[0].input, "goal") == "mend");
  const auto text = shown_in(plan);
  CHECK(text ==
        R"j({"ended":"2026-11-23T13:00:00.000Z","ok":false,)j"
        R"j("predicted":{"tasks":2,"depth":2,"width":1,"tokens":1000,"money_micros":50,)j"
        R"j("critical_path_us":4000000,"unseen":1},)j"
        R"j("actual":{"tasks":1,"done":0,"failed":1,"width":1,"critical_path_us":4000000,)j"
        R"j("wall_us":4000000,"tokens":321,"money_micros":12},"failed":["look: no answer"],)j"
        R"j("tasks":["look (ask small)","sum (reduce concat) <- look"]})j"
        "\n" +
            text.substr(text.find('\n') + 1));
  CHECK(std::ranges::count(text, '\n') == 2);
  CHECK(text.substr(text.find('\n')).find("unseen") == std::string::npos);  // of the first: nothing
  CHECK(plan.tasks[0].ask->prompt.starts_with("Plan it.\n\nThe block of earlier plans"));
  CHECK(std::ranges::count(shown_in(world.shown(planner(true, nullptr), 1)), '\n') == 1);
}

TEST_CASE("none are shown when none are wanted, or none ended; other input stays what it is") {
  World world;
  CHECK(world.shown(planner(true, "text"), 3).tasks[0].input == json::value("text"));
  (void)world.end_one(noon);
  CHECK(world.shown(planner(true, "text"), 0).tasks[0].input == json::value("text"));
  const auto plan = world.shown(planner(true, "text"), 3);
  CHECK(find_text(plan.tasks[0].input, "input") == "text");
  auto other = planner(true, json::object());
  other.tasks[0].name = "another";
  CHECK(shown_in(world.shown(std::move(other), 3)).empty());
}

TEST_CASE("a planner that strangers had no part in is shown numbers alone") {
  World world;
  (void)world.end_one(noon, swarm::TaskState::failed);
  const auto plan = world.shown(planner(false, json::object()), 3);
  CHECK_FALSE(plan.tasks[0].ask->tainted);
  const auto text = shown_in(plan);
  CHECK(text.find("\"tokens\":321") != std::string::npos);
  CHECK(text.find("look") == std::string::npos);
  CHECK(text.find("no answer") == std::string::npos);
}

TEST_CASE("an earlier plan takes no more room than it may, however much there is to say") {
  storage::Planned planned;
  auto note = what_came(foreseen(), "plan", report_of(swarm::TaskState::failed));
  json::array many;
  for (int i = 0; i < 500; ++i) {
    many.push_back(json::object{{"name", std::string(90, 'n')}, {"why", std::string(299, 'w')}});
  }
  note["failed"] = note["tasks"] = many;
  planned.note = std::move(note);
  const auto text = shown_plan(planned, Words::shown);
  CHECK(text.size() <= shown_plan_bytes_max);
  CHECK(text.size() > shown_plan_bytes_max / 2);
  CHECK(parse_json(text).has_value());
}
