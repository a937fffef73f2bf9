#pragma once
// One running swarm: which tasks wait, run and are over, and what follows from each end. Private to
// swarm; loop thread only.
//
// A task moves waiting -> (ready) -> running -> done | failed, or to cancelled | skipped. One that
// started on an interface is provisional: its end is held until every task whose interface it
// consumed is done with that same interface, so a `needs` edge never sees a guess.
#include <exception>
#include <map>
#include <optional>

#include "core/bell.hpp"
#include "core/digest.hpp"
#include "core/task_group.hpp"
#include "swarm/graph.hpp"
#include "swarm/scheduler.hpp"

namespace vigil::swarm {

// What all swarms of an engine share.
struct Services {
  boost::asio::any_io_executor executor;
  Clock& clock;
  Runner& runner;
  Checkpoints& checkpoints;
  Scheduler scheduler;
  std::function<void(const Progress&)> tell;
  LearnedDurations learned;
};

class SwarmRun final : public Contender {
 public:
  SwarmRun(Services& services, Run run);
  ~SwarmRun() override;

  SwarmId id() const { return run_.id; }
  boost::asio::awaitable<Report> run();
  void cancel(std::string why);
  void start(std::uint32_t task, const Holding& holding) override;

 private:
  struct Interface {
    json::value value;
    Sha256 digest;
  };
  enum class Stop { none, rerun, upstream_failed };
  // Only tasks with needs_interface have one.
  struct Speculation {
    std::map<std::uint32_t, Sha256> consumed;  // interfaces in use whose tasks are not done yet
    Stop stop = Stop::none;                    // asked of the attempt that runs
    std::unique_ptr<Bell> bell;                // of that attempt
    std::optional<TaskState> held;             // how it ended, once the guesses are confirmed
    std::string doom;                          // why it cannot be done any more
  };
  enum class Phase { waiting, ready, busy, held, over };
  struct Node {
    TaskOutcome outcome;
    Phase phase = Phase::waiting;
    std::size_t lane = 0;
    Duration path{0};           // the longest way from its start to the end of the plan
    std::uint32_t missing = 0;  // edges that do not let it start yet
    int retries_left = 0;
    std::int64_t fence = 0;
    bool excused = false;  // skipped because an optional task failed
    std::optional<Interface> interface;
    std::unique_ptr<Speculation> speculation;
  };

  // How one attempt ends (swarm_attempt.cpp).
  boost::asio::awaitable<void> attempt(std::uint32_t task, std::shared_ptr<Slot> slot);
  boost::asio::awaitable<void> attempt_once(std::uint32_t task, std::shared_ptr<Slot> slot);
  boost::asio::awaitable<AttemptOutcome> run_attempt(std::uint32_t task, Attempt attempt);
  boost::asio::awaitable<AttemptOutcome> run_on_interfaces(std::uint32_t task, Attempt attempt);
  boost::asio::awaitable<void> retry_later(std::uint32_t task);
  boost::asio::awaitable<void> conclude(std::uint32_t task, TaskState state);
  Attempt make_attempt(std::uint32_t task);
  void hear(std::uint32_t task, json::object said);
  void publish(std::uint32_t task, json::value interface);
  void record(Node& node, AttemptOutcome& outcome, Duration took);

  // What follows from it (swarm_run.cpp).
  void prepare();
  void adopt_finished();
  void release(std::uint32_t task);
  void make_ready(std::uint32_t task);
  void run_again(std::uint32_t task);
  void concluded(std::uint32_t task, TaskState state);
  void task_done(std::uint32_t task);
  void settle(std::uint32_t upstream, std::uint32_t task);
  void drop_dependents(std::uint32_t task, bool excused);
  void drop(std::uint32_t task, const std::string& why, std::vector<std::uint32_t>& dropped);
  void stop_all(std::string why);
  void tell(std::uint32_t task, std::string note);
  boost::asio::awaitable<void> watch_timeout();
  boost::asio::awaitable<void> end_rest();
  void judge();

  Services& services_;
  Run run_;
  Graph graph_;
  std::vector<Node> nodes_;
  Report report_;
  TimePoint deadline_;
  Duration began_{0};
  std::int64_t fence_ = 0;
  std::size_t left_ = 0;  // tasks not over
  bool stopping_ = false;
  bool contending_ = false;
  std::exception_ptr broken_;
  Bell changed_;
  TaskGroup attempts_;
};

}  // namespace vigil::swarm
