// Agent programs: how they are called, what is understood of what they print, and what becomes of
// their working trees. The programs here print the forms that are documented (agent_recipes.hpp).
#include <doctest/doctest.h>
#include <stdlib.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <optional>

#include "core/digest.hpp"
#include "core/task_group.hpp"
#include "daemon/models/agent_recipes.hpp"
#include "daemon/models/agent_runner.hpp"
#include "swarm/process_runner.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::models;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

constexpr const char* claude_result =
    R"({"type":"result","subtype":"success","is_error":false,"duration_ms":1998,)"
    R"("duration_api_ms":1976,"num_turns":1,"result":"Mended.","stop_reason":"end_turn",)"
    R"("session_id":"0e639165-79b1-4bd4-bb0f-4cb4c15115d4","total_cost_usd":0.0079825,)"
    R"("usage":{"input_tokens":1,"cache_creation_input_tokens":20,)"
    R"("cache_read_input_tokens":15635,"output_tokens":6},)"
    R"("modelUsage":{"opus":{"inputTokens":1,"outputTokens":4,"cacheReadInputTokens":15635,)"
    R"("cacheCreationInputTokens":20},"haiku":{"inputTokens":2,"outputTokens":2}}})";

constexpr const char* codex_lines =
    R"({"type":"thread.started","thread_id":"019a2d7a-41c4-78b1-b7cc-a45d62a89cd5"}
{"type":"turn.started"}
{"type":"item.completed","item":{"id":"item_0","type":"reasoning","text":"**Thinking**"}}
{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"Mended."}}
{"type":"turn.completed","usage":{"input_tokens":1200,"cached_input_tokens":200,)"
    R"("cache_write_input_tokens":100,"output_tokens":345}})";

config::Agent agent_of(config::AgentRecipe recipe) {
  config::Agent out;
  out.name = "fixer";
  out.recipe = recipe;
  return out;
}

// A clone with one commit, and fake programs beside it.
struct World {
  World() {
    fs::create_directories(path / "bin");
    shell(
        "git init -q -b main repo && cd repo && git config user.email a@b.c && "
        "git config user.name a && echo old > file.txt && git add . && git commit -q -m one");
    runner.run_with(*processes);
  }
  ~World() {
    group.cancel();
    until([this] { return group.size() == 0; });
    fs::remove_all(path);
  }

  std::string shell(const std::string& script) {
    swarm::Attempt attempt;
    attempt.task.argv = {"sh", "-c", "cd '" + path.string() + "' && " + script};
    attempt.task.containment = swarm::Containment::none;
    attempt.deadline = clock->now() + 20s;
    attempt.grace = 1s;
    const auto outcome = run(*processes, std::move(attempt));
    REQUIRE_MESSAGE(outcome.ok, outcome.error);
    return outcome.result.is_string() ? std::string(outcome.result.as_string())
                                      : to_text(outcome.result);
  }
  // A program of that script.
  std::string program(const std::string& script) {
    const auto file = path / "bin" / random_hex(4);
    std::ofstream(file) << "#!/bin/sh\n" << script;
    fs::permissions(file, fs::perms::owner_all);
    return file.string();
  }
  config::Agent& add(config::AgentRecipe recipe, const std::string& script) {
    auto agent = agent_of(recipe);
    agent.argv = {program(script)};
    agent.repository = (path / "repo").string();
    agent.sandbox = "none";
    return settings.agents["fixer"] = agent;
  }
  swarm::AttemptOutcome work(const std::string& conversation = "") {
    REQUIRE(runner.apply(settings).has_value());
    swarm::Attempt attempt;
    attempt.task.name = "t";
    swarm::AgentWork agent;
    agent.name = "fixer";
    agent.prompt = "Mend it.";
    agent.conversation = conversation;
    attempt.task.agent = std::make_shared<const swarm::AgentWork>(agent);
    attempt.task.input = json::object{{"log", "it broke"}};
    attempt.deadline = clock->now() + 20s;
    attempt.grace = 1s;
    attempt.said = [this](json::object said) {
      if (const auto* told = said.if_contains("cost")) cost = told->as_object();
    };
    return run(runner, std::move(attempt));
  }
  swarm::AttemptOutcome run(swarm::Runner& by, swarm::Attempt attempt) {
    std::optional<swarm::AttemptOutcome> outcome;
    group.spawn("run", [&by, &outcome, attempt]() -> asio::awaitable<void> {
      auto running = by.run(attempt);
      outcome = co_await std::move(running);
    });
    until([&] { return outcome.has_value(); });
    return *outcome;
  }
  void until(const std::function<bool()>& holds) {
    const auto limit = std::chrono::steady_clock::now() + 60s;
    while (!holds()) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds{100});
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("it never came true");
    }
  }

  fs::path path = fs::temp_directory_path() / ("vigil-agents-" + random_hex(6));
  asio::io_context loop{1};
  std::unique_ptr<Clock> clock = make_system_clock();
  std::unique_ptr<swarm::Runner> processes = swarm::make_process_runner(
      loop.get_executor(), *clock, bin_dir(), (path / "work").string(), {});
  AgentRunner runner{*clock, (path / "agents").string()};
  config::Settings settings;
  json::object cost;
  TaskGroup group{loop.get_executor()};
};

}  // namespace

TEST_CASE("claude: how it is called, and what it says it did and took") {
  auto agent = agent_of(config::AgentRecipe::claude);
  agent.model = "opus";
  const auto command = command_of(agent, "the prompt", "0e63");
  CHECK(command.argv == std::vector<std::string>{"claude", "--permission-mode", "acceptEdits", "-p",
                                                 "--output-format", "json", "--model", "opus",
                                                 "--resume", "0e63"});
  CHECK(command.standard_input == "the prompt");
  const auto said = understood(agent, claude_result);
  CHECK(said.ok);
  CHECK(said.answer == "Mended.");
  CHECK(said.conversation == "0e639165-79b1-4bd4-bb0f-4cb4c15115d4");
  CHECK(said.usage == Usage{3, 6, 15635, 20, true});
  CHECK(said.micros == 7983);
  CHECK(understood(agent, "[{\"type\":\"system\"}," + std::string(claude_result) + "]").ok);
  const auto failed = understood(
      agent, R"({"type":"result","subtype":"error_max_turns","is_error":true,"session_id":"x"})");
  CHECK_FALSE(failed.ok);
  CHECK(failed.error.find("error_max_turns") != std::string::npos);
  const auto refused = understood(
      agent, R"({"type":"result","subtype":"success","is_error":true,"result":"API Error: 500"})");
  CHECK(refused.error == R"(it ended with an error: "API Error: 500")");
  CHECK(refused.has_spoken);
  CHECK_FALSE(understood(agent, "Segmentation fault").ok);
  CHECK_FALSE(understood(agent, "Segmentation fault").has_spoken);
}

TEST_CASE("codex: its lines, with what is read from the cache counted once") {
  auto agent = agent_of(config::AgentRecipe::codex);
  const auto command = command_of(agent, "the prompt", "019a");
  CHECK(command.argv == std::vector<std::string>{"codex", "exec", "--skip-git-repo-check",
                                                 "--dangerously-bypass-approvals-and-sandbox",
                                                 "--json", "resume", "019a", "-"});
  agent.sandbox = "none";
  CHECK(command_of(agent, "the prompt", "").argv ==
        std::vector<std::string>{"codex", "exec", "--skip-git-repo-check", "--sandbox",
                                 "workspace-write", "--json", "-"});
  const auto said = understood(agent, codex_lines);
  CHECK(said.ok);
  CHECK(said.answer == "Mended.");
  CHECK(said.conversation == "019a2d7a-41c4-78b1-b7cc-a45d62a89cd5");
  CHECK(said.usage == Usage{900, 345, 200, 100, true});
  const auto failed = understood(
      agent, "noise\n{\"type\":\"turn.failed\",\"error\":{\"message\":\"out of tokens\"}}\n");
  CHECK_FALSE(failed.ok);
  CHECK(failed.error.find("out of tokens") != std::string::npos);
  CHECK_FALSE(understood(agent, "").ok);
}

TEST_CASE("any command: the prompt stands where it says, else on standard input") {
  auto agent = agent_of(config::AgentRecipe::command);
  agent.argv = {"aider", "--message", "{prompt}"};
  auto command = command_of(agent, "do it", "");
  CHECK(command.argv == std::vector<std::string>{"aider", "--message", "do it"});
  CHECK(command.standard_input.empty());
  agent.argv = {"llm"};
  command = command_of(agent, "do it", "");
  CHECK(command.standard_input == "do it");
  CHECK(understood(agent, "done\n").answer == "done");
}

TEST_CASE("what an agent changes becomes a patch, and its working tree is gone") {
  World world;
  world.add(config::AgentRecipe::claude,
            "cat > prompt.txt; echo new > file.txt; rm -f prompt.txt; mkdir d; echo x > d/y\n"
            "cat <<'EOF'\n" +
                std::string(claude_result) + "\nEOF\n");
  const auto outcome = world.work();
  REQUIRE_MESSAGE(outcome.ok, outcome.error);
  CHECK(find_text(outcome.result, "answer") == "Mended.");
  const std::string patch(find_text(outcome.result, "patch").value());
  CHECK(patch.find("-old\n+new\n") != std::string::npos);
  CHECK(patch.find("+++ b/d/y") != std::string::npos);
  CHECK(patch.find("prompt.txt") == std::string::npos);
  CHECK(world.cost.at("tokens") == 3 + 6 + 15635 + 20);
  CHECK(world.cost.at("money_micros") == 7983);
  CHECK(fs::is_empty(world.path / "agents/trees"));
  CHECK(world.shell("cd repo && git worktree list | wc -l").starts_with("1"));
  CHECK(world.shell("cat repo/file.txt") == "old");
  std::ofstream(world.path / "p.patch") << patch;
  CHECK(world.shell("cd repo && git apply --check ../p.patch && echo fits") == "fits");
}

// Says what the second line of $HOME/say holds as the usage so far, and who it is.
constexpr const char* counting =
    "pwd > \"$HOME/where\"; echo \"$@\" >> \"$HOME/arguments\"; cat > /dev/null\n"
    "if [ -e \"$HOME/forgotten\" ] && [ -n \"$5\" ]; then\n"
    "  echo \"No conversation found with session ID: $5\" >&2; exit 1; fi\n"
    "read -r tokens cost code < \"$HOME/say\"\n"
    "echo '{\"type\":\"result\",\"is_error\":'$([ $code = 0 ] && echo false || echo true)"
    "',\"result\":\"so\",\"session_id\":\"0e63-a\",\"total_cost_usd\":'$cost',\"modelUsage\":"
    "{\"m\":{\"inputTokens\":'$tokens'}}}'\n"
    "exit $code\n";

TEST_CASE("a conversation goes on in the same place, with the same home, and is paid once") {
  World world;
  world.add(config::AgentRecipe::claude, counting);
  const auto home = world.path / "agents/homes/fixer";
  fs::create_directories(home);
  const auto will_say = [&](const char* text) { std::ofstream(home / "say") << text << '\n'; };
  will_say("100 0.5 0");
  const auto first = world.work();
  REQUIRE_MESSAGE(first.ok, first.error);
  const std::string conversation(find_text(first.result, "conversation").value());
  CHECK(conversation.ends_with(":100.0.0.0.500000:0e63-a"));
  CHECK(world.cost.at("tokens") == 100);
  const auto where = world.shell("cat " + (home / "where").string());

  // It took 30 more, and failed; tried again, it took 20 more.
  will_say("130 0.6 1");
  const auto failed = world.work(conversation);
  CHECK_FALSE(failed.ok);
  CHECK(failed.error == "exit code 1; it ended with an error: \"so\"");
  CHECK(world.cost.at("tokens") == 30);
  CHECK(world.cost.at("money_micros") == 100000);
  CHECK(world.shell("cat " + (home / "where").string()) == where);
  CHECK(world.shell("cat " + (home / "arguments").string()).ends_with("--resume 0e63-a"));
  will_say("150 0.6 0");
  const auto second = world.work(conversation);
  CHECK(world.cost.at("tokens") == 20);
  CHECK(find_text(second.result, "conversation")->ends_with(":150.0.0.0.600000:0e63-a"));
}

TEST_CASE("a conversation that the program has forgotten is begun anew") {
  World world;
  world.add(config::AgentRecipe::claude, counting);
  const auto home = world.path / "agents/homes/fixer";
  fs::create_directories(home);
  std::ofstream(home / "say") << "40 0.1 0\n";
  std::ofstream(home / "forgotten") << "";
  const auto outcome = world.work("ab12:100.0.0.0.500000:0e63-a");
  REQUIRE_MESSAGE(outcome.ok, outcome.error);
  CHECK(world.cost.at("tokens") == 40);
  CHECK(find_text(outcome.result, "conversation") == "ab12:40.0.0.0.100000:0e63-a");
  const auto called = world.shell("cat " + (home / "arguments").string());
  CHECK(called == "-p --output-format json --resume 0e63-a\n-p --output-format json");
}

TEST_CASE("a directory in which somebody talks is not talked in twice, and a crash locks none") {
  World world;
  world.add(config::AgentRecipe::claude, counting);
  const auto home = world.path / "agents/homes/fixer";
  fs::create_directories(home);
  std::ofstream(home / "say") << "40 0.1 0\n";
  const auto tree = world.path / "agents/trees/ab12";
  fs::create_directories(tree);
  const auto beside = world.work("ab12:100.0.0.0.500000:0e63-a");
  REQUIRE_MESSAGE(beside.ok, beside.error);
  CHECK_FALSE(find_text(beside.result, "conversation")->starts_with("ab12:"));
  CHECK(world.cost.at("tokens") == 40);
  std::ofstream(home / "say") << "70 0.1 0\n";
  // What a crash leaves: git knows the directory, which is gone.
  fs::remove_all(tree);
  world.shell(
      "cd repo && git worktree add -q --detach ../agents/trees/ab12 HEAD && "
      "rm -r ../agents/trees/ab12");
  const auto after = world.work("ab12:10.0.0.0.0:0e63-a");
  REQUIRE_MESSAGE(after.ok, after.error);
  CHECK(find_text(after.result, "conversation")->starts_with("ab12:"));
  CHECK(world.cost.at("tokens") == 30);
}

TEST_CASE("a secret reaches the program alone") {
  World world;
  std::ofstream(world.path / "key") << "sk-secret";
  fs::permissions(world.path / "key", fs::perms::owner_read | fs::perms::owner_write);
  auto& agent = world.add(config::AgentRecipe::command, "cat > /dev/null; echo \"got $THE_KEY\"");
  agent.secrets["THE_KEY"] = {"file:" + (world.path / "key").string()};
  agent.outcome = config::AgentOutcome::discard;
  const auto outcome = world.work();
  CHECK(find_text(outcome.result, "answer") == "got sk-secret");
  CHECK_FALSE(outcome.result.as_object().contains("patch"));
}

TEST_CASE("git that is run after an agent heeds nothing the agent wrote") {
  World world;
  // Its link to the repository leads to one of its own, whose settings name a program.
  world.add(config::AgentRecipe::command,
            "cat > /dev/null; rm .git; git init -q . && git config core.fsmonitor 'touch pwned' && "
            "echo '*.txt filter=evil' > .gitattributes && git config filter.evil.clean 'touch "
            "pwned2; cat'; echo new > file.txt; echo done");
  const auto outcome = world.work();
  CHECK_FALSE(fs::exists(world.path / "repo/pwned"));
  CHECK(world.shell("find . -name 'pwned*' | wc -l").starts_with("0"));
  if (outcome.ok) {
    CHECK(find_text(outcome.result, "patch")->find("+new") != std::string_view::npos);
  }
}

TEST_CASE("who fails, and who is not there, is told; nothing stays behind") {
  World world;
  world.add(config::AgentRecipe::claude, "cat > /dev/null; echo broken >&2; exit 3");
  auto outcome = world.work();
  CHECK_FALSE(outcome.ok);
  CHECK(outcome.error.find("exit code 3: broken") != std::string::npos);
  CHECK(fs::is_empty(world.path / "agents/trees"));
  world.settings.agents["fixer"].repository = (world.path / "nowhere").string();
  outcome = world.work();
  CHECK(outcome.error.find("git: ") == 0);
  world.settings.agents.clear();
  outcome = world.work();
  CHECK(outcome.error.find("there is no agent 'fixer'") == 0);
  CHECK_FALSE(outcome.retryable);
}
