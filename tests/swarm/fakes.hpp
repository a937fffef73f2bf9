#pragma once
// An engine under a clock that stands still, with tasks that are scripts instead of processes.
#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "core/clock.hpp"
#include "swarm/engine.hpp"

namespace vigil::swarm::testing {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// What one attempt does.
struct Script {
  Duration takes = 1s;
  bool ok = true;
  bool retryable = true;
  json::value result;
  std::vector<std::pair<Duration, json::object>> says;  // after so long
  bool throws = false;
};

struct Started {
  std::string task;
  int number;
  TimePoint at;
  json::object inputs;
  TimePoint deadline;
  json::object missing;
};

class FakeRunner final : public Runner {
 public:
  explicit FakeRunner(Clock& clock) : clock_(clock) {}

  asio::awaitable<AttemptOutcome> run(Attempt attempt) override {
    const std::string name = attempt.task.name;
    started.push_back(
        {name, attempt.number, clock_.now(), attempt.inputs, attempt.deadline, attempt.missing});
    if (!name.ends_with(":verify")) refusals.push_back(attempt.refused);
    Script script = next_script(name);
    peak = std::max(peak, ++running);
    for (const auto& [resource, units] : attempt.task.resources) held[resource] += units;
    for (const auto& [resource, units] : held)
      held_peak[resource] = std::max(held_peak[resource], units);
    bool aborted = false;
    try {
      co_await act(script, attempt);
    } catch (const boost::system::system_error&) {
      aborted = true;
    }
    --running;
    for (const auto& [resource, units] : attempt.task.resources) held[resource] -= units;
    if (aborted) {
      cancelled.push_back(name);
      throw boost::system::system_error(asio::error::operation_aborted);
    }
    if (script.throws) throw std::runtime_error("the runner broke");
    ended.push_back(name);
    AttemptOutcome outcome;
    outcome.ok = script.ok;
    outcome.retryable = script.retryable;
    outcome.exit_code = script.ok ? 0 : 1;
    outcome.result = script.result.is_null() ? json::value(name) : script.result;
    if (!script.ok) outcome.error = "script says no";
    co_return outcome;
  }

  std::map<std::string, std::deque<Script>> scripts;  // the last one is kept
  // Makes those of a task that has none.
  std::function<std::deque<Script>(const std::string&)> invent;
  Script otherwise;
  std::vector<Started> started;
  std::vector<std::string> refusals;  // what each attempt was told of the one before
  std::vector<std::string> ended;
  std::vector<std::string> cancelled;
  int running = 0;
  int peak = 0;
  std::map<std::string, int> held;
  std::map<std::string, int> held_peak;

 private:
  Script next_script(const std::string& name) {
    if (invent && !scripts.contains(name)) scripts[name] = invent(name);
    const auto known = scripts.find(name);
    if (known == scripts.end()) return otherwise;
    Script script = known->second.front();
    if (known->second.size() > 1) known->second.pop_front();
    return script;
  }
  asio::awaitable<void> act(const Script& script, const Attempt& attempt) {
    const TimePoint began = clock_.now();
    for (const auto& [after, said] : script.says) {
      const TimePoint when = began + after;
      co_await clock_.sleep_until(when);
      attempt.said(said);
    }
    const TimePoint end = began + script.takes;
    co_await clock_.sleep_until(end);
  }
  Clock& clock_;
};

struct Ended {
  TaskOutcome outcome;
  std::int64_t fence;
};

class FakeCheckpoints final : public Checkpoints {
 public:
  asio::awaitable<void> started(SwarmId, std::string task, int, std::int64_t fence) override {
    if (broken) throw std::runtime_error("disk full");
    fences.push_back(fence);
    starts.push_back(task);
    co_return;
  }
  asio::awaitable<void> ended(SwarmId, TaskOutcome outcome, std::int64_t fence) override {
    if (broken) throw std::runtime_error("disk full");
    if (!outcome.cache_key.empty() && outcome.state == TaskState::done && outcome.saved == 0s) {
      kept[outcome.cache_key] = {outcome.result, outcome.took};
    }
    ends.push_back({std::move(outcome), fence});
    co_return;
  }
  std::optional<std::pair<json::value, Duration>> recall(const std::string& key) override {
    const auto found = kept.find(key);
    if (found == kept.end()) return std::nullopt;
    return found->second;
  }
  std::map<std::string, std::pair<json::value, Duration>> kept;
  bool broken = false;
  std::vector<std::int64_t> fences;
  std::vector<std::string> starts;
  std::vector<Ended> ends;
};

// A run that was begun: its report once it ended, or what it threw.
struct Running {
  std::optional<Report> report;
  std::exception_ptr thrown;
  asio::cancellation_signal cancel;
  bool over() const { return report.has_value() || thrown != nullptr; }
};

struct World {
  explicit World(EngineLimits limits = {})
      : engine(loop.get_executor(), clock, runner, checkpoints, std::move(limits)) {}

  Running& begin(Run run) {
    Running& running = runs.emplace_back();
    asio::co_spawn(loop, engine.run(std::move(run)),
                   asio::bind_cancellation_slot(
                       running.cancel.slot(), [&running](std::exception_ptr error, Report report) {
                         running.thrown = error;
                         if (!error) running.report = std::move(report);
                       }));
    return running;
  }
  Running& begin(Plan plan, std::string owner = "one") {
    Run run;
    run.id = SwarmId{static_cast<std::int64_t>(runs.size() + 1)};
    run.owner = std::move(owner);
    run.plan = std::move(plan);
    return begin(std::move(run));
  }
  void settle() {
    loop.restart();
    loop.poll();
  }
  // Until `at` after the beginning.
  void go_to(Duration at) {
    settle();
    while (clock.next_deadline() <= start + at) {
      clock.advance_to(clock.next_deadline());
      settle();
    }
    clock.advance_to(start + at);
    settle();
  }
  // Until every run is over.
  void finish() {
    settle();
    const auto waits = [](const Running& running) { return !running.over(); };
    while (std::ranges::any_of(runs, waits) && clock.next_deadline() != TimePoint::max()) {
      clock.advance_to(clock.next_deadline());
      settle();
    }
  }
  Report finish(Plan plan) {
    Running& running = begin(std::move(plan));
    finish();
    if (running.thrown) std::rethrow_exception(running.thrown);
    return running.report.value();
  }

  static constexpr TimePoint start = TimePoint{std::chrono::days{20'000}};
  asio::io_context loop{1};
  ManualClock clock{start};
  FakeRunner runner{clock};
  FakeCheckpoints checkpoints;
  Engine engine;
  std::list<Running> runs;
};

inline Task task(std::string name, std::vector<std::string> needs = {},
                 std::vector<std::string> needs_interface = {}) {
  Task made;
  made.name = std::move(name);
  made.argv = {"true"};
  made.needs = std::move(needs);
  made.needs_interface = std::move(needs_interface);
  return made;
}

inline Plan plan(std::vector<Task> tasks) {
  Plan made;
  made.title = "a plan";
  made.tasks = std::move(tasks);
  return made;
}

inline const TaskOutcome& outcome_of(const Report& report, std::string_view name) {
  for (const TaskOutcome& outcome : report.tasks) {
    if (outcome.name == name) return outcome;
  }
  throw std::out_of_range(std::string(name));
}

inline std::vector<std::string> names_of(const std::vector<Started>& started) {
  std::vector<std::string> names;
  for (const Started& start : started) names.push_back(start.task);
  return names;
}

}  // namespace vigil::swarm::testing
