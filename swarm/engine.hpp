#pragma once
// Runs plans: starts tasks as what they need becomes ready, longest remaining path first, within
// limits shared by all swarms. Loop thread only. Owns every attempt it starts and returns only when
// all of them are over. A crash leaves the checkpoints that were committed; see Checkpoints.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "swarm/plan.hpp"
#include "swarm/report.hpp"
#include "swarm/runner.hpp"

namespace vigil::swarm {

// Where progress is made durable. The engine does not wait for each write: it goes on, keeps at
// most some hundreds unfinished, and reports when all are done. What was called first must be
// durable first, so what a crash leaves never holds a result without those it was made from.
class Checkpoints {
 public:
  virtual ~Checkpoints() = default;
  // `fence` is unique to the attempt; a result under an older fence must be refused.
  virtual boost::asio::awaitable<void> started(SwarmId swarm, std::string task, int attempt,
                                               std::int64_t fence) = 0;
  virtual boost::asio::awaitable<void> ended(SwarmId swarm, TaskOutcome outcome,
                                             std::int64_t fence) = 0;
  // A planner's plan was accepted and is about to be followed. `foreseen` is what its runner said
  // of it, and under "prefix" how the names of its tasks begin. A later plan of the same task
  // replaces it.
  virtual void planned(SwarmId swarm, std::string task, json::object foreseen);
  // A swarm is over and waits for what was called so far: do not gather any longer.
  virtual void flush() {}
  // The latest result kept under TaskOutcome::cache_key, if any: {result, took}.
  virtual std::optional<std::pair<json::value, Duration>> recall(const std::string& cache_key);
};

// What people watch: told after each change, never awaited.
struct Progress {
  SwarmId swarm;
  std::string task;
  TaskState state = TaskState::waiting;
  int attempt = 0;
  Duration took{0};
  std::string note;      // error, what it is doing, ...
  double fraction = -1;  // of its work done, as it says itself; -1: it does not say
  std::string parent;    // the task that spawned it
};

struct EngineLimits {
  // Of processes. A question to a model waits for others: it holds a unit of "model:NAME" instead.
  int slots = 4;
  int slots_per_owner = 0;  // 0: no limit of its own
  // Units of each resource. One that is not named here has a single unit, so a plan may use any
  // name as a lock; a task that asks for more units than there are waits for all of them.
  std::map<std::string, int> resources;
  // Starts per minute of tasks that hold the resource, evenly spread after a burst of its units.
  std::map<std::string, double> starts_per_minute;
  Duration task_timeout = std::chrono::minutes{10};
  Duration grace = std::chrono::seconds{2};
};

// How long tasks of that name took before; nullopt when never seen.
struct Learned {
  Duration typical{0};
  Duration late{0};  // hardly ever longer (about the 95th percentile); 0: not known yet
};
using LearnedDurations =
    std::function<std::optional<Learned>(const std::string& owner, const std::string& task)>;

struct Run {
  SwarmId id;
  std::string owner;  // the entity: shares and limits are per owner
  Plan plan;
  // From the checkpoints of a run that was cut off, or that is tried again: what is done or failed
  // stays so, if all it needs did. Also of tasks that will be spawned, if they are spawned the
  // same.
  std::vector<TaskOutcome> finished;
  std::int64_t fence_base = 0;  // fences of this run are larger
};

class Engine {
 public:
  // The references must outlive the engine.
  Engine(boost::asio::any_io_executor executor, Clock& clock, Runner& runner,
         Checkpoints& checkpoints, EngineLimits limits);
  ~Engine();

  void on_progress(std::function<void(const Progress&)> tell);
  void use_durations(LearnedDurations learned);
  // Where the edges of large plans are made and their reports measured; without it, on the loop.
  void use_pool(boost::asio::any_io_executor pool);

  // A failing task is not an error: see Report. The plan must be valid (one whose tasks form no DAG
  // gets a report that says so).
  // On cancellation stops the children, waits for them, then throws operation_aborted; the
  // checkpoints stay for a resume. What Checkpoints throw ends the run in the same way.
  boost::asio::awaitable<Report> run(Run run);
  // Ends a running swarm: its report says cancelled and why. False if it is not running. run()
  // returns after its children are stopped.
  bool cancel(SwarmId swarm, std::string why);

  int running_tasks() const;
  // From now on there are so many units of the resource.
  void set_units(const std::string& resource, int units);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::swarm
