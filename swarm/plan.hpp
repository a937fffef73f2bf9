#pragma once
// A plan: a DAG of short tasks, as a value. Pure; any thread.
#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::swarm {

enum class Containment { strict, net, none };  // `unit` joins with the service

// A question to a model (docs/models.md). The prompts are ours; `input` and the results a task
// needs are shown to it as data.
struct Ask {
  std::string model;  // its name in the configuration
  std::string prompt;
  json::object schema;             // JSON Schema of the answer; empty: any text
  std::vector<std::string> tools;  // that it may use: "mcp.SERVER.TOOL"
  int output_tokens_max = 0;       // 0: the model's own limit
  // Asked first, and published as the task's interface; the answer must then keep to it.
  std::string interface_prompt;
  json::object interface_schema;
  // Has it read, or may it read, what strangers wrote? Then no tool with an effect outside is
  // within its reach, whatever `tools` says.
  bool tainted = true;
};

// Work for a program with a mind of its own (docs/models.md).
struct AgentWork {
  std::string name;  // in the configuration
  std::string prompt;
  std::string commit = "HEAD";  // what its working tree shows
  std::string conversation;     // of an earlier run that it goes on with; empty: a new one
};

struct Task {
  std::string name;                // unique in its plan: [A-Za-z0-9_.:/-]{1,100}
  std::vector<std::string> argv;   // an exec task: the program and its arguments, never a shell
  std::string builtin;             // or the name of a vigil-task analyser
  std::string reduce;              // or of a reducer (swarm/reduce.hpp)
  std::shared_ptr<const Ask> ask;  // or a question to a model
  std::shared_ptr<const AgentWork> agent;  // or work for an agent; exactly one of the five
  json::value input;                       // what it is given, beside the results it needs
  std::vector<std::string> needs;          // starts when these have ended well; gets their results
  // Starts when these have published their interface, and gets it; of those that are done already
  // it gets the result. Who consumed an interface that is not the final one runs again with the
  // result.
  std::vector<std::string> needs_interface;
  // Once per item of a list, as tasks NAME/0, NAME/1, ...: "input.MEMBER", or "TASK" or
  // "TASK.MEMBER" of what it needs. Each finds its `item` and `index` in its input, and "{item}" in
  // its argv is replaced. The result is the list of theirs.
  std::string for_each;
  // How many tasks it may add while it runs ({"spawn": [...]} on the control channel), its own and
  // theirs together. It is done when they are; see swarm/spawn.hpp.
  int spawn_max = 0;
  bool planner = false;  // its result is a list of tasks to spawn ({"tasks": [...]})
  // Judges every result before it counts: gets it as inputs.NAME. Its exit code, or {"accept":
  // false, "why": ...} as its result, says no; then the attempt failed, and the next one is told
  // why.
  std::shared_ptr<const Task> verify;
  int variants = 1;    // attempts side by side; the first that ends well and is accepted wins
  bool hedge = false;  // may run twice at once: a straggler gets a second attempt beside it
  // May take the result of an earlier task with the same command, input, inputs and `digest`, in
  // which its maker names whatever else the result depends on (a commit, the hash of a file).
  bool cache = false;
  std::string digest;
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
  fail,   // cancel the rest at once
  go_on,  // finish what does not depend on it; "continue" in JSON
  // Who needs it runs with what is there, if anything is; the swarm is ok when its result is made.
  partial
};

struct Plan {
  std::string title;  // for people
  std::vector<Task> tasks;
  std::string result_of;  // the task whose result is the swarm's; empty: all, by name
  int parallel_max = 0;   // 0: the engine's limit
  Duration timeout = std::chrono::minutes{30};
  OnFailure on_failure = OnFailure::go_on;
};

constexpr std::size_t plan_tasks_max = 100'000;
constexpr int variants_max = 16;

// Names unique and well-formed, exactly one of argv, builtin, reduce, ask and agent, every need
// known, no cycle, limits sane. The message names the task and, for a cycle, its members.
Result<void> validate(const Plan& plan);
// One task by itself: what can be known without the rest of its plan.
Result<void> validate(const Task& task);

json::object to_json(const Plan& plan);
// Reads what to_json wrote, and what process guardians send; validates. Durations are texts
// ("30s").
Result<Plan> plan_from_json(const json::value& value);
json::object to_json(const Task& task);
// Reads one task and validates it by itself; `path` begins its errors ("spawn[2]").
Result<Task> task_from_json(const json::value& value, const std::string& path);
// The names of all members that are read, for documentation.
std::vector<std::string> task_members();
std::vector<std::string> ask_members();
std::vector<std::string> agent_members();
std::vector<std::string> plan_members();

}  // namespace vigil::swarm
