#include "swarm/swarm_run.hpp"

#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <unordered_map>

#include "core/check.hpp"

namespace vigil::swarm {
namespace asio = boost::asio;
namespace {

// For the order alone: what a task never seen before is thought to take.
constexpr Duration unknown_duration = std::chrono::seconds{1};

int smallest_limit(std::initializer_list<int> limits) {
  int smallest = 0;
  for (const int limit : limits) {
    if (limit > 0 && (smallest == 0 || limit < smallest)) smallest = limit;
  }
  return smallest;
}

}  // namespace

SwarmRun::SwarmRun(Services& services, Run run)
    : services_(services),
      run_(std::move(run)),
      changed_(services.executor),
      attempts_(services.executor) {
  owner = run_.owner;
  running_max = run_.plan.parallel_max;
}

SwarmRun::~SwarmRun() { VIGIL_CHECK(running == 0); }

asio::awaitable<Report> SwarmRun::run() {
  const bool resumed = !run_.finished.empty();
  prepare();
  bool aborted = false;
  try {
    while (left_ > 0 && !stopping_) {
      co_await changed_.wait();
    }
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) throw;
    aborted = true;
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  stopping_ = true;
  ready.clear();
  attempts_.cancel();
  co_await attempts_.join();
  if (contending_) services_.scheduler.remove(*this);
  contending_ = false;
  if (broken_) std::rethrow_exception(broken_);
  if (aborted) throw boost::system::system_error(asio::error::operation_aborted);
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await end_rest();
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  report_.wall =
      resumed ? services_.clock.now() - report_.started : services_.clock.steady_now() - began_;
  judge();
  co_return std::move(report_);
}

void SwarmRun::prepare() {
  began_ = services_.clock.steady_now();
  report_.swarm = run_.id;
  report_.title = run_.plan.title;
  report_.started = services_.clock.now();
  deadline_ = report_.started + run_.plan.timeout;
  fence_ = run_.fence_base;
  const EngineLimits& limits = services_.scheduler.limits();
  report_.slots = smallest_limit({limits.slots, limits.slots_per_owner, run_.plan.parallel_max});
  const auto count = static_cast<std::uint32_t>(run_.plan.tasks.size());
  nodes_.resize(count);
  std::vector<Duration> durations(count, unknown_duration);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Task& task = run_.plan.tasks[i];
    Node& node = nodes_[i];
    node.outcome.name = task.name;
    node.retries_left = task.retries;
    node.lane = ready.lane_of(services_.scheduler.holding_of(task));
    if (!task.needs_interface.empty()) node.speculation = std::make_unique<Speculation>();
    const auto learned = services_.learned ? services_.learned(task.name) : std::nullopt;
    if (learned) durations[i] = learned->typical;
  }
  auto graph = make_graph(run_.plan);
  if (!graph) {
    stop_all("the plan cannot run: " + graph.error().message);
    return;
  }
  graph_ = std::move(*graph);
  const auto paths = remaining_paths(graph_, durations);
  for (std::uint32_t i = 0; i < count; ++i) {
    nodes_[i].path = paths[i];
    nodes_[i].missing = static_cast<std::uint32_t>(graph_.needs[i].size());
  }
  left_ = count;
  contending_ = true;
  services_.scheduler.add(*this);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (nodes_[i].missing == 0) make_ready(i);
  }
  adopt_finished();
  attempts_.spawn("swarm timeout", [this] { return watch_timeout(); });
  services_.scheduler.dispatch();
}

// Before anything was dispatched: tasks that ended before a crash count as ended now.
void SwarmRun::adopt_finished() {
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) places.emplace(run_.plan.tasks[i].name, i);
  for (const TaskOutcome& outcome : run_.finished) {
    const auto place = places.find(outcome.name);
    const bool is_final = outcome.state == TaskState::done || outcome.state == TaskState::failed;
    if (place == places.end() || !is_final) continue;
    Node& node = nodes_[place->second];
    if (node.phase == Phase::over) continue;
    if (node.phase == Phase::ready) ready.erase(node.lane, place->second, node.path);
    if (outcome.started != TimePoint{}) {
      report_.started = std::min(report_.started, outcome.started);
    }
    node.outcome = outcome;
    concluded(place->second, outcome.state);
  }
}

void SwarmRun::cancel(std::string why) {
  report_.cancelled = true;
  stop_all(std::move(why));
}

void SwarmRun::stop_all(std::string why) {
  if (stopping_) return;
  stopping_ = true;
  report_.error = std::move(why);
  ready.clear();
  changed_.ring();
}

asio::awaitable<void> SwarmRun::watch_timeout() {
  co_await services_.clock.sleep_until(deadline_);
  stop_all(fmt::format("the swarm did not end within its {}", vigil::to_text(run_.plan.timeout)));
}

// One edge more lets the task start.
void SwarmRun::release(std::uint32_t task) {
  Node& node = nodes_[task];
  if (--node.missing == 0 && node.phase == Phase::waiting) make_ready(task);
}

void SwarmRun::make_ready(std::uint32_t task) {
  if (stopping_) return;
  Node& node = nodes_[task];
  node.phase = Phase::ready;
  node.outcome.state = TaskState::waiting;
  ready.push(node.lane, task, node.path);
}

void SwarmRun::run_again(std::uint32_t task) {
  if (Speculation* speculation = nodes_[task].speculation.get()) {
    speculation->stop = Stop::none;
    speculation->held.reset();
    speculation->consumed.clear();
  }
  make_ready(task);
}

void SwarmRun::concluded(std::uint32_t task, TaskState state) {
  Node& node = nodes_[task];
  node.phase = Phase::over;
  node.outcome.state = state;
  --left_;
  tell(task, node.outcome.error);
  if (state == TaskState::done) {
    task_done(task);
  } else {
    const bool excused = node.excused || run_.plan.tasks[task].optional;
    drop_dependents(task, excused);
    const bool stops = run_.plan.on_failure == OnFailure::fail && state == TaskState::failed;
    if (stops && !excused) {
      stop_all(fmt::format("task '{}' failed and the plan says stop: {}", node.outcome.name,
                           node.outcome.error));
    }
  }
  if (left_ == 0) changed_.ring();
}

void SwarmRun::task_done(std::uint32_t task) {
  for (const Edge& edge : graph_.dependents[task]) {
    const bool was_open = edge.kind == EdgeKind::interface && nodes_[task].interface.has_value();
    if (was_open) {
      settle(task, edge.task);
    } else {
      release(edge.task);
    }
  }
}

// The interface `task` may have started on is final now: its work stands, or it runs again.
void SwarmRun::settle(std::uint32_t upstream, std::uint32_t task) {
  Node& node = nodes_[task];
  Speculation& speculation = *node.speculation;
  const auto consumed = speculation.consumed.find(upstream);
  if (node.phase == Phase::over || consumed == speculation.consumed.end()) return;
  const bool same = consumed->second == nodes_[upstream].interface->digest;
  speculation.consumed.erase(consumed);
  if (same && node.phase == Phase::held && speculation.consumed.empty()) {
    const TaskState state = *speculation.held;
    node.phase = Phase::busy;
    attempts_.spawn("end of a task", [this, task, state] { return conclude(task, state); });
  } else if (!same && node.phase == Phase::held) {
    node.outcome.wasted += std::exchange(node.outcome.took, Duration{0});
    run_again(task);
  } else if (!same && node.phase == Phase::busy && speculation.bell) {
    speculation.stop = Stop::rerun;
    speculation.bell->ring();
  }
}

// Everything behind a task that did not get done will not run; never recursive, chains are long.
void SwarmRun::drop_dependents(std::uint32_t task, bool excused) {
  std::vector<std::uint32_t> dropped{task};
  while (!dropped.empty()) {
    const std::uint32_t upstream = dropped.back();
    dropped.pop_back();
    const Node& from = nodes_[upstream];
    const auto why = from.outcome.state == TaskState::failed
                         ? fmt::format("task '{}' failed", from.outcome.name)
                         : from.outcome.error;
    for (const Edge& edge : graph_.dependents[upstream]) {
      nodes_[edge.task].excused |= excused;
      drop(edge.task, why, dropped);
    }
  }
}

void SwarmRun::drop(std::uint32_t task, const std::string& why,
                    std::vector<std::uint32_t>& dropped) {
  Node& node = nodes_[task];
  if (node.phase == Phase::over) return;
  Speculation* speculation = node.speculation.get();
  if (node.phase == Phase::busy) {
    // It runs on an interface, or waits to be tried again: its own coroutine ends it.
    speculation->stop = Stop::upstream_failed;
    speculation->doom = why;
    if (speculation->bell) speculation->bell->ring();
    return;
  }
  if (node.phase == Phase::ready) ready.erase(node.lane, task, node.path);
  node.outcome.error = why;
  if (node.phase == Phase::held || node.fence != 0) {
    node.outcome.wasted += std::exchange(node.outcome.took, Duration{0});
    node.phase = Phase::busy;
    attempts_.spawn("end of a task", [this, task] { return conclude(task, TaskState::cancelled); });
    return;
  }
  node.phase = Phase::over;
  node.outcome.state = TaskState::skipped;
  --left_;
  tell(task, why);
  dropped.push_back(task);
}

void SwarmRun::tell(std::uint32_t task, std::string note) {
  if (!services_.tell) return;
  const TaskOutcome& outcome = nodes_[task].outcome;
  Progress progress;
  progress.swarm = run_.id;
  progress.task = outcome.name;
  progress.state = outcome.state;
  progress.attempt = outcome.attempts;
  progress.took = outcome.took;
  progress.note = std::move(note);
  progress.parent = outcome.parent;
  services_.tell(progress);
}

// After a stop: what ran is cancelled, what did not is skipped.
asio::awaitable<void> SwarmRun::end_rest() {
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    if (node.phase == Phase::over) continue;
    const bool ran = node.fence != 0;
    node.phase = Phase::over;
    node.outcome.state = ran ? TaskState::cancelled : TaskState::skipped;
    node.outcome.error = report_.error;
    tell(i, report_.error);
    if (!ran) continue;
    TaskOutcome outcome = node.outcome;
    const std::int64_t fence = node.fence;
    co_await services_.checkpoints.ended(run_.id, std::move(outcome), fence);
  }
}

void SwarmRun::judge() {
  std::size_t undone = 0;
  const Node* first = nullptr;
  json::object results;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    const Task& task = run_.plan.tasks[i];
    const bool done = node.outcome.state == TaskState::done;
    const bool forgiven = task.name != run_.plan.result_of && (task.optional || node.excused);
    if (!done && !forgiven) {
      ++undone;
      if (first == nullptr ||
          (first->outcome.state != TaskState::failed && node.outcome.state == TaskState::failed)) {
        first = &node;
      }
    }
    if (done && run_.plan.result_of.empty()) results[task.name] = node.outcome.result;
    if (done && task.name == run_.plan.result_of) report_.result = node.outcome.result;
  }
  if (run_.plan.result_of.empty()) report_.result = std::move(results);
  if (first != nullptr && report_.error.empty()) {
    report_.error =
        fmt::format("{} of {} tasks not done; '{}' {}: {}", undone, nodes_.size(),
                    first->outcome.name, to_text(first->outcome.state), first->outcome.error);
  }
  report_.ok = undone == 0 && !report_.cancelled && report_.error.empty();
  report_.tasks.reserve(nodes_.size());
  for (Node& node : nodes_) report_.tasks.push_back(std::move(node.outcome));
  measure(report_, run_.plan);
}

}  // namespace vigil::swarm
