#include <doctest/doctest.h>

#include <fstream>

#include "daemon/admin/views.hpp"
#include "tests/daemon/admin/world.hpp"

using namespace vigil;
using testing::AdminWorld;
using testing::Told;

namespace {

const std::string clerk = R"(
[swarm]
memory_bytes_max = 100_000_000_000_000
[entity.clerk]
kind = "rules"
[[entity.clerk.on]]
source = "*"
types = ["note.*"]
[[entity.clerk.rule]]
name = "write-down"
remember = "note"
)";

Told run(AdminWorld& world, const std::string& plan, const std::string& entity = "clerk") {
  return world.ask("POST", "/v1/swarms",
                   R"({"entity": ")" + entity + R"(", "plan": )" + plan + "}");
}

std::string shell(const std::string& name, const std::string& script,
                  const std::string& more = "") {
  const json::value argv{"/bin/sh", "-c", script};
  return R"({"name": ")" + name + R"(", "containment": "none", "argv": )" + to_text(argv) + more +
         "}";
}

double real_at(const json::value& value, std::string_view path) {
  const auto* found = find_path(value, path);
  REQUIRE(found != nullptr);
  REQUIRE(found->is_number());
  return found->to_number<double>();
}

bool says(const Told& told, std::string_view part) {
  CAPTURE(told.response.body);
  const auto error = find_text(told.body, "error");
  const auto hint = find_text(told.body, "hint");
  REQUIRE(error);
  REQUIRE(hint);
  CHECK(!hint->empty());
  return error->find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("a plan by hand runs, its answers can be read and the trend counts it") {
  AdminWorld world(clerk);
  auto told = world.get("/v1/swarms/trend");
  CHECK(told.status == 200);
  CHECK(find_path(told.body, "by_day")->as_array().empty());
  CHECK(find_integer(told.body, "total.swarms") == 0);
  told = run(world, R"({"title": "two", "tasks": [)" + shell("one", "echo 41") + "," +
                        shell("two", "echo deep", R"(, "needs": ["one"])") + "]}");
  CAPTURE(told.response.body);
  REQUIRE(told.status == 202);
  CHECK(find_integer(told.body, "tasks") == 2);
  const auto path = "/v1/swarms/" + std::to_string(find_integer(told.body, "id").value_or(0));
  world.settle();
  told = world.get(path + "?results=yes");
  CAPTURE(told.response.body);
  CHECK(find_text(told.body, "state") == "done");
  CHECK(find_text(told.body, "case_key") == "by-hand");
  CHECK(find_integer(told.body, "tasks.0.result") == 41);
  CHECK(find_bool(told.body, "tasks.0.critical") == true);
  CHECK(find_path(told.body, "tasks.0.learned_us") == nullptr);
  CHECK(find_path(world.get(path).body, "tasks.0.result") == nullptr);
  told = world.get("/v1/swarms");
  CHECK(find_integer(told.body, "swarms.0.tasks_planned") == 2);
  CHECK(find_integer(told.body, "swarms.0.wall_us").value_or(0) > 0);
  CHECK(real_at(told.body, "swarms.0.speedup") > 0);
  told = world.get("/v1/swarms/trend?entity=clerk&days=2");
  CAPTURE(told.response.body);
  REQUIRE(find_path(told.body, "by_day")->as_array().size() == 1);
  CHECK(find_integer(told.body, "total.swarms") == 1);
  CHECK(find_integer(told.body, "total.done") == 2);
  CHECK(real_at(told.body, "total.correctness") == 1.0);
  const auto product = real_at(told.body, "by_day.0.speed") *
                       real_at(told.body, "by_day.0.correctness") *
                       real_at(told.body, "by_day.0.parallelism");
  CHECK(product == doctest::Approx(real_at(told.body, "by_day.0.right_per_second")));
  CHECK(find_bool(told.body, "cut") == false);
}

TEST_CASE("a plan that cannot run is refused with its place, and nothing runs") {
  AdminWorld world(clerk);
  CHECK(says(world.ask("POST", "/v1/swarms", "{"), ""));
  CHECK(says(world.ask("POST", "/v1/swarms", "[]"), "not a JSON object"));
  CHECK(says(world.ask("POST", "/v1/swarms", R"({"plan": {"tasks": []}})"), "entity is missing"));
  CHECK(says(world.ask("POST", "/v1/swarms", R"({"entity": "clerk"})"), "plan is missing"));
  CHECK(says(world.ask("POST", "/v1/swarms", R"({"entity": 5, "plan": {}})"), "entity"));
  CHECK(says(run(world, "5"), "expected an object"));
  CHECK(says(run(world, "{}"), "a plan is made of tasks"));
  CHECK(says(run(world, R"({"tasks": [{"name": "a", "argv": ["x"], "retires": 2}]})"),
             "plan.tasks[0].retires"));
  CHECK(says(run(world, R"({"tasks": [{"name": "a", "argv": ["x"], "needs": ["a"]}]})"), "a"));
  const auto nobody = run(world, R"({"tasks": [{"name": "a", "argv": ["x"]}]})", "nobody");
  CHECK(nobody.status == 404);
  CHECK(says(nobody, "nobody"));
  CHECK(find_path(world.get("/v1/swarms").body, "swarms")->as_array().empty());
}

TEST_CASE("the door takes large plans, and only there") {
  AdminWorld world(clerk);
  ingress::Request head;
  head.method = "POST";
  head.peer.uid = 1000;
  head.target = "/v1/swarms";
  CHECK(world.check_head(head).body_bytes_max == 32 * 1024 * 1024);
  head.target = "/v1/swarms/1/cancel";
  CHECK(world.check_head(head).body_bytes_max == 1024 * 1024);
}

TEST_CASE("the trend is asked for with days that can be") {
  AdminWorld world(clerk);
  for (const auto* days : {"0", "367", "-1", "x", "1.5"}) {
    const auto told = world.get(std::string("/v1/swarms/trend?days=") + days);
    CHECK(told.status == 400);
    CHECK(says(told, "366"));
  }
  CHECK(world.get("/v1/swarms/trend?entity=nobody").status == 404);
  CHECK(world.get("/v1/swarms/trend?entity=clerk").status == 200);
}

TEST_CASE("a failed task is counted, and says how long it should take") {
  AdminWorld world(clerk);
  const auto marker = (world.path() / "fail").string();
  const auto plan =
      R"({"tasks": [)" + shell("odd", "! test -e " + marker) + "," + shell("even", "true") + "]}";
  REQUIRE(run(world, plan).status == 202);
  world.settle();
  std::ofstream(marker) << "now";
  const auto second = run(world, plan);
  REQUIRE(second.status == 202);
  world.settle();
  const auto told =
      world.get("/v1/swarms/" + std::to_string(find_integer(second.body, "id").value_or(0)));
  CAPTURE(told.response.body);
  CHECK(find_text(told.body, "state") == "failed");
  CHECK(find_integer(told.body, "tasks.0.learned_us").value_or(0) > 0);
  CHECK(find_path(told.body, "tasks.1.learned_us") == nullptr);
  CHECK(find_text(told.body, "report.text")->find("1 of 2 tasks done") != std::string_view::npos);
  const auto trend = world.get("/v1/swarms/trend");
  CHECK(find_integer(trend.body, "total.swarms") == 2);
  CHECK(find_integer(trend.body, "total.ok") == 1);
  CHECK(find_integer(trend.body, "total.tasks") == 4);
}

TEST_CASE("what only some tasks have is shown where they have it") {
  storage::Swarm swarm;
  swarm.plan = json::object{
      {"tasks", json::array{json::object{{"name", "api"}}, json::object{{"name", "each/7"}}}}};
  storage::SwarmTask row;
  row.name = "api";
  swarm::TaskOutcome outcome;
  outcome.name = "api";
  outcome.state = swarm::TaskState::done;
  outcome.parent = "root";
  outcome.interface_after = Duration{5};
  outcome.critical = true;
  outcome.saved = Duration{9};
  outcome.cost = {{"tokens", 12}};
  row.outcome = swarm::to_json(outcome);
  const auto tasks = admin::tasks_of(swarm, {row}, admin::Results::hidden,
                                     {{"each/", Duration{77}}, {"api", Duration{1}}});
  const json::value view(tasks);
  CHECK(find_text(view, "0.parent") == "root");
  CHECK(find_integer(view, "0.interface_after_us") == 5);
  CHECK(find_bool(view, "0.critical") == true);
  CHECK(find_integer(view, "0.saved_us") == 9);
  CHECK(find_integer(view, "0.cost.tokens") == 12);
  CHECK(find_path(view, "0.learned_us") == nullptr);
  CHECK(find_integer(view, "1.learned_us") == 77);
  CHECK(find_path(view, "1.parent") == nullptr);
  swarm::Report report;
  report.guesses_won = 3;
  report.hedges_won = 2;
  report.saved = Duration{9};
  const json::value numbers(admin::numbers_of(report));
  CHECK(find_integer(numbers, "guesses_won") == 3);
  CHECK(find_integer(numbers, "hedges_won") == 2);
  CHECK(find_integer(numbers, "saved_us") == 9);
  CHECK(real_at(numbers, "correctness") == 0.0);
}
