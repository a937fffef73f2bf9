// Models, agents, tools of others and what bounds them, as the configuration says it.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/config/scratch.hpp"

namespace vigil::config {
namespace {

using namespace std::chrono_literals;

const char* minds =
    "[budget]\ntokens = 1000000\nmoney_cents = 500\n"
    "[planning]\nwidth_max = 4\nprograms = [\"make\"]\n"
    "[approvals]\nlink_url = \"https://vigil.example.org\"\nlink_secret = \"file:/s\"\n"
    "tell_sink = \"log\"\ngithub_from = [\"alice\"]\n"
    "[memory]\nconsolidate = \"0 4 * * *\"\nmodel = \"small\"\n"
    "[model.small]\nurl = \"http://127.0.0.1:8080/v1\"\nmodel = \"qwen\"\n"
    "fallback = [\"strong\"]\ntemperature = 0.2\n"
    "[model.strong]\napi = \"anthropic\"\nurl = \"https://api.example.com/v1\"\nmodel = \"big\"\n"
    "key = \"file:/k\"\nconcurrency = 9\ntokens_per_minute = 40000\nstall = \"10s\"\n"
    "price = { input = 3, output = 15.5, cache_read = 0.3 }\n"
    "budget = { money_cents = 200 }\n"
    "[agent.fixer]\nrecipe = \"claude\"\nrepository = \"/srv/clone\"\n"
    "secrets = { ANTHROPIC_API_KEY = \"file:/k\" }\n"
    "[mcp.docs]\nargv = [\"docs-server\"]\nreads = [\"find*\"]\n"
    "[sink.log]\nkind = \"log\"\n"
    "[entity.e]\nkind = \"rules\"\non = [{}]\n"
    "budget = { tokens = 10, case = { tokens = 5 } }\n"
    "advice = { model = \"small\", strong = \"strong\", about = [\"review\"] }\n"
    "[[entity.e.rule]]\nname = \"r\"\n"
    "[[entity.e.rule.task]]\nname = \"t\"\n"
    "ask = { model = \"small\", prompt = \"p\", tools = [\"mcp.docs.find\"], "
    "schema = { type = \"object\" } }\n"
    "[[entity.e.rule.task]]\nname = \"u\"\nagent = { name = \"fixer\", prompt = \"p\" }\n";

TEST_CASE("models, agents and what bounds them are read") {
  const auto result = load_text(minds, "/etc/vigild/vigild.toml");
  INFO(all_texts(result));
  REQUIRE(std::holds_alternative<Loaded>(result));
  const auto& settings = std::get<Loaded>(result).settings;
  CHECK(settings.budget.money_cents == 500);
  CHECK(settings.planning.width_max == 4);
  CHECK(settings.approvals.github_from == std::vector<std::string>{"alice"});
  CHECK(settings.memory.model == "small");
  const auto& strong = settings.models.at("strong");
  CHECK(strong.name == "strong");
  CHECK(strong.api == ModelApi::anthropic);
  CHECK(strong.key->text == "file:/k");
  CHECK(strong.price.output == 15.5);
  CHECK(strong.budget.money_cents == 200);
  CHECK(strong.stall == 10s);
  CHECK(settings.models.at("small").temperature == 0.2);
  CHECK(settings.agents.at("fixer").secrets.at("ANTHROPIC_API_KEY").text == "file:/k");
  CHECK(settings.mcp.at("docs").reads == std::vector<std::string>{"find*"});
  const auto& entity = settings.entities.at("e");
  CHECK(entity.budget.of_case->tokens == 5);
  CHECK(entity.advice->strong == "strong");
  const auto& tasks = std::get<Rules>(entity.of).rules[0].tasks;
  CHECK(tasks[0].ask->schema.at("type") == "object");
  CHECK(tasks[1].agent->commit == "HEAD");
  // What is written is read again, to the same.
  CHECK(all_texts(load_text(to_toml(settings), "f")).empty());
}

struct Mistake {
  const char* text;
  const char* key;
  const char* says;
};

const char* rule = "[entity.e]\nkind = \"rules\"\non = [{}]\n[[entity.e.rule]]\nname = \"r\"\n";

const Mistake mistakes_of_minds[] = {
    {"[model.m]\nmodel = \"x\"\n", "model.m.url", "is required"},
    {"[model.m]\nurl = \"https://h/v1\"\n", "model.m.model", "is required"},
    {"[model.m]\nurl = \"http://far.example/v1\"\nmodel = \"x\"\nkey = \"file:/k\"\n",
     "model.m.url", "would travel in the open"},
    {"[model.m]\nurl = \"http://127.0.0.1.evil.example/v1\"\nmodel = \"x\"\nkey = \"file:/k\"\n",
     "model.m.url", "would travel in the open"},
    {"[model.m]\nurl = \"https://h/v1\"\nmodel = \"x\"\nkey = \"sk-plain\"\n", "model.m.key",
     "file:PATH"},
    {"[model.m]\nurl = \"https://h/v1\"\nmodel = \"x\"\nfallback = [\"m\"]\n",
     "model.m.fallback[0]", "cannot stand in for itself"},
    {"[model.m]\nurl = \"https://h/v1\"\nmodel = \"x\"\nfallback = [\"n\"]\n",
     "model.m.fallback[0]", "there is no model \"n\""},
    {"[model.m]\nurl = \"https://h/v1\"\nmodel = \"x\"\nprice = { input = -1 }\n",
     "model.m.price.input", "a price from 0"},
    {"[model.m]\nurl = \"https://h/v1\"\nmodel = \"x\"\nbudget = { money_cents = 5 }\n",
     "model.m.budget.money_cents", "means nothing without its price"},
    {"[model.m]\nurl = \"https://h/v1\"\nmodel = \"x\"\nstall = \"5m\"\n", "model.m.stall",
     "must not be longer than the timeout"},
    {"[agent.a]\noutcome = \"discard\"\n", "agent.a.argv", "needs the program"},
    {"[agent.a]\nrecipe = \"claude\"\n", "agent.a.repository", "needs a clone"},
    {"[mcp.s]\n", "mcp.s", "exactly one of argv and url"},
    {"[approvals]\nlink_url = \"https://h\"\n", "approvals.link_secret", "must be signed"},
    {"[approvals]\ntell_sink = \"x\"\n", "approvals.tell_sink", "there is no sink \"x\""},
    {"[memory]\nmodel = \"x\"\n", "memory.model", "there is no model \"x\""},
};

const Mistake mistakes_of_tasks[] = {
    {"task = [{ name = \"t\", ask = { model = \"x\", prompt = \"p\" } }]\n",
     "entity.e.rule[0].task[0].ask.model", "there is no model \"x\""},
    {"task = [{ name = \"t\", ask = { model = \"x\", prompt = \"{{event.data.text}}\" } }]\n",
     "entity.e.rule[0].task[0].ask.prompt", "put what comes from an event into input"},
    {"task = [{ name = \"t\", ask = { model = \"x\", prompt = \"p\", tools = [\"sh\"] } }]\n",
     "entity.e.rule[0].task[0].ask.tools[0]", "expected mcp.SERVER.TOOL"},
    {"task = [{ name = \"t\", argv = [\"x\"], agent = { name = \"a\", prompt = \"p\" } }]\n",
     "entity.e.rule[0].task[0]", "only one of argv"},
};

void check_mistake(const std::string& text, const Mistake& mistake) {
  const auto result = load_text(text, "f");
  INFO(text);
  INFO(all_texts(result));
  const auto found = mistakes(result);
  CHECK(std::ranges::any_of(found, [&](const Diagnostic& one) {
    return one.key == mistake.key && one.message.find(mistake.says) != std::string::npos;
  }));
}

TEST_CASE("what people get wrong about models, agents and tools is told") {
  for (const auto& mistake : mistakes_of_minds) check_mistake(mistake.text, mistake);
  for (const auto& mistake : mistakes_of_tasks)
    check_mistake(rule + std::string(mistake.text), mistake);
}

TEST_CASE("models stand in the main file, as they hold keys and cost money") {
  Scratch scratch;
  scratch.write("vigild.toml", "");
  scratch.write("entities.d/a.toml", "[model.m]\nurl = \"https://h/v1\"\nmodel = \"x\"\n");
  const auto found = mistakes(load(scratch.path()));
  REQUIRE(found.size() == 1);
  CHECK(found[0].message.find("belongs in vigild.toml") != std::string::npos);
}

}  // namespace
}  // namespace vigil::config
