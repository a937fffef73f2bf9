// Rules whose tasks are more than one command run once.
#include <fstream>

#include "tests/entities/rules_world.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::testing;

namespace {

std::string shown_in_plans() {
  std::ifstream file(source_dir() + "/docs/plans.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto from = text.find("```toml\n");
  REQUIRE(from != std::string::npos);
  return text.substr(from + 8, text.find("```", from + 8) - from - 8);
}

std::string rule_with(const std::string& tasks) {
  return "[entity.x]\nkind = \"rules\"\non = [{}]\n[[entity.x.rule]]\nname = \"r\"\n" + tasks;
}

std::string why_not(const std::string& tasks) {
  try {
    const auto made = make_guardian(entity_of(rule_with(tasks)));
    return made ? "" : made.error().message;
  } catch (const std::runtime_error& mistake) {
    return mistake.what();
  }
}

}  // namespace

TEST_CASE("a rule's tasks may be anything that plans.md shows") {
  RulesWorld world(shown_in_plans());
  const auto decision = world.ask(EventsArrived{
      {RulesWorld::event(1, R"({"files":["/usr/bin/env","/usr/bin/id"],"release":"3f2c"})")}});
  REQUIRE(decision.plans.size() == 1);
  const swarm::Plan& plan = decision.plans[0];
  CHECK(swarm::validate(plan));
  CHECK(plan.on_failure == swarm::OnFailure::partial);
  const swarm::Task& each = plan.tasks.at(0);
  CHECK(each.for_each == "input.files");
  CHECK(each.input.at("files").as_array().size() == 2);
  CHECK(each.argv.back() == "{item}");
  CHECK(each.cache);
  CHECK(each.digest == "3f2c");
  REQUIRE(each.verify);
  CHECK(each.verify->argv.at(0) == "grep");
  CHECK(each.verify->timeout == std::chrono::seconds{5});
  CHECK(each.verify->name.empty());
  CHECK(plan.tasks.at(1).reduce == "concat");
  // A list may become any number of tasks: only their own limits hold.
  CHECK(plan.timeout == std::chrono::days{7});
}

TEST_CASE("every word of a plan can be written in a rule") {
  RulesWorld world(rule_with(R"(
[[entity.x.rule.task]]
name = "api"
argv = ["make", "api"]
[[entity.x.rule.task]]
name = "guess"
argv = ["make", "client"]
needs_interface = ["api"]
[[entity.x.rule.task]]
name = "plan"
argv = ["make", "plan"]
planner = true
spawn_max = 7
[[entity.x.rule.task]]
name = "many"
argv = ["solve"]
variants = 3
hedge = true
verify = { argv = ["check", "{{event.data.n}}"] }
)"));
  const auto decision = world.ask(EventsArrived{{RulesWorld::event(1, R"({"n":5})")}});
  REQUIRE(decision.plans.size() == 1);
  const auto& tasks = decision.plans[0].tasks;
  CHECK(decision.plans[0].on_failure == swarm::OnFailure::go_on);
  CHECK(tasks.at(1).needs_interface == std::vector<std::string>{"api"});
  CHECK(tasks.at(2).planner);
  CHECK(tasks.at(2).spawn_max == 7);
  CHECK(tasks.at(3).variants == 3);
  CHECK(tasks.at(3).hedge);
  CHECK(tasks.at(3).verify->argv == std::vector<std::string>{"check", "5"});
  CHECK(tasks.at(0).variants == 1);
  CHECK_FALSE(tasks.at(0).verify);
}

TEST_CASE("what makes no sense together is told when the rule is made") {
  const std::string task = "[[entity.x.rule.task]]\nname = \"t\"\n";
  const std::vector<std::pair<std::string, const char*>> cases = {
      {"", "does nothing: give argv or builtin, or reduce"},
      {"argv = [\"x\"]\nreduce = \"merge\"\n",
       "give only one of argv, builtin, reduce, ask and agent"},
      {"reduce = \"avg\"\n", "no reducer"},
      {"reduce = \"summarise\"\n", "a task with ask that summarises"},
      {"argv = [\"x\"]\nplanner = true\n", "a planner needs spawn_max"},
      {"argv = [\"x\"]\nvariants = 17\n", "from 1 to 16, not 17"},
      {"argv = [\"x\"]\nneeds_interface = [\"y\"]\n", "there is no task \"y\""},
      {"argv = [\"x\"]\nneeds_interface = [\"t\"]\n", "a task cannot need itself"},
      {"argv = [\"x\"]\ndigest = \"d\"\n", "digest means nothing without cache"},
      {"argv = [\"x\"]\nfor_each = \"y\"\n", "name the task in needs"},
      {"argv = [\"x\", \"{item}\"]\nfor_each = \"input.l\"\n", "put \"--\" before {item}"},
      {"argv = [\"{item}\"]\nfor_each = \"input.l\"\n", "{item}"},
      {"argv = [\"x\"]\nverify = {}\n", "verify: give exactly one of argv, builtin and ask"},
      {"argv = [\"x\"]\nverify = { argv = [\"y\"], sandbox = \"net\" }\n", "same containment"},
      {"argv = [\"x\"]\nverify = { argv = [\"y\"], retries = 1 }\n", "retries"},
      {"argv = [\"x\"]\nverify = { argv = [\"{{event.data.x}}\"] }\n", "argv[0]"},
      {"argv = [\"x\"]\nverify = { builtin = \"nothing\" }\n", "there is no analyser"},
  };
  for (const auto& [members, error] : cases) {
    CAPTURE(members);
    const auto why = why_not(task + members);
    CHECK_MESSAGE(why.contains(error), why);
  }
  const auto why = why_not(task + "argv = [\"x\"]\n[[entity.x.rule]]\nname = \"s\"\n" +
                           "on_failure = \"maybe\"\n" + task + "argv = [\"x\"]\n");
  CHECK_MESSAGE(why.contains("continue, fail, partial"), why);
}

TEST_CASE("a rule may ask a model; what waits for others is tainted, the rest as its wake is") {
  RulesWorld world("[model.m]\nurl = \"http://127.0.0.1/v1\"\nmodel = \"x\"\n" + rule_with(R"(
[[entity.x.rule.task]]
name = "first"
input = { text = "{{event.data.n}}" }
ask = { model = "m", prompt = "p", schema = { type = "object" }, output_tokens_max = 9 }
[[entity.x.rule.task]]
name = "second"
needs = ["first"]
ask = { model = "m", prompt = "q" }
)"));
  const auto decision = world.ask(EventsArrived{{RulesWorld::event(1, R"({"n":"obey"})")}});
  REQUIRE(decision.plans.size() == 1);
  const auto& tasks = decision.plans[0].tasks;
  CHECK(tasks.at(0).ask->model == "m");
  CHECK(tasks.at(0).ask->prompt == "p");
  CHECK(tasks.at(0).ask->output_tokens_max == 9);
  CHECK(tasks.at(0).input.at("text") == "obey");
  CHECK_FALSE(tasks.at(0).ask->tainted);
  CHECK(tasks.at(1).ask->tainted);
}

TEST_CASE("an agent goes on where it ended in the case") {
  RulesWorld world("[agent.a]\nargv = [\"x\"]\noutcome = \"discard\"\n" + rule_with(R"(
[[entity.x.rule.task]]
name = "largest"
agent = { name = "a", prompt = "p", commit = "{{event.data.sha}}" }
)"));
  const auto first = world.ask(EventsArrived{{RulesWorld::event(1, R"({"sha":"3f2c"})")}});
  REQUIRE(first.plans.size() == 1);
  CHECK(first.plans[0].tasks[0].agent->commit == "3f2c");
  CHECK(first.plans[0].tasks[0].agent->conversation.empty());
  swarm::Report report;
  report.title = first.plans[0].title;
  report.ok = true;
  swarm::TaskOutcome task;
  task.name = "largest";
  task.state = swarm::TaskState::done;
  task.result = json::object{{"answer", "done"}, {"conversation", "ab12:0e63"}};
  report.tasks.push_back(task);
  world.ask(SwarmEnded{report});
  const auto second = world.ask(EventsArrived{{RulesWorld::event(2, R"({"sha":"77aa"})")}});
  REQUIRE(second.plans.size() == 1);
  CHECK(second.plans[0].tasks[0].agent->conversation == "ab12:0e63");
}
