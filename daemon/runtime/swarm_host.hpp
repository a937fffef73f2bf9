#pragma once
// Runs the swarms that decisions asked for: planned ones in order, within each entity's
// concurrency; checkpoints as they go; at the end the report, what was spent and the wake that
// tells the guardian are one commit. A crash leaves swarms unfinished: they are resumed. Loop
// thread only.
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include "core/task_group.hpp"
#include "daemon/runtime/house.hpp"
#include "swarm/engine.hpp"

namespace vigil::runtime {

class SwarmHost final : public swarm::Checkpoints {
 public:
  explicit SwarmHost(House& house);
  ~SwarmHost() override;

  void start(const config::Swarms& limits);  // resumes what a crash cut off
  // Swarms that were committed as planned. `source`: of the events they are about.
  void planned(const std::vector<SwarmId>& swarms, const std::string& source);
  Result<void> cancel(SwarmId swarm, const std::string& why);
  void cancel_of(const std::vector<CaseId>& cases);
  void cancel_of_source(const std::string& source, const std::string& why);
  boost::asio::awaitable<void> stop();  // children are stopped, checkpoints stay

  int running_swarms() const { return static_cast<int>(running_.size()); }
  int running_tasks() const;
  bool busy_with(const std::string& source) const;

  boost::asio::awaitable<void> started(SwarmId swarm, std::string task, int attempt,
                                       std::int64_t fence) override;
  boost::asio::awaitable<void> ended(SwarmId swarm, swarm::TaskOutcome outcome,
                                     std::int64_t fence) override;

 private:
  struct Queued {
    SwarmId id;
    std::string entity;
    std::string source;
  };
  void enqueue(const storage::Swarm& swarm, std::string source);
  void go_on();
  bool may_run(const std::string& entity) const;
  boost::asio::awaitable<void> run(Queued queued);
  boost::asio::awaitable<void> finish(storage::Swarm swarm, swarm::Report report);
  Result<swarm::Run> prepare(const storage::Swarm& swarm);
  void tell(const swarm::Progress& progress);

  House& house_;
  std::unique_ptr<swarm::Runner> runner_;
  std::unique_ptr<swarm::Engine> engine_;
  std::unordered_map<std::string, Duration> learned_;  // by task name, of what runs
  std::deque<Queued> queue_;
  std::map<SwarmId, Queued> running_;
  std::map<SwarmId, std::string> cancelled_;  // before the engine had them: why
  bool stopping_ = false;
  TaskGroup group_;
};

}  // namespace vigil::runtime
