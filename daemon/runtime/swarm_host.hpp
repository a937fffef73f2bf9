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

#include "core/bell.hpp"
#include "core/task_group.hpp"
#include "daemon/runtime/house.hpp"
#include "swarm/engine.hpp"

namespace boost::asio {
class thread_pool;
}

namespace vigil::runtime {

class SwarmHost final : public swarm::Checkpoints {
 public:
  explicit SwarmHost(House& house);
  ~SwarmHost() override;

  void start(const config::Swarms& limits);  // resumes what a crash cut off
  // Swarms that were committed as planned. `source`: of the events they are about.
  void planned(const std::vector<SwarmId>& swarms, const std::string& source);
  Result<void> cancel(SwarmId swarm, const std::string& why);
  // One that failed or was cancelled runs again: what is done stays done.
  boost::asio::awaitable<Result<void>> retry(SwarmId swarm);
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
  std::optional<std::pair<json::value, Duration>> recall(const std::string& cache_key) override;

 private:
  // What is to be written of one task. All go to the writer in one line, some hundreds in a change.
  struct Note {
    storage::SwarmTask task;
    std::string cache_key;       // its result may be taken again
    std::shared_ptr<Bell> done;  // rung once it is written; null: a start, nobody waits for it
  };
  using Learned = std::unordered_map<std::string, swarm::Learned>;
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
  boost::asio::awaitable<Result<swarm::Run>> prepare(const storage::Swarm& swarm);
  void learn(const std::string& entity);
  void note(Note note);
  boost::asio::awaitable<void> write_notes();
  void tell(const swarm::Progress& progress);

  House& house_;
  std::unique_ptr<swarm::Runner> runner_;
  std::unique_ptr<swarm::Engine> engine_;
  std::unique_ptr<boost::asio::thread_pool> aside_;  // what would hold the loop too long
  std::map<std::string, Learned> learned_;           // by entity, of what runs
  std::deque<Note> notes_;
  bool writing_ = false;
  std::deque<Queued> queue_;
  std::map<SwarmId, Queued> running_;
  std::map<SwarmId, std::string> cancelled_;  // before the engine had them: why
  bool stopping_ = false;
  TaskGroup group_;
  TaskGroup writes_;  // ends after group_: what ended is written, even while we stop
};

}  // namespace vigil::runtime
