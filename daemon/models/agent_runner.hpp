#pragma once
// Runs agent programs as tasks of a swarm, each in a working tree of its own that is thrown away or
// becomes a patch. Loop thread only. Working trees that a crash left are removed at the next start.
#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/models/agent_recipes.hpp"
#include "swarm/runner.hpp"

namespace vigil::models {

class AgentRunner final : public swarm::Runner {
 public:
  // Below `folder` are the working trees and, for each agent, the home in which it keeps its
  // conversations.
  AgentRunner(Clock& clock, std::string folder);
  // What runs the programs; before the first run. It must outlive this.
  void run_with(swarm::Runner& processes) { processes_ = &processes; }

  // Reads the secrets. Nothing changes when one cannot be read.
  Result<void> apply(const config::Settings& settings);
  boost::asio::awaitable<swarm::AttemptOutcome> run(swarm::Attempt attempt) override;

 private:
  struct Entry;
  struct Tree {
    std::string name;  // of its directory: a conversation is bound to it
    std::string path;
    std::string git_dir;  // of a clone; empty: there is none
  };
  struct Taken {  // by a conversation since it began
    Usage usage;
    std::int64_t micros = 0;
  };
  // As a task is given it and answers it: "TREE:TAKEN:ID".
  struct Conversation {
    std::string tree;
    Taken taken;
    std::string id;  // as the program calls it; empty: none
  };
  static Conversation conversation_of(const std::string& text);
  static std::string text_of(const Conversation& conversation);
  std::string tree_path(const std::string& name) const;
  boost::asio::awaitable<Result<std::string>> git(std::vector<std::string> arguments,
                                                  TimePoint deadline, std::size_t bytes_max);
  boost::asio::awaitable<Result<Tree>> make_tree(std::shared_ptr<Entry> entry, std::string name,
                                                 std::string commit, TimePoint deadline);
  boost::asio::awaitable<void> remove_tree(std::shared_ptr<Entry> entry, Tree tree);
  boost::asio::awaitable<Result<std::string>> patch_of(std::shared_ptr<Entry> entry, Tree tree);
  swarm::Attempt program_of(const Entry& entry, const Tree& tree, const std::string& id,
                            const swarm::Attempt& attempt) const;
  void tell_cost(const Entry& entry, const swarm::Attempt& attempt, const AgentSaid& said,
                 Conversation& conversation);
  boost::asio::awaitable<swarm::AttemptOutcome> call(std::shared_ptr<Entry> entry, Tree tree,
                                                     Conversation conversation,
                                                     swarm::Attempt attempt);
  boost::asio::awaitable<swarm::AttemptOutcome> work(std::shared_ptr<Entry> entry, Tree tree,
                                                     Conversation conversation,
                                                     swarm::Attempt attempt);

  swarm::Runner* processes_ = nullptr;
  Clock& clock_;
  std::string folder_;
  std::map<std::string, std::shared_ptr<Entry>> agents_;
  // By id: newer than what a task knows that is tried again.
  std::map<std::string, Taken> taken_;
};

}  // namespace vigil::models
