#pragma once
// How one attempt of one task is run. The engine knows this interface only; exec and builtin are in
// process_runner.hpp, questions and agents in daemon/models, tests bring their own.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <utility>

#include "core/json.hpp"
#include "core/time.hpp"
#include "swarm/plan.hpp"

namespace vigil::swarm {

struct Attempt {
  Task task;
  int number = 1;        // 1 for the first
  int variant = 1;       // of Task::variants
  json::object inputs;   // results of what it needs, by task name
  json::object missing;  // why of those that failed, in a plan that goes on with what is there
  std::string refused;   // why the attempt before was not accepted; empty: it was not
  TimePoint deadline;
  Duration grace{0};
  // Of a process: more of its environment, and its standard input instead of what it is given
  // otherwise. They are never stored; secrets may stand here.
  std::vector<std::pair<std::string, std::string>> environment;
  std::optional<std::string> standard_input;
  // What the task says on its control channel while it runs (interface, progress, spawn, cost).
  std::function<void(json::object)> said;
};

struct AttemptOutcome {
  bool ok = false;
  bool retryable = true;  // false: trying again cannot help (cannot be executed)
  int exit_code = -1;
  json::value result;
  std::string error;
  std::size_t output_cut_bytes = 0;
};

class Runner {
 public:
  virtual ~Runner() = default;
  // Never throws for a failing task. On cancellation stops what it started, then throws
  // operation_aborted. Past attempt.deadline it stops the task and says so in the outcome.
  virtual boost::asio::awaitable<AttemptOutcome> run(Attempt attempt) = 0;
};

}  // namespace vigil::swarm
