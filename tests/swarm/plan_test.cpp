#include "swarm/plan.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

using namespace vigil;
using namespace vigil::swarm;
using namespace std::chrono_literals;

namespace {

Task task(std::string name, std::vector<std::string> needs = {}) {
  Task made;
  made.name = std::move(name);
  made.argv = {"true"};
  made.needs = std::move(needs);
  return made;
}

Plan plan(std::vector<Task> tasks) {
  Plan made;
  made.title = "test";
  made.tasks = std::move(tasks);
  return made;
}

std::string refusal(const Plan& bad) {
  const auto checked = validate(bad);
  REQUIRE_FALSE(checked);
  return checked.error().message;
}

std::string refusal_of_json(std::string_view text) {
  const auto read = plan_from_json(parse_json(text).value());
  REQUIRE_FALSE(read);
  return read.error().message;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a plan of tasks that need each other in order is valid") {
  CHECK(validate(plan({task("a"), task("b", {"a"}), task("c:1/x.y-z_", {"a", "b"})})));
}

TEST_CASE("a cycle is refused and its members are named") {
  const auto text = refusal(plan(
      {task("free"), task("a", {"c"}), task("b", {"a"}), task("c", {"b"}), task("behind", {"c"})}));
  CHECK(has(text, "a needs c needs b needs a"));
  CHECK_FALSE(has(text, "behind"));
  CHECK_FALSE(has(text, "free"));
}

TEST_CASE("a cycle over an interface edge is refused too") {
  auto first = task("a");
  first.needs_interface = {"b"};
  CHECK(has(refusal(plan({first, task("b", {"a"})})), "wait for each other"));
  CHECK(has(refusal(plan({task("self", {"self"})})), "self needs self"));
}

TEST_CASE("what is wrong with a task is said with its name") {
  CHECK(has(refusal(plan({task("a"), task("a")})), "two tasks are called 'a'"));
  CHECK(has(refusal(plan({task("a", {"ghost"})})), "needs 'ghost'"));
  CHECK(has(refusal(plan({task("a"), task("b", {"a", "a"})})), "twice"));
  CHECK(has(refusal(plan({task("white space")})), "A-Z"));
  CHECK(has(refusal(plan({task("")})), "A-Z"));
  CHECK(has(refusal(plan({})), "no tasks"));
  auto both = task("both");
  both.builtin = "x";
  CHECK(has(refusal(plan({both})), "exactly one of argv, builtin, reduce, ask and agent"));
  auto neither = task("neither");
  neither.argv.clear();
  CHECK(has(refusal(plan({neither})), "exactly one of argv, builtin, reduce, ask and agent"));
  auto nul = task("nul");
  nul.argv = {"echo", std::string("a\0b", 3)};
  CHECK(has(refusal(plan({nul})), "NUL"));
  auto relative = task("relative");
  relative.read_paths = {"etc"};
  CHECK(has(refusal(plan({relative})), "absolute"));
  auto option = task("option");
  option.argv.clear();
  option.builtin = "--help";
  CHECK(has(refusal(plan({option})), "builtin"));
}

TEST_CASE("limits are kept sane") {
  auto many = task("many");
  many.retries = 101;
  CHECK(has(refusal(plan({many})), "retries"));
  auto none = task("none");
  none.resources["gpu"] = 0;
  CHECK(has(refusal(plan({none})), "gpu"));
  auto exits = task("exits");
  exits.exit_ok = {0, 256};
  CHECK(has(refusal(plan({exits})), "0..255"));
  Plan late = plan({task("a")});
  late.timeout = 0s;
  CHECK(has(refusal(late), "timeout"));
  Plan lost = plan({task("a")});
  lost.result_of = "b";
  CHECK(has(refusal(lost), "result_of"));
  Plan huge;
  for (std::size_t i = 0; i <= plan_tasks_max; ++i) huge.tasks.push_back(task(std::to_string(i)));
  CHECK(has(refusal(huge), "split it"));
  huge.tasks.pop_back();
  CHECK(validate(huge));
}

TEST_CASE("a plan survives its JSON") {
  auto full = task("full", {"first"});
  full.needs_interface = {"stub"};
  full.input = {{"deep", {1, 2, {{"x", nullptr}}}}};
  full.timeout = 1h + 1us;
  full.retries = 3;
  full.retry_backoff = 1234567us;
  full.optional = true;
  full.containment = Containment::net;
  full.workdir = "/tmp/w";
  full.read_paths = {"/opt"};
  full.write_paths = {"/var/x", "/var/y"};
  full.resources = {{"model:small", 2}};
  full.output_bytes_max = 10;
  full.exit_ok = {0, 3};
  auto builtin = task("stub");
  builtin.argv.clear();
  builtin.builtin = "diff-stat";
  Plan before = plan({task("first"), builtin, full});
  before.result_of = "full";
  before.parallel_max = 2;
  before.timeout = 90s;
  before.on_failure = OnFailure::fail;
  const auto text = to_text(json::value(to_json(before)));
  const auto after = plan_from_json(parse_json(text).value());
  REQUIRE(after);
  CHECK(to_text(json::value(to_json(*after))) == text);
  CHECK(after->tasks[2].timeout == 1h + 1us);
  CHECK(after->tasks[2].retry_backoff == 1234567us);
  CHECK(after->tasks[2].resources.at("model:small") == 2);
  CHECK(after->tasks[2].containment == Containment::net);
  CHECK(after->tasks[2].exit_ok == std::vector<int>{0, 3});
  CHECK(after->on_failure == OnFailure::fail);
  CHECK(after->timeout == 90s);
}

TEST_CASE("a mistake in a plan's JSON is told with its path") {
  CHECK(has(refusal_of_json("[]"), "plan: expected an object"));
  CHECK(has(refusal_of_json("{}"), "plan.tasks: missing"));
  CHECK(has(refusal_of_json(R"({"tasks":[{"name":"a","argv":["x"]},7]})"), "plan.tasks[1]:"));
  CHECK(has(refusal_of_json(R"({"tasks":[{"name":"a","argv":["x"],"timeout":30}]})"),
            "plan.tasks[0].timeout: expected a duration"));
  CHECK(has(refusal_of_json(R"({"tasks":[{"name":"a","argv":["x"],"timeout":"30"}]})"),
            "plan.tasks[0].timeout"));
  CHECK(has(refusal_of_json(R"({"tasks":[{"name":"a","argv":["x",1]}]})"),
            "plan.tasks[0].argv[1]: expected a text"));
  CHECK(has(refusal_of_json(R"({"tasks":[{"name":"a","argv":["x"],"retires":1}]})"),
            "plan.tasks[0].retires: unknown key"));
  CHECK(has(refusal_of_json(R"({"tasks":[{"name":"a","argv":["x"],"retries":1.5}]})"),
            "plan.tasks[0].retries: expected a whole number"));
  CHECK(has(refusal_of_json(R"({"tasks":[{"name":"a","argv":["x"],"containment":"some"}]})"),
            R"(expected one of "strict", "net", "none")"));
  CHECK(has(refusal_of_json(R"({"tasks":[{"name":"a","argv":["x"],"resources":{"m":"2"}}]})"),
            "plan.tasks[0].resources.m"));
  CHECK(has(refusal_of_json(R"({"tasks":[{"name":"a","argv":["x"],"output_bytes_max":-1}]})"),
            "plan.tasks[0].output_bytes_max"));
  CHECK(has(refusal_of_json(R"({"tasks":[],"on_failure":"maybe"})"), "plan.on_failure"));
}

TEST_CASE("a plan with any value in any place is read or refused, never worse") {
  const auto good = R"({"title":"t","tasks":[{"name":"a","argv":["x"],"input":1,"needs":[],
    "needs_interface":[],"timeout":"1s","retries":1,"retry_backoff":"1s","optional":true,
    "containment":"net","workdir":"/w","read_paths":["/r"],"write_paths":["/w"],
    "resources":{"r":1},"output_bytes_max":5,"exit_ok":[0]}],"result_of":"a","parallel_max":1,
    "timeout":"1h","on_failure":"fail"})";
  const auto whole = parse_json(good).value();
  REQUIRE(plan_from_json(whole));
  const std::vector<json::value> odd = {nullptr,
                                        true,
                                        -1,
                                        1e300,
                                        "",
                                        "x",
                                        json::array{},
                                        json::array{nullptr},
                                        json::object{},
                                        json::object{{"a", nullptr}},
                                        9'223'372'036'854'775'807};
  for (const auto& value : odd) {
    for (const auto& member : whole.as_object()) {
      auto changed = whole.as_object();
      changed[member.key()] = value;
      const auto read = plan_from_json(changed);
      if (!read) CHECK_FALSE(read.error().message.empty());
    }
    for (const auto& member : whole.at("tasks").at(0).as_object()) {
      auto changed = whole.as_object();
      changed["tasks"].at(0).as_object()[member.key()] = value;
      const auto read = plan_from_json(changed);
      if (!read) CHECK_FALSE(read.error().message.empty());
      if (read) CHECK(plan_from_json(to_json(*read)));
    }
  }
}
