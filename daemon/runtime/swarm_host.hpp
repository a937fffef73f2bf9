#pragma once
// Runs the swarms that decisions, or people, asked for: planned ones in order, within each entity's
// concurrency; checkpoints as they go; at the end the report, what was spent and the wake that
// tells the guardian are one commit. A crash leaves swarms unfinished: they are resumed. Loop
// thread only; what takes long of a large plan is done on a thread aside.
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include "core/task_group.hpp"
#include "daemon/runtime/house.hpp"
#include "daemon/runtime/swarm_notes.hpp"
#include "daemon/runtime/swarm_rows.hpp"
#include "swarm/engine.hpp"

namespace boost::asio {
class thread_pool;
}

namespace vigil::runtime {

class SwarmHost {
 public:
  explicit SwarmHost(House& house);
  ~SwarmHost();

  void start(const config::Swarms& limits);  // resumes what a crash cut off
  // How much of results that later tasks may take is kept, and how often each model is asked at
  // once; at start and at each reload.
  void apply(const config::Settings& settings);
  // Swarms that were committed as planned. `source`: of the events they are about.
  void planned(const std::vector<SwarmId>& swarms, const std::string& source);
  Result<void> cancel(SwarmId swarm, const std::string& why);
  // One that failed or was cancelled runs again: what is done stays done. `by`: who asks.
  boost::asio::awaitable<Result<void>> retry(SwarmId swarm, std::string by);
  // A person's plan, within the limits of an entity. The plan must be valid.
  boost::asio::awaitable<Result<SwarmId>> run_by_hand(std::string entity, PlanRow row,
                                                      std::string by);
  void cancel_of(const std::vector<CaseId>& cases);
  void cancel_of_source(const std::string& source, const std::string& why);
  // Children are stopped, checkpoints stay. What the disk does not take is run again next time.
  boost::asio::awaitable<void> stop();

  int running_swarms() const { return static_cast<int>(running_.size()); }
  int running_tasks() const;
  bool busy_with(const std::string& source) const;

 private:
  using Learned = std::unordered_map<std::string, swarm::Learned>;
  struct Queued {
    SwarmId id;
    std::string entity;
    std::string source;
  };
  // A swarm as it is read aside.
  struct Prepared {
    std::optional<storage::Swarm> swarm;  // without its plan
    swarm::Run run;
    Learned learned;
    std::string error;  // why it cannot run
  };
  void enqueue(const storage::Swarm& swarm, std::string source);
  std::string source_of(const storage::Swarm& swarm) const;
  void go_on();
  bool may_run(const std::string& entity) const;
  boost::asio::awaitable<void> run(Queued queued);
  boost::asio::awaitable<void> finish(storage::Swarm swarm, swarm::Report report);
  boost::asio::awaitable<void> store_end(storage::Swarm swarm,
                                         std::shared_ptr<swarm::Report> report);
  void tell_end(const storage::Swarm& swarm, swarm::Report& report);
  boost::asio::awaitable<Prepared> prepare(SwarmId swarm);
  storage::Stores& reader_aside();
  void tell(const swarm::Progress& progress);

  House& house_;
  std::unique_ptr<swarm::Runner> processes_;
  std::unique_ptr<swarm::Runner> runner_;  // in front of them
  std::map<std::string, int> models_;      // units of "model:NAME"
  int examples_ = 0;                       // earlier plans that a planner is shown
  std::unique_ptr<swarm::Engine> engine_;
  std::unique_ptr<storage::Stores> reader_aside_;    // of that thread alone
  std::unique_ptr<boost::asio::thread_pool> aside_;  // one thread, for what would hold the loop
  std::map<std::string, Learned> learned_;           // by entity, of what runs
  SwarmNotes notes_;                                 // ends after group_: what ended is written
  std::deque<Queued> queue_;
  std::map<SwarmId, Queued> running_;
  std::map<SwarmId, std::string> cancelled_;  // before the engine had them: why
  bool stopping_ = false;
  TaskGroup group_;
};

}  // namespace vigil::runtime
