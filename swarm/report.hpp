#pragma once
// What a swarm did, as numbers. Pure; any thread.
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/time.hpp"
#include "swarm/plan.hpp"

namespace vigil::swarm {

enum class TaskState { waiting, running, done, failed, cancelled, skipped };
std::string_view to_text(TaskState state);
Result<TaskState> task_state_from(std::string_view text);

struct TaskOutcome {
  std::string name;
  TaskState state = TaskState::waiting;
  int attempts = 0;
  TimePoint started;                 // of the attempt that counts
  Duration took{0};                  // of the attempt that counts
  Duration wasted{0};                // of the others
  int exit_code = -1;                // -1: ended by a signal or never ran
  json::value result;                // standard output: JSON if it is JSON, else its text
  std::string error;                 // why it is not done, with the end of its standard error
  std::string parent;                // the task that spawned it
  std::string definition;            // of a spawned one: the digest of what it was to do
  Duration interface_after{0};       // from `started` to its first interface; 0: none
  json::object cost;                 // what it said it cost, summed over attempts: {"tokens": 12}
  std::string cache_key;             // under which its result may be taken again
  Duration saved{0};                 // the time of the earlier run whose result it took; 0: it ran
  bool critical = false;             // on the chain that set the critical path (measure)
  std::size_t output_cut_bytes = 0;  // read but not kept
};

struct Report {
  SwarmId swarm;
  std::string title;
  bool ok = false;  // every task that is not optional is done
  bool cancelled = false;
  std::string error;               // why not ok, one sentence
  std::vector<TaskOutcome> tasks;  // in the plan's order
  json::value result;
  TimePoint started;
  Duration wall{0};
  // What one worker would have needed; no schedule on `slots` workers can be shorter than
  // lower_bound = max(critical_path, task_sum / slots).
  Duration task_sum{0};
  Duration critical_path{0};     // work on interfaces overlaps from when they were published
  Duration critical_results{0};  // as if everyone had waited for results
  Duration lower_bound{0};
  Duration wasted{0};
  int slots = 0;
  int attempts = 0;
  int first_time_right = 0;   // tasks done by their first attempt
  int guesses_won = 0;        // tasks that started on an interface, and stood
  int guesses_lost = 0;       // attempts repeated because it changed
  int hedges_won = 0;         // second attempts that ended before the first
  int reused = 0;             // tasks that took an earlier result
  Duration saved{0};          // what those had taken
  json::object cost;          // sums over tasks
  double speedup() const;     // task_sum / wall, which is the parallelism; 0 when wall is 0
  double efficiency() const;  // lower_bound / wall
  // The three factors of throughput. Their product is tasks right the first time per second.
  double speed() const;        // tasks done per second of one worker
  double correctness() const;  // of the tasks done, those by their first attempt
};

// Fills the sums, paths, bounds and counts from the tasks' outcomes (not guesses_* and hedges_won).
void measure(Report& report, const Plan& plan);

// A task's outcome by itself is what checkpoints keep. Times are RFC 3339, durations whole
// microseconds in members that end in _us.
json::object to_json(const TaskOutcome& outcome);
Result<TaskOutcome> task_outcome_from_json(const json::value& value);

json::object to_json(const Report& report);
Result<Report> report_from_json(const json::value& value);
// A few lines for a terminal.
std::string to_text(const Report& report);

}  // namespace vigil::swarm
