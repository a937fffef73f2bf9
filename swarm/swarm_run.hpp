#pragma once
// One running swarm: which tasks wait, run and are over, and what follows from each end. Private to
// swarm; loop thread only.
//
// A task moves waiting -> ready -> busy -> over, back to ready (by way of pausing) to be tried
// again. One whose own work ended but that is not final yet is held: until every task whose
// interface it consumed is done with that same interface, so a `needs` edge never sees a guess, and
// until every task it spawned is over.
#include <deque>
#include <exception>
#include <map>
#include <optional>
#include <unordered_map>

#include "core/bell.hpp"
#include "core/digest.hpp"
#include "core/task_group.hpp"
#include "swarm/graph.hpp"
#include "swarm/scheduler.hpp"
#include "swarm/spawn.hpp"

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
  boost::asio::any_io_executor pool;  // empty: there is none
};

class SwarmRun final : public Contender {
 public:
  SwarmRun(Services& services, Run run);
  ~SwarmRun() override;

  SwarmId id() const { return run_.id; }
  boost::asio::awaitable<Report> run();
  void cancel(std::string why);
  void start(std::uint32_t task, const Holding& holding) override;
  void dispatch_in(Duration wait) override;

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  // Why an attempt is to end before its time.
  enum class Stop {
    none,
    rerun,    // what it started on is not what it became
    doomed,   // what it needs cannot be had any more
    lost,     // another attempt won
    refused,  // it asked for something it may not have
  };
  // One attempt that runs.
  struct Copy {
    explicit Copy(const boost::asio::any_io_executor& executor) : bell(executor) {}
    int number = 0;
    int variant = 1;
    bool is_hedge = false;
    std::int64_t fence = 0;
    TimePoint started;
    Duration began{0};
    Duration interface_after{0};
    Stop stop = Stop::none;
    std::string why;  // of the stop
    Bell bell;        // rung with it
  };
  struct Interface {
    json::value value;
    Sha256 digest;
  };
  // Only tasks with needs_interface have one.
  struct Speculation {
    std::map<std::uint32_t, Sha256> consumed;  // interfaces in use whose tasks are not done yet
    bool guessed = false;                      // the attempt that counts started on one
    int wrong = 0;                             // guesses so far that were
    bool waits_for_results = false;            // it was wrong too often
  };
  // What a task spawned in its present attempt.
  struct Family {
    int attempt = 0;
    std::vector<std::uint32_t> children;
    std::vector<std::string> names;  // as they were asked for
    std::size_t left = 0;
    std::string result_of;
    bool is_list = false;  // of for_each
  };
  enum class Phase { waiting, ready, busy, pausing, held, over };
  struct Node {
    TaskOutcome outcome;
    Phase phase = Phase::waiting;
    std::size_t lane = 0;
    Duration path{0};           // the longest way from its start to the end of the plan
    std::uint32_t missing = 0;  // edges that do not let it start yet
    int retries_left = 0;
    int variants_left = 0;  // still to be started in this round
    std::int64_t fence = 0;
    bool queued = false;   // in the queue `ready`
    bool spared = false;   // in the queue `spare`: a hedge that waits for a free slot
    bool excused = false;  // its end does not make the swarm fail
    std::uint8_t depth = 0;
    std::uint32_t parent = none;
    int parent_attempt = 0;
    std::size_t spawned = 0;           // by it and by what it spawned, over all attempts
    TaskState held = TaskState::done;  // what it will be when it is held no more
    std::string refused;               // why its last attempt was not accepted
    std::vector<std::unique_ptr<Copy>> copies;
    std::unique_ptr<Interface> interface;
    std::unique_ptr<Speculation> speculation;
    std::unique_ptr<Family> family;
  };

  // The life of an attempt (swarm_attempt.cpp).
  boost::asio::awaitable<void> attempt(std::uint32_t task, Copy* copy, std::shared_ptr<Slot> slot);
  boost::asio::awaitable<void> attempt_once(std::uint32_t task, Copy* copy);
  boost::asio::awaitable<AttemptOutcome> work(std::uint32_t task, Copy* copy, Attempt attempt);
  boost::asio::awaitable<AttemptOutcome> run_until_stopped(std::uint32_t task, Copy* copy,
                                                           Attempt attempt);
  boost::asio::awaitable<AttemptOutcome> judged(std::uint32_t task, Copy* copy,
                                                AttemptOutcome outcome);
  boost::asio::awaitable<void> hedge_later(std::uint32_t task, std::int64_t fence, Duration wait);
  boost::asio::awaitable<void> ready_later(std::uint32_t task, Duration wait);
  bool take_earlier(std::uint32_t task, const Attempt& attempt);
  int variants_of(std::uint32_t task) const;
  void follow_plan(std::uint32_t task, int attempt, AttemptOutcome& outcome);
  void note_plan(std::uint32_t task, const Copy& copy, json::value foreseen);
  AttemptOutcome reduce_here(std::uint32_t task, const Attempt& attempt);
  std::string_view local_name(std::uint32_t task, std::string_view name) const;
  Attempt make_attempt(std::uint32_t task, Copy* copy);
  void hear(std::uint32_t task, Copy* copy, json::object said);
  void attempt_ended(std::uint32_t task, Copy* copy, AttemptOutcome outcome);
  void attempt_won(std::uint32_t task, const Copy& copy, AttemptOutcome outcome, Duration took);
  void attempt_failed(std::uint32_t task, const Copy& copy, AttemptOutcome outcome, Duration took);
  void record(Node& node, const Copy& copy, AttemptOutcome outcome, Duration took);
  void add_cost(Node& node, const json::value& cost);

  // Guesses (swarm_speculation.cpp).
  void publish(std::uint32_t task, Copy* copy, json::value interface);
  void settle(std::uint32_t upstream, std::uint32_t task);
  void guess_was_wrong(std::uint32_t task);

  // Spawned tasks (swarm_family.cpp).
  Result<void> spawn(std::uint32_t task, int attempt, const json::object& asked);
  Result<void> spawn_items(std::uint32_t task, int attempt, const json::object& inputs);
  Result<void> add_brood(std::uint32_t task, int attempt, Brood brood);
  std::uint32_t add_child(std::uint32_t parent, int attempt, Task task);
  void link_children(std::uint32_t parent, std::size_t from);
  bool adopt_child(std::uint32_t task);
  void child_over(std::uint32_t parent, int attempt);
  void family_over(std::uint32_t task);
  void abandon_children(std::uint32_t task, const std::string& why);

  // What follows from an end (swarm_run.cpp).
  boost::asio::awaitable<void> prepare();
  boost::asio::awaitable<Result<void>> make_edges(std::vector<Duration> durations);
  boost::asio::awaitable<void> wait_for_end();
  void adopt_finished();
  void adopt_strangers();
  void release(std::uint32_t task);
  void make_ready(std::uint32_t task);
  void unqueue(std::uint32_t task);
  void stop_copies(std::uint32_t task, Stop stop, const std::string& why);
  void hold_or_conclude(std::uint32_t task, TaskState state);
  void conclude(std::uint32_t task, TaskState state);
  void checkpoint(std::uint32_t task);
  void concluded(std::uint32_t task, TaskState state);
  void task_done(std::uint32_t task);
  void drop_dependents(std::uint32_t task, bool excused);
  void drop(std::uint32_t task, const std::string& why);
  void stop_all(std::string why);
  void tell(std::uint32_t task, std::string note, double fraction = -1);
  boost::asio::awaitable<void> watch_timeout();
  void end_rest();
  void judge();
  boost::asio::awaitable<void> judge_aside();
  bool is_forgiven(std::uint32_t task) const;

  Services& services_;
  Run run_;
  Graph graph_;
  std::deque<Node> nodes_;  // grows while coroutines refer to its members
  std::unordered_map<std::string, TaskOutcome> earlier_;  // Run::finished, of tasks not yet spawned
  Report report_;
  TimePoint deadline_;
  Duration began_{0};
  std::int64_t fence_ = 0;
  std::size_t left_ = 0;  // tasks not over
  std::size_t uncommitted_ = 0;
  std::deque<std::pair<std::uint32_t, TaskState>> ending_;
  bool draining_ = false;
  bool stopping_ = false;
  bool contending_ = false;
  std::exception_ptr broken_;
  Bell changed_;
  TaskGroup attempts_;
  TaskGroup commits_;
};

}  // namespace vigil::swarm
