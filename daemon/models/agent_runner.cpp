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
// The last line says how it ended; before it stands all that it ran.
constexpr std::size_t printed_bytes_max = std::size_t{16} * 1024 * 1024;
constexpr std::size_t conversations_max = 4096;

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

// It stands among the arguments of the program.
bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && id.front() != '-' &&
         std::ranges::all_of(id, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

// Counters of a conversation only grow; one that went back was begun anew.
Usage between(const Usage& before, const Usage& now) {
  Usage out{now.input - before.input, now.output - before.output,
            now.cache_read - before.cache_read, now.cache_write - before.cache_write, now.told};
  return std::min({out.input, out.output, out.cache_read, out.cache_write}) < 0 ? now : out;
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

std::string AgentRunner::tree_path(const std::string& name) const {
  return fmt::format("{}/trees/{}", folder_, name);
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
  Tree tree{name, tree_path(name), ""};
  std::error_code error;
  fs::create_directories(fmt::format("{}/homes/{}", folder_, entry->settings.name), error);
  if (!error) fs::create_directories(folder_ + "/trees", error);
  if (!error) fs::create_directory(tree.path, error);
  if (error) {
    co_return fail(ErrorCode::unavailable,
                   fmt::format("{} cannot be made: {}", tree.path, error.message()));
  }
  const auto& repository = entry->settings.repository;
  if (repository.empty()) co_return tree;
  // By force: after a crash git still knows one of that name.
  std::vector<std::string> add{"-C",       repository, "-c",      "core.hooksPath=/dev/null",
                               "worktree", "add",      "--force", "--detach",
                               tree.path,  commit};
  auto adding = git(std::move(add), deadline, short_output);
  Result<std::string> added = co_await std::move(adding);
  if (!added) {
    fs::remove_all(tree.path, error);
    co_return std::unexpected(added.error());
  }
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

AgentRunner::Conversation AgentRunner::conversation_of(const std::string& text) {
  Conversation out;
  const auto first = text.find(':');
  if (first == std::string::npos || !is_directory_name(text.substr(0, first))) return {};
  const auto second = text.find(':', first + 1);
  if (second == std::string::npos) return {};
  out.tree = text.substr(0, first);
  out.id = text.substr(second + 1);
  if (!is_id(out.id)) return {};
  const auto counts = text.substr(first + 1, second - first - 1);
  auto& [usage, micros] = out.taken;
  const int read = std::sscanf(counts.c_str(), "%ld.%ld.%ld.%ld.%ld", &usage.input, &usage.output,
                               &usage.cache_read, &usage.cache_write, &micros);
  return read == 5 ? out : Conversation{};
}

std::string AgentRunner::text_of(const Conversation& conversation) {
  const auto& [usage, micros] = conversation.taken;
  return fmt::format("{}:{}.{}.{}.{}.{}:{}", conversation.tree, usage.input, usage.output,
                     usage.cache_read, usage.cache_write, micros, conversation.id);
}

swarm::Attempt AgentRunner::program_of(const Entry& entry, const Tree& tree, const std::string& id,
                                       const swarm::Attempt& attempt) const {
  const auto& agent = entry.settings;
  auto command = command_of(agent, prompt_text(attempt), id);
  const auto home = fmt::format("{}/homes/{}", folder_, agent.name);
  swarm::Attempt program = attempt;
  program.task.agent = nullptr;
  program.task.argv = std::move(command.argv);
  program.task.workdir = tree.path;
  if (agent.recipe != config::AgentRecipe::command) {
    program.task.output_bytes_max = printed_bytes_max;
  }
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
  for (const auto& [name, secret] : entry.secrets) {
    program.environment.emplace_back(name, std::string(secret.reveal()));
  }
  return program;
}

// What this run took is the difference to what the conversation had taken before.
void AgentRunner::tell_cost(const Entry& entry, const swarm::Attempt& attempt,
                            const AgentSaid& said, Conversation& conversation) {
  if (!said.usage.told && said.micros < 0) return;
  const auto known = taken_.find(said.conversation);
  const Taken before = said.conversation != conversation.id ? Taken{}
                       : known != taken_.end()              ? known->second
                                                            : conversation.taken;
  const Taken now{said.usage, std::max<std::int64_t>(said.micros, 0)};
  const auto took = between(before.usage, now.usage);
  const auto priced = money_micros(took, entry.settings.price);
  const auto asked = now.micros < before.micros ? now.micros : now.micros - before.micros;
  if (attempt.said) attempt.said({{"cost", cost_of(took, priced > 0 ? priced : asked)}});
  conversation.taken = now;
  // Without it an attempt that told what it took and failed is counted twice, no more.
  if (taken_.size() >= conversations_max) taken_.clear();
  if (!said.conversation.empty()) taken_[said.conversation] = now;
}

asio::awaitable<swarm::AttemptOutcome> AgentRunner::call(std::shared_ptr<Entry> entry, Tree tree,
                                                         Conversation conversation,
                                                         swarm::Attempt attempt) {
  const auto& agent = entry->settings;
  auto running = processes_->run(program_of(*entry, tree, conversation.id, attempt));
  swarm::AttemptOutcome outcome = co_await std::move(running);
  const auto printed = outcome.result.is_null()     ? std::string()
                       : outcome.result.is_string() ? std::string(outcome.result.as_string())
                                                    : to_text(outcome.result);
  auto said = understood(agent, printed);
  tell_cost(*entry, attempt, said, conversation);
  if (outcome.ok && !said.ok) outcome.error = said.error;
  if (!outcome.ok && said.has_spoken && !said.error.empty()) outcome.error += "; " + said.error;
  if (!said.ok && outcome.output_cut_bytes > 0) outcome.error += "; it printed too much";
  outcome.ok = outcome.ok && said.ok;
  json::object result{{"answer", to_valid_utf8(said.answer)}};
  if (agent.keep_conversation && is_id(said.conversation)) {
    conversation.tree = tree.name;
    conversation.id = std::move(said.conversation);
    result["conversation"] = text_of(conversation);
  }
  outcome.result = std::move(result);
  co_return outcome;
}

asio::awaitable<swarm::AttemptOutcome> AgentRunner::work(std::shared_ptr<Entry> entry, Tree tree,
                                                         Conversation conversation,
                                                         swarm::Attempt attempt) {
  const auto name = entry->settings.name;
  const bool goes_on = !conversation.id.empty();
  auto calling = call(entry, tree, std::move(conversation), attempt);
  swarm::AttemptOutcome outcome = co_await std::move(calling);
  // Such programs throw old conversations away. It has done nothing then, so it may begin anew.
  if (outcome.ok || !goes_on || !has_forgotten(entry->settings, outcome.error)) co_return outcome;
  log_info("agent '{}' has forgotten a conversation and begins a new one", name);
  auto again = call(std::move(entry), std::move(tree), Conversation{}, std::move(attempt));
  co_return co_await std::move(again);
}

asio::awaitable<swarm::AttemptOutcome> AgentRunner::run(swarm::Attempt attempt) {
  const auto found = agents_.find(attempt.task.agent->name);
  if (found == agents_.end()) {
    co_return failed(Error{ErrorCode::not_found,
                           fmt::format("there is no agent '{}': define [agent.{}]",
                                       attempt.task.agent->name, attempt.task.agent->name)});
  }
  const auto entry = found->second;
  auto conversation = conversation_of(attempt.task.agent->conversation);
  // Two cannot talk at once in one directory: the second one begins anew.
  if (conversation.tree.empty() || fs::exists(tree_path(conversation.tree))) {
    conversation = {.tree = random_hex(8), .taken = {}, .id = ""};
  }
  auto making = make_tree(entry, conversation.tree, attempt.task.agent->commit, attempt.deadline);
  Result<Tree> tree = co_await std::move(making);
  if (!tree) co_return failed(tree.error());
  swarm::AttemptOutcome outcome;
  std::exception_ptr thrown;
  try {
    auto working = work(entry, *tree, std::move(conversation), std::move(attempt));
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
