#pragma once
// A plan: a DAG of short tasks, as a value. Pure; any thread.
#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::swarm {

enum class Containment { strict, net, none };  // `unit` joins with the service

struct Task {
  std::string name;                // unique in its plan: [A-Za-z0-9_.:/-]{1,100}
  std::vector<std::string> argv;   // an exec task: the program and its arguments, never a shell
  std::string builtin;             // or the name of a vigil-task analyser; exactly one of the two
  json::value input;               // what it is given, beside the results it needs
  std::vector<std::string> needs;  // starts when these have ended well; gets their results
  // Starts when these have published their interface, and gets it; of those that are done already
  // it gets the result. Who consumed an interface that is not the final one runs again with the
  // result.
  std::vector<std::string> needs_interface;
  Duration timeout{0};                               // 0: the engine's default
  int retries = 0;                                   // attempts after the first
  Duration retry_backoff = std::chrono::seconds{1};  // doubled each time, at most a minute
  // Its failure leaves the swarm ok (unless result_of is missing for it); dependents are skipped.
  bool optional = false;
  Containment containment = Containment::strict;
  std::string workdir;                   // empty: a private one, removed afterwards
  std::vector<std::string> read_paths;   // beside the system's own, under containment
  std::vector<std::string> write_paths;  // beside the private directory
  std::map<std::string, int> resources;  // units held while it runs
  std::size_t output_bytes_max = 0;      // 0: the engine's default
  std::vector<int> exit_ok = {0};        // exit codes that mean "done"
};

enum class OnFailure {
  stop,
  keep_going
};  // cancel the rest at once, or finish what does not depend on it

struct Plan {
  std::string title;  // for people
  std::vector<Task> tasks;
  std::string result_of;  // the task whose result is the swarm's; empty: all, by name
  int parallel_max = 0;   // 0: the engine's limit
  Duration timeout = std::chrono::minutes{30};
  OnFailure on_failure = OnFailure::keep_going;
};

constexpr std::size_t plan_tasks_max = 10'000;

// Names unique and well-formed, exactly one of argv and builtin, every need known, no cycle, limits
// sane. The message names the task and, for a cycle, its members.
Result<void> validate(const Plan& plan);

json::object to_json(const Plan& plan);
// Reads what to_json wrote, and what process guardians send; validates. Durations are texts
// ("30s").
Result<Plan> plan_from_json(const json::value& value);

}  // namespace vigil::swarm
