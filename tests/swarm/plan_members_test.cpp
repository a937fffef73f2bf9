// What a task may be beside a command: reducers, verification, variants, spawning, reuse.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>

#include "swarm/plan.hpp"

using namespace vigil;
using namespace vigil::swarm;

namespace {

bool has(const std::string& text, std::string_view part) { return text.contains(part); }

Task task(std::string name, std::vector<std::string> needs = {}) {
  Task made;
  made.name = std::move(name);
  made.argv = {"true"};
  made.needs = std::move(needs);
  return made;
}

json::value plan_of(std::string_view tasks) {
  return parse_json("{\"tasks\": [" + std::string(tasks) + "]}").value();
}

// Why a task beside {"name": "up"} is refused; empty when it is taken.
std::string why_not(std::string_view members) {
  const auto read = plan_from_json(
      plan_of(R"({"name":"up","argv":["x"]},{"name":"t",)" + std::string(members) + "}"));
  return read ? "" : read.error().message;
}

struct Case {
  const char* members;
  const char* refusal;
};

void check_all(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    CAPTURE(one.members);
    const auto why = why_not(one.members);
    CHECK_MESSAGE(has(why, one.refusal), why);
    if (!why.empty() && !why.starts_with("plan.")) CHECK(has(why, "task 't"));
  }
}

}  // namespace

TEST_CASE("a task is a program, an analyser or a reducer, and only one of them") {
  CHECK(why_not(R"("reduce":"merge","needs":["up"])").empty());
  check_all({
      {R"("needs":["up"])", "exactly one of argv, builtin, reduce, ask and agent"},
      {R"("argv":["x"],"reduce":"merge")", "exactly one of argv, builtin, reduce, ask and agent"},
      {R"("builtin":"x","reduce":"merge")", "exactly one of argv, builtin, reduce, ask and agent"},
      {R"("reduce":"avg")", "no reducer \"avg\": use one of collect, first, concat"},
      {R"("reduce":"summarise")", "use a task with ask that summarises"},
      {R"("reduce":"top","needs":["up"])", "reduce = \"top\": input: expected an object like"},
      {R"("reduce":"top","input":{"K":1})", "reduce = \"top\": input.k"},
      {R"("reduce":"first","needs_interface":["up"])", "name the tasks in needs"},
      {R"("reduce":"first","variants":2)", "a reducer cannot have variants"},
      {R"("reduce":"first","hedge":true)", "a reducer cannot have hedge"},
      {R"("reduce":"first","verify":{"argv":["x"]})", "a reducer cannot have verify"},
      {R"("reduce":"first","spawn_max":1)", "a reducer cannot have spawn_max"},
      {R"("reduce":"first","spawn_max":1,"planner":true)", "a reducer cannot have planner"},
      {R"("reduce":"first","needs":["up"],"for_each":"up")", "a reducer cannot have for_each"},
  });
}

TEST_CASE("a question names its model and what is asked; an agent its work") {
  CHECK(
      why_not(R"("ask":{"model":"m","prompt":"p","tools":["mcp.docs.find"]},"retries":1)").empty());
  CHECK(why_not(R"("ask":{"model":"m","prompt":"p"},"planner":true,"spawn_max":9)").empty());
  CHECK(why_not(R"("agent":{"name":"a","prompt":"p"},"verify":{"argv":["x"]})").empty());
  CHECK(why_not(R"("argv":["x"],"verify":{"ask":{"model":"m","prompt":"p"}})").empty());
  check_all({
      {R"("ask":{"prompt":"p"})", "ask.model is missing"},
      {R"("ask":{"model":"m"})", "ask.prompt is missing"},
      {R"("ask":{"model":"m","prompt":"p","tools":["shell"]})", "expected mcp.SERVER.TOOL"},
      {R"("ask":{"model":"m","prompt":"p","interface_schema":{"type":"string"}})",
       "means nothing without ask.interface_prompt"},
      {R"("ask":{"model":"m","prompt":"p","promt":"q"})", "ask.promt: unknown key"},
      {R"("ask":"p")", "ask: expected an object"},
      {R"("ask":{"model":"m","prompt":"p"},"argv":["x"])", "exactly one of argv"},
      {R"("agent":{"name":"a"})", "agent.prompt is missing"},
      {R"("agent":{"name":"a","prompt":"p","commit":"--all"})", "must name a commit"},
      {R"("agent":{"name":"a","prompt":"p","conversation":"--x"})", "an earlier run answered"},
      {R"("argv":["x"],"verify":{"agent":{"name":"a","prompt":"p"}})", "verify"},
  });
}

TEST_CASE("variants and hedges are for tasks that are one attempt and its result") {
  CHECK(why_not(R"("argv":["x"],"variants":16,"hedge":true,"retries":2)").empty());
  CHECK(why_not(R"("argv":["x"],"variants":2,"hedge":true,"for_each":"input.x")").empty());
  check_all({
      {R"("argv":["x"],"variants":0)", "variants must be between 1 and 16"},
      {R"("argv":["x"],"variants":17)", "variants must be between 1 and 16"},
      {R"("argv":["x"],"variants":2,"needs_interface":["up"])",
       "variants cannot go with needs_interface"},
      {R"("argv":["x"],"hedge":true,"needs_interface":["up"])",
       "hedge cannot go with needs_interface"},
      {R"("argv":["x"],"hedge":true,"spawn_max":2)", "hedge cannot go with spawn_max"},
      {R"("argv":["x"],"variants":2,"spawn_max":2,"planner":true)",
       "variants cannot go with planner"},
  });
}

TEST_CASE("spawning has a bound, and a planner cannot do without") {
  CHECK(why_not(R"("argv":["x"],"spawn_max":100000,"planner":true)").empty());
  check_all({
      {R"("argv":["x"],"spawn_max":-1)", "spawn_max must be between 0 and 100000"},
      {R"("argv":["x"],"spawn_max":100001)", "spawn_max must be between 0 and 100000"},
      {R"("argv":["x"],"planner":true)", "a planner needs spawn_max"},
      {R"("argv":["x"],"planner":true,"spawn_max":3,"for_each":"input")",
       "plan in a task it needs"},
  });
}

TEST_CASE("for_each names a list in its input or in what it needs") {
  for (const auto* fine :
       {R"("argv":["x"],"for_each":"input")", R"("argv":["x"],"for_each":"input.a.b")",
        R"("argv":["x"],"needs":["up"],"for_each":"up")",
        R"("argv":["x"],"needs":["up"],"for_each":"up.files.0")",
        R"("argv":["x"],"for_each":"input.a","retries":1,"verify":{"argv":["y"]})"}) {
    CAPTURE(fine);
    CHECK(why_not(fine) == "");
  }
  check_all({
      {R"("argv":["x"],"for_each":"up.files")", "name the task in needs"},
      {R"("argv":["x"],"needs":["up"],"for_each":"upper")", "name the task in needs"},
      {R"("argv":["x"],"for_each":"inputs")", "name the task in needs"},
      {R"("argv":["x"],"for_each":"input.")", "empty step"},
      {R"("argv":["./{item}"],"for_each":"input")", "may hold no {item}"},
      {R"("argv":["x"],"needs":["up"],"for_each":"up..x")", "empty step"},
  });
}

TEST_CASE("for_each takes the longest need that fits, for names may hold dots") {
  auto each = task("each", {"a", "a.b"});
  each.for_each = "a.b.c";
  Plan plan;
  plan.tasks = {task("a"), task("a.b"), each};
  CHECK(validate(plan));
  plan.tasks[2].for_each = "a.b.";
  CHECK_FALSE(validate(plan));
  plan.tasks = {task("input"), task("each", {"input"})};
  CHECK(validate(plan));
  plan.tasks[1].for_each = "input.x";
  const auto ambiguous = validate(plan);
  REQUIRE_FALSE(ambiguous);
  CHECK(has(ambiguous.error().message, "give that task another name"));
}

TEST_CASE("a verifier is one command, held at least as closely as what it judges") {
  CHECK(why_not(R"("argv":["x"],"verify":{"builtin":"secrets"})").empty());
  CHECK(why_not(R"("argv":["x"],"containment":"net","verify":{"argv":["y"]})").empty());
  check_all({
      {R"("argv":["x"],"verify":{})", "verify: give exactly one of argv, builtin and ask"},
      {R"("argv":["x"],"verify":{"argv":["y"],"builtin":"z"})",
       "exactly one of argv, builtin and ask"},
      {R"("argv":["x"],"verify":{"argv":["y"],"containment":"net"})", "same containment"},
      {R"("argv":["x"],"verify":{"argv":[""]})", "argv[0] is empty"},
      {R"("argv":["x"],"verify":{"argv":["y"],"workdir":"w"})", "must be absolute"},
      {R"("argv":["x"],"verify":{"argv":["y"],"exit_ok":[]})", "exit_ok"},
      {R"("argv":["x"],"verify":["y"])", "plan.tasks[1].verify: expected a task like"},
      {R"("argv":["x"],"verify":{"argv":["y"],"needs":["up"]})",
       "plan.tasks[1].verify.needs: a verifier has none of its own"},
      {R"("argv":["x"],"verify":{"argv":["y"],"retries":1})", "plan.tasks[1].verify.retries"},
      {R"("argv":["x"],"verify":{"argv":["y"],"verify":{}})", "plan.tasks[1].verify.verify"},
      {R"("argv":["x"],"verify":{"arvg":["y"]})",
       "plan.tasks[1].verify.arvg: unknown key: did you mean \"argv\"?"},
  });
}

TEST_CASE("a verifier made in C++ is held to the same") {
  const std::vector<std::pair<const char*, void (*)(Task&)>> cases = {
      {"reduce", [](Task& it) { it.reduce = "first"; }},
      {"needs", [](Task& it) { it.needs = {"x"}; }},
      {"needs_interface", [](Task& it) { it.needs_interface = {"x"}; }},
      {"for_each", [](Task& it) { it.for_each = "input"; }},
      {"spawn_max", [](Task& it) { it.spawn_max = 1; }},
      {"planner", [](Task& it) { it.planner = true; }},
      {"verify", [](Task& it) { it.verify = std::make_shared<Task>(); }},
      {"variants", [](Task& it) { it.variants = 2; }},
      {"hedge", [](Task& it) { it.hedge = true; }},
      {"cache", [](Task& it) { it.digest = "x"; }},
      {"retries", [](Task& it) { it.retries = 1; }},
      {"optional", [](Task& it) { it.optional = true; }},
      {"resources", [](Task& it) { it.resources["x"] = 1; }},
  };
  for (const auto& [member, spoil] : cases) {
    CAPTURE(member);
    Task verify;
    verify.argv = {"check"};
    Task judged = task("judged");
    judged.verify = std::make_shared<const Task>(verify);
    CHECK(validate(judged));
    spoil(verify);
    judged.verify = std::make_shared<const Task>(verify);
    const auto refused = validate(judged);
    REQUIRE_FALSE(refused);
    CHECK(has(refused.error().message, "'judged': verify cannot have " + std::string(member)));
  }
}

TEST_CASE("only what depends on its input alone may be taken again") {
  CHECK(why_not(R"("argv":["x"],"cache":true,"digest":"abc")").empty());
  check_all({
      {R"("argv":["x"],"digest":"abc")", "digest means nothing without cache"},
      {R"("argv":["x"],"cache":true,"needs_interface":["up"])",
       "cache cannot go with needs_interface"},
      {R"("argv":["x"],"cache":true,"spawn_max":1)", "cache cannot go with spawn_max"},
      {R"("argv":["x"],"cache":true,"spawn_max":1,"planner":true)", "cache cannot go with planner"},
  });
}

TEST_CASE("the names of what is spawned are kept free") {
  auto parent = task("p");
  parent.spawn_max = 1;
  auto each = task("each");
  each.for_each = "input";
  const auto why = [&](std::string name) {
    Plan plan;
    plan.tasks = {parent, each, task(std::move(name))};
    const auto checked = validate(plan);
    return checked ? "" : checked.error().message;
  };
  CHECK(has(why("p/x"), "task 'p/x': what 'p' spawns is called 'p/...'"));
  CHECK(has(why("p/x/y"), "another name"));
  CHECK(has(why("p.2/x"), "another name"));
  CHECK(has(why("each/0"), "another name"));
  CHECK(why("q/x") == "");
  CHECK(why("px") == "");
  CHECK(why("p.x/y") == "");
  CHECK(why("p2/x") == "");
  CHECK(why("/p/x") == "");
}

TEST_CASE("a task by itself is read and checked, and its mistakes have its place") {
  const auto read =
      task_from_json(parse_json(R"({"name":"a","argv":["x"],"needs":["b"]})").value(), "spawn[2]");
  REQUIRE(read);
  CHECK(read->needs == std::vector<std::string>{"b"});
  const auto why = [](std::string_view text) {
    return task_from_json(parse_json(text).value(), "spawn[2]").error().message;
  };
  CHECK(has(why("7"), "spawn[2]: expected an object"));
  CHECK(has(why(R"({"name":"a","agrv":["x"]})"), "spawn[2].agrv: unknown key: did you mean"));
  CHECK(has(why(R"({"name":"a"})"), "spawn[2]: task 'a': give exactly one"));
  CHECK(has(why(R"({"name":"a","argv":["x"],"variants":"2"})"), "spawn[2].variants: expected"));
}

TEST_CASE("an unknown key is told with the one that was meant, if there is any near") {
  CHECK(has(why_not(R"("argv":["x"],"foreach":"input")"), "did you mean \"for_each\"?"));
  CHECK(has(why_not(R"("argv":["x"],"retires":1)"), "did you mean \"retries\"?"));
  CHECK(has(why_not(R"("argv":["x"],"max_retries":1)"), "did you mean \"retries\"?"));
  CHECK(has(why_not(R"("argv":["x"],"zzzzzz":1)"), "remove it or correct its spelling"));
  const auto plan = plan_from_json(parse_json(R"({"tasks":[],"on_failur":"fail"})").value());
  CHECK(has(plan.error().message, "plan.on_failur: unknown key: did you mean \"on_failure\"?"));
  const std::string word(5000, 'x');
  CHECK(has(why_not("\"argv\":[\"x\"],\"" + word + "\":1"), "unknown key"));
}

TEST_CASE("every member of a task survives its JSON") {
  Task verify;
  verify.argv = {"check", "--strict"};
  verify.input = {{"limit", 3}};
  verify.timeout = std::chrono::seconds{5};
  verify.containment = Containment::strict;
  Task full = task("full", {"up"});
  full.containment = Containment::net;
  full.verify = std::make_shared<const Task>(verify);
  full.variants = 3;
  full.hedge = true;
  full.cache = true;
  full.digest = "3f2c";
  Task each = task("each", {"up"});
  each.for_each = "up.files";
  Task planner = task("planner");
  planner.planner = true;
  planner.spawn_max = 40;
  Task joined;
  joined.name = "joined";
  joined.reduce = "top";
  joined.input = {{"k", 3}, {"by", "score"}};
  joined.needs = {"each", "full"};
  Plan before;
  before.tasks = {task("up"), full, each, planner, joined};
  before.on_failure = OnFailure::partial;
  const auto text = to_text(json::value(to_json(before)));
  const auto after = plan_from_json(parse_json(text).value());
  REQUIRE_MESSAGE(after.has_value(), after.error().message);
  CHECK(to_text(json::value(to_json(*after))) == text);
  REQUIRE(after->tasks[1].verify);
  CHECK(after->tasks[1].verify->argv == verify.argv);
  CHECK(after->tasks[1].verify->timeout == verify.timeout);
  CHECK(after->tasks[1].verify->input == verify.input);
  CHECK(after->tasks[1].verify->name.empty());
  CHECK(after->tasks[1].variants == 3);
  CHECK(after->tasks[1].hedge);
  CHECK(after->tasks[1].cache);
  CHECK(after->tasks[1].digest == "3f2c");
  CHECK(after->tasks[2].for_each == "up.files");
  CHECK(after->tasks[3].planner);
  CHECK(after->tasks[3].spawn_max == 40);
  CHECK(after->tasks[4].reduce == "top");
  CHECK(after->on_failure == OnFailure::partial);
}

TEST_CASE("a hundred thousand tasks that spawn and are joined are checked in a moment") {
  Plan plan;
  Task join;
  join.name = "join";
  join.reduce = "collect";
  for (std::size_t i = 0; i + 1 < plan_tasks_max; ++i) {
    Task one = task("group/" + std::to_string(i));
    one.spawn_max = 1;
    join.needs.push_back(one.name);
    plan.tasks.push_back(std::move(one));
  }
  plan.tasks.push_back(std::move(join));
  const auto before = std::chrono::steady_clock::now();
  CHECK(validate(plan));
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds{10});
}

TEST_CASE("any value in any of these members is read or refused, never worse") {
  const auto whole = plan_of(R"({"name":"up","argv":["x"]},
    {"name":"a","argv":["x"],"needs":["up"],"for_each":"up.x","spawn_max":3,
     "verify":{"name":"v","argv":["y"],"input":1,"timeout":"1s","containment":"strict",
               "workdir":"/w","read_paths":["/r"],"write_paths":["/w"],"output_bytes_max":1,
               "exit_ok":[0]}},
    {"name":"b","argv":["x"],"variants":2,"hedge":true,"cache":true,"digest":"d"},
    {"name":"c","argv":["x"],"planner":true,"spawn_max":3},
    {"name":"d","reduce":"top","needs":["a","b"],"input":{"k":1,"by":"x","each":true}})");
  REQUIRE(plan_from_json(whole));
  const std::vector<json::value> odd = {nullptr,
                                        true,
                                        -1,
                                        1e300,
                                        "",
                                        "x",
                                        "up",
                                        json::array{},
                                        json::array{nullptr},
                                        json::object{},
                                        json::object{{"argv", nullptr}},
                                        9'223'372'036'854'775'807};
  int refused = 0;
  const auto attempt = [&](const json::value& changed) {
    const auto read = plan_from_json(changed);
    if (read) CHECK(plan_from_json(to_json(*read)));
    if (read) return;
    CHECK_FALSE(read.error().message.empty());
    ++refused;
  };
  for (const auto& value : odd) {
    for (std::size_t i = 1; i < 5; ++i) {
      for (const auto& member : whole.at("tasks").at(i).as_object()) {
        auto changed = whole;
        changed.at("tasks").at(i).as_object()[member.key()] = value;
        attempt(changed);
      }
    }
    for (const auto& member : whole.at("tasks").at(1).at("verify").as_object()) {
      auto changed = whole;
      changed.at("tasks").at(1).at("verify").as_object()[member.key()] = value;
      attempt(changed);
    }
    for (const auto& member : whole.at("tasks").at(4).at("input").as_object()) {
      auto changed = whole;
      changed.at("tasks").at(4).at("input").as_object()[member.key()] = value;
      attempt(changed);
    }
  }
  CHECK(refused > 200);
}
