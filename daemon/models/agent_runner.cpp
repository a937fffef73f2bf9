#include "daemon/models/agent_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <utility>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "daemon/models/agent_recipes.hpp"
#include "daemon/models/price.hpp"
#include "daemon/models/prompt.hpp"

namespace vigil::models {
namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace {

constexpr Duration tidying_time = std::chrono::seconds{30};
constexpr std::size_t short_output = 64 * 1024;

swarm::AttemptOutcome failed(const Error& error) {
  swarm::AttemptOutcome out;
  out.error = error.message;
  out.retryable = error.code != ErrorCode::invalid_input && error.code != ErrorCode::not_found;
  return out;
}

bool is_directory_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

// "TREE:ID": where the conversation was held, and what the program calls it. What it remembers of
// files is bound to the directory.
std::pair<std::string, std::string> parts_of(const std::string& conversation) {
  const auto colon = conversation.find(':');
  if (colon == std::string::npos || !is_directory_name(conversation.substr(0, colon))) return {};
  return {conversation.substr(0, colon), conversation.substr(colon + 1)};
}

std::string prompt_text(const swarm::Attempt& attempt) {
  swarm::Attempt asked = attempt;
  auto ask = std::make_shared<swarm::Ask>();
  ask->prompt = attempt.task.agent->prompt;
  asked.task.ask = std::move(ask);
  const auto prompt = prompt_of(asked, random_hex(8));
  return prompt.system + "\n\n" + prompt.turns.front().text;
}

// Git that heeds nothing an agent may have written: not the tree's own link to a repository, no
// hooks, no watcher of files.
std::vector<std::string> careful_git(const std::string& git_dir, const std::string& tree) {
  return {"--git-dir=" + git_dir,
          "--work-tree=" + tree,
          "-c",
          "core.hooksPath=/dev/null",
          "-c",
          "core.fsmonitor=false",
          "-c",
          "diff.external="};
}

}  // namespace

struct AgentRunner::Entry {
  config::Agent settings;
  std::vector<std::pair<std::string, config::Secret>> secrets;
};

AgentRunner::AgentRunner(Clock& clock, std::string folder)
    : clock_(clock), folder_(fs::absolute(folder).string()) {
  std::error_code ignored;  // what stays is in nobody's way: names are random
  fs::remove_all(folder_ + "/trees", ignored);
}

Result<void> AgentRunner::apply(const config::Settings& settings) {
  std::map<std::string, std::shared_ptr<Entry>> fresh;
  for (const auto& [name, agent] : settings.agents) {
    auto entry = std::make_shared<Entry>();
    entry->settings = agent;
    for (const auto& [variable, ref] : agent.secrets) {
      auto secret = config::read_secret(ref);
      if (!secret) {
        return fail(secret.error().code,
                    fmt::format("agent.{}.secrets.{}: {}", name, variable, secret.error().message));
      }
      entry->secrets.emplace_back(variable, std::move(*secret));
    }
    fresh.emplace(name, std::move(entry));
  }
  agents_ = std::move(fresh);
  return {};
}

asio::awaitable<Result<std::string>> AgentRunner::git(std::vector<std::string> arguments,
                                                      TimePoint deadline, std::size_t bytes_max) {
  swarm::Attempt attempt;
  attempt.task.name = "git";
  attempt.task.argv = {"git"};
  attempt.task.argv.insert(attempt.task.argv.end(), arguments.begin(), arguments.end());
  attempt.task.containment = swarm::Containment::none;
  attempt.task.output_bytes_max = bytes_max;
  attempt.deadline = deadline;
  attempt.grace = std::chrono::seconds{1};
  attempt.standard_input = "";
  auto running = processes_->run(std::move(attempt));
  swarm::AttemptOutcome outcome = co_await std::move(running);
  if (!outcome.ok) co_return fail(ErrorCode::unavailable, "git: " + outcome.error);
  if (outcome.output_cut_bytes > 0) {
    co_return fail(ErrorCode::too_large, fmt::format("it is larger than {} bytes", bytes_max));
  }
  if (outcome.result.is_null()) co_return std::string();
  if (const auto* text = outcome.result.if_string()) co_return std::string(*text);
  co_return to_text(outcome.result);
}

asio::awaitable<Result<AgentRunner::Tree>> AgentRunner::make_tree(std::shared_ptr<Entry> entry,
                                                                  std::string name,
                                                                  std::string commit,
                                                                  TimePoint deadline) {
  Tree tree{name, fmt::format("{}/trees/{}", folder_, name), ""};
  std::error_code error;
  fs::create_directories(fmt::format("{}/homes/{}", folder_, entry->settings.name), error);
  if (!error) fs::create_directories(folder_ + "/trees", error);
  const auto& repository = entry->settings.repository;
  if (!error && repository.empty()) fs::create_directory(tree.path, error);
  if (error) {
    co_return fail(ErrorCode::unavailable,
                   fmt::format("{} cannot be made: {}", tree.path, error.message()));
  }
  if (repository.empty()) co_return tree;
  std::vector<std::string> add{"-C",       repository, "-c",       "core.hooksPath=/dev/null",
                               "worktree", "add",      "--detach", tree.path,
                               commit};
  auto adding = git(std::move(add), deadline, short_output);
  Result<std::string> added = co_await std::move(adding);
  if (!added) co_return std::unexpected(added.error());
  std::vector<std::string> ask{"-C", tree.path, "rev-parse", "--absolute-git-dir"};
  auto asking = git(std::move(ask), deadline, short_output);
  Result<std::string> dir = co_await std::move(asking);
  if (!dir) co_return std::unexpected(dir.error());
  tree.git_dir = std::move(*dir);
  co_return tree;
}

asio::awaitable<void> AgentRunner::remove_tree(std::shared_ptr<Entry> entry, Tree tree) {
  std::error_code failed;
  fs::remove_all(tree.path, failed);
  if (failed) log_warn("a working tree stays behind: {}: {}", tree.path, failed.message());
  if (tree.git_dir.empty()) co_return;
  std::vector<std::string> prune{"-C", entry->settings.repository, "worktree", "prune"};
  auto pruning = git(std::move(prune), clock_.now() + tidying_time, short_output);
  Result<std::string> pruned = co_await std::move(pruning);
  if (!pruned)
    log_warn("a working tree is not forgotten: {}", vigil::quoted(pruned.error().message));
}

asio::awaitable<Result<std::string>> AgentRunner::patch_of(std::shared_ptr<Entry> entry,
                                                           Tree tree) {
  const auto deadline = clock_.now() + tidying_time;
  auto add = careful_git(tree.git_dir, tree.path);
  add.insert(add.end(), {"add", "--all"});
  auto adding = git(std::move(add), deadline, short_output);
  Result<std::string> added = co_await std::move(adding);
  if (!added) co_return std::unexpected(added.error());
  auto diff = careful_git(tree.git_dir, tree.path);
  diff.insert(diff.end(),
              {"diff", "--cached", "--binary", "--no-ext-diff", "--no-textconv", "HEAD"});
  auto diffing = git(std::move(diff), deadline, entry->settings.patch_bytes_max);
  Result<std::string> patch = co_await std::move(diffing);
  if (!patch) co_return fail(patch.error().code, "the patch: " + patch.error().message);
  if (!patch->empty()) *patch += '\n';  // what a program prints is kept without its last line end
  co_return std::move(*patch);
}

asio::awaitable<swarm::AttemptOutcome> AgentRunner::work(std::shared_ptr<Entry> entry, Tree tree,
                                                         swarm::Attempt attempt) {
  const auto& agent = entry->settings;
  const auto conversation = parts_of(attempt.task.agent->conversation).second;
  auto command = command_of(agent, prompt_text(attempt), conversation);
  const auto home = fmt::format("{}/homes/{}", folder_, agent.name);
  swarm::Attempt program = attempt;
  program.task.agent = nullptr;
  program.task.argv = std::move(command.argv);
  program.task.workdir = tree.path;
  program.task.read_paths = agent.read_paths;
  program.task.write_paths = agent.write_paths;
  program.task.write_paths.push_back(home);
  if (!agent.repository.empty()) program.task.read_paths.push_back(agent.repository);
  program.task.containment = agent.sandbox == "none"  ? swarm::Containment::none
                             : agent.sandbox == "net" ? swarm::Containment::net
                                                      : swarm::Containment::strict;
  program.deadline = std::min(attempt.deadline, clock_.now() + agent.timeout);
  program.standard_input = std::move(command.standard_input);
  program.environment.emplace_back("HOME", home);
  for (const auto& pair : agent.environment) program.environment.push_back(pair);
  for (const auto& [name, secret] : entry->secrets) {
    program.environment.emplace_back(name, std::string(secret.reveal()));
  }
  auto running = processes_->run(std::move(program));
  swarm::AttemptOutcome outcome = co_await std::move(running);
  const auto printed = outcome.result.is_null()     ? std::string()
                       : outcome.result.is_string() ? std::string(outcome.result.as_string())
                                                    : to_text(outcome.result);
  auto said = understood(agent, printed);
  const bool is_text = agent.recipe == config::AgentRecipe::command;
  if (!is_text && (said.usage.told || said.micros >= 0) && attempt.said) {
    const auto priced = money_micros(said.usage, agent.price);
    attempt.said({{"cost", cost_of(said.usage,
                                   priced > 0 ? priced : std::max<std::int64_t>(said.micros, 0))}});
  }
  if (outcome.ok && !said.ok) outcome.error = said.error;
  outcome.ok = outcome.ok && said.ok;
  json::object result{{"answer", to_valid_utf8(said.answer)}};
  if (agent.keep_conversation && !said.conversation.empty()) {
    result["conversation"] = fmt::format("{}:{}", tree.name, said.conversation);
  }
  outcome.result = std::move(result);
  co_return outcome;
}

asio::awaitable<swarm::AttemptOutcome> AgentRunner::run(swarm::Attempt attempt) {
  const auto found = agents_.find(attempt.task.agent->name);
  if (found == agents_.end()) {
    co_return failed(Error{ErrorCode::not_found,
                           fmt::format("there is no agent '{}': define [agent.{}]",
                                       attempt.task.agent->name, attempt.task.agent->name)});
  }
  const auto entry = found->second;
  auto name = parts_of(attempt.task.agent->conversation).first;
  if (name.empty()) name = random_hex(8);
  auto making = make_tree(entry, name, attempt.task.agent->commit, attempt.deadline);
  Result<Tree> tree = co_await std::move(making);
  if (!tree) co_return failed(tree.error());
  swarm::AttemptOutcome outcome;
  std::exception_ptr thrown;
  try {
    auto working = work(entry, *tree, std::move(attempt));
    outcome = co_await std::move(working);
    if (outcome.ok && entry->settings.outcome == config::AgentOutcome::patch) {
      auto making_patch = patch_of(entry, *tree);
      Result<std::string> patch = co_await std::move(making_patch);
      if (patch) outcome.result.as_object()["patch"] = std::move(*patch);
      if (!patch) outcome.error = patch.error().message;
      outcome.ok = patch.has_value();
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto removing = remove_tree(entry, std::move(*tree));
  co_await std::move(removing);
  if (thrown) std::rethrow_exception(thrown);
  co_return outcome;
}

}  // namespace vigil::models
