#include "swarm/swarm_run.hpp"

#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "core/check.hpp"

namespace vigil::swarm {
namespace asio = boost::asio;
namespace {

// Ends that are not durable yet; beyond it nothing new starts.
constexpr std::size_t uncommitted_max = 512;
}  // namespace

SwarmRun::SwarmRun(Services& services, Run run)
    : services_(services),
      run_(std::move(run)),
      changed_(services.executor),
      attempts_(services.executor),
      commits_(services.executor) {
  owner = run_.owner;
  running_max = run_.plan.parallel_max;
}

SwarmRun::~SwarmRun() { VIGIL_CHECK(running == 0); }

asio::awaitable<Report> SwarmRun::run() {
  const bool resumed = !run_.finished.empty();
  bool aborted = false;
  try {
    co_await wait_for_end();
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) throw;
    aborted = true;
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  stopping_ = true;
  ready.clear();
  spare.clear();
  attempts_.cancel();
  co_await attempts_.join();
  if (contending_) services_.scheduler.remove(*this);
  contending_ = false;
  if (!aborted && !broken_) end_rest();
  // join() leaves cancellation enabled.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  // In the group, so that it comes after all of them.
  commits_.spawn("flush", [this]() -> asio::awaitable<void> {
    services_.checkpoints.flush();
    co_return;
  });
  co_await commits_.join();
  if (broken_) std::rethrow_exception(broken_);
  if (aborted) throw boost::system::system_error(asio::error::operation_aborted);
  report_.wall =
      resumed ? services_.clock.now() - report_.started : services_.clock.steady_now() - began_;
  // join() leaves cancellation enabled, and on_pool cannot be cancelled.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await judge_aside();
  co_return std::move(report_);
}

asio::awaitable<void> SwarmRun::wait_for_end() {
  co_await prepare();
  while (left_ > 0 && !stopping_) co_await changed_.wait();
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
  spare.clear();
  changed_.ring();
}

void SwarmRun::dispatch_in(Duration wait) {
  attempts_.spawn("rate", [this, wait]() -> asio::awaitable<void> {
    co_await services_.clock.sleep_for(wait);
    services_.scheduler.dispatch();
  });
}

asio::awaitable<void> SwarmRun::watch_timeout() {
  const auto left = deadline_ - services_.clock.now();
  co_await services_.clock.sleep_for(left);
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
  if (node.parent != none && adopt_child(task)) return;
  if (run_.plan.on_failure == OnFailure::partial && !graph_.needs[task].empty()) {
    const auto is_done = [this](const Edge& edge) {
      return nodes_[edge.task].outcome.state == TaskState::done || nodes_[edge.task].interface;
    };
    if (std::ranges::none_of(graph_.needs[task], is_done)) {
      return drop(task, "nothing of what it needs is there");
    }
  }
  node.phase = Phase::ready;
  node.outcome.state = TaskState::waiting;
  node.variants_left = variants_of(task);
  node.queued = true;
  ready.push(node.lane, task, node.path);
}

void SwarmRun::unqueue(std::uint32_t task) {
  Node& node = nodes_[task];
  if (std::exchange(node.queued, false)) ready.erase(node.lane, task, node.path);
  if (std::exchange(node.spared, false)) spare.erase(node.lane, task, node.path);
}

void SwarmRun::stop_copies(std::uint32_t task, Stop stop, const std::string& why) {
  for (const auto& copy : nodes_[task].copies) {
    if (copy->stop == Stop::lost || copy->stop == Stop::doomed) continue;
    copy->stop = stop;
    copy->why = why;
    copy->bell.ring();
  }
}

void SwarmRun::hold_or_conclude(std::uint32_t task, TaskState state) {
  Node& node = nodes_[task];
  node.held = state;
  node.phase = Phase::held;
  if (node.speculation && !node.speculation->consumed.empty()) {
    return tell(task, "ended on an interface that is not final yet: held");
  }
  conclude(task, state);
}

// The ends that follow from an end are taken in order, never by recursion: chains are long.
void SwarmRun::conclude(std::uint32_t task, TaskState state) {
  ending_.emplace_back(task, state);
  if (std::exchange(draining_, true)) return;
  while (!ending_.empty()) {
    const auto [next, end] = ending_.front();
    ending_.pop_front();
    if (nodes_[next].phase == Phase::over) continue;
    nodes_[next].outcome.state = end;
    if (nodes_[next].fence != 0) checkpoint(next);
    concluded(next, end);
  }
  draining_ = false;
  services_.scheduler.dispatch();
}

// Not waited for: see Checkpoints.
void SwarmRun::checkpoint(std::uint32_t task) {
  ++uncommitted_;
  paused = uncommitted_ >= uncommitted_max;
  auto write = [this, outcome = nodes_[task].outcome,
                fence = nodes_[task].fence]() mutable -> asio::awaitable<void> {
    try {
      co_await services_.checkpoints.ended(run_.id, std::move(outcome), fence);
    } catch (...) {
      if (!broken_) broken_ = std::current_exception();
      stop_all("the swarm could not go on");
    }
    --uncommitted_;
    if (!paused || uncommitted_ > uncommitted_max / 2) co_return;
    paused = false;
    if (contending_) services_.scheduler.dispatch();
  };
  commits_.spawn("checkpoint", std::move(write));
}

void SwarmRun::concluded(std::uint32_t task, TaskState state) {
  Node& node = nodes_[task];
  node.phase = Phase::over;
  node.outcome.state = state;
  --left_;
  tell(task, node.outcome.error);
  if (state == TaskState::done) {
    if (node.speculation && node.speculation->guessed) ++report_.guesses_won;
    task_done(task);
  } else {
    const bool excused = node.excused || run_.plan.tasks[task].optional;
    drop_dependents(task, excused);
    const bool stops = run_.plan.on_failure == OnFailure::fail && state == TaskState::failed;
    if (stops && !excused) {
      stop_all(fmt::format("task '{}' failed and the plan says fail: {}", node.outcome.name,
                           node.outcome.error));
    }
  }
  if (node.parent != none) child_over(node.parent, node.parent_attempt);
  if (left_ == 0) changed_.ring();
}

void SwarmRun::task_done(std::uint32_t task) {
  for (const Edge& edge : graph_.dependents[task]) {
    const Speculation* speculation = nodes_[edge.task].speculation.get();
    const bool was_open = edge.kind == EdgeKind::interface && nodes_[task].interface &&
                          !speculation->waits_for_results;
    if (was_open) {
      settle(task, edge.task);
    } else {
      release(edge.task);
    }
  }
}

// Everything behind a task that did not get done will not run, unless the plan goes on with what is
// there: then only who rests on its interface.
void SwarmRun::drop_dependents(std::uint32_t task, bool excused) {
  const Node& from = nodes_[task];
  const bool goes_on = run_.plan.on_failure == OnFailure::partial;
  const auto why = from.outcome.state == TaskState::failed
                       ? fmt::format("task '{}' failed", from.outcome.name)
                       : from.outcome.error;
  for (const Edge& edge : graph_.dependents[task]) {
    Node& node = nodes_[edge.task];
    if (goes_on && edge.kind == EdgeKind::result) {
      release(edge.task);
      continue;
    }
    node.excused |= excused;
    drop(edge.task, why);
  }
}

void SwarmRun::drop(std::uint32_t task, const std::string& why) {
  Node& node = nodes_[task];
  if (node.phase == Phase::over) return;
  unqueue(task);
  if (!node.copies.empty()) return stop_copies(task, Stop::doomed, why);  // they end it
  abandon_children(task, why);
  node.outcome.error = why;
  node.outcome.wasted += std::exchange(node.outcome.took, Duration{0});
  conclude(task, node.fence != 0 ? TaskState::cancelled : TaskState::skipped);
}

void SwarmRun::tell(std::uint32_t task, std::string note, double fraction) {
  if (!services_.tell) return;
  const TaskOutcome& outcome = nodes_[task].outcome;
  Progress progress;
  progress.swarm = run_.id;
  progress.task = outcome.name;
  progress.state = outcome.state;
  progress.attempt = outcome.attempts;
  progress.took = outcome.took;
  progress.note = std::move(note);
  progress.fraction = fraction;
  progress.parent = outcome.parent;
  services_.tell(progress);
}

// After a stop: what ran is cancelled, what did not is skipped.
void SwarmRun::end_rest() {
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    if (node.phase == Phase::over) continue;
    const bool ran = node.fence != 0;
    node.phase = Phase::over;
    node.outcome.state = ran ? TaskState::cancelled : TaskState::skipped;
    node.outcome.error = report_.error;
    tell(i, report_.error);
    if (ran) checkpoint(i);
  }
}

bool SwarmRun::is_forgiven(std::uint32_t task) const {
  const Task& what = run_.plan.tasks[task];
  if (what.name == run_.plan.result_of) return false;
  if (what.optional || nodes_[task].excused) return true;
  const std::uint32_t parent = nodes_[task].parent;  // it judged what it spawned itself
  if (parent != none) return nodes_[parent].outcome.state == TaskState::done;
  if (run_.plan.on_failure != OnFailure::partial) return false;
  // Somebody else makes the result: without a name for it, the tasks that nobody needs do.
  return !run_.plan.result_of.empty() || !graph_.dependents[task].empty();
}

void SwarmRun::judge() {
  std::size_t undone = 0;
  const Node* first = nullptr;
  json::object results;
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    const std::string& name = node.outcome.name;
    const bool done = node.outcome.state == TaskState::done;
    if (!done && !is_forgiven(i)) {
      ++undone;
      if (first == nullptr ||
          (first->outcome.state != TaskState::failed && node.outcome.state == TaskState::failed)) {
        first = &node;
      }
    }
    if (!done || node.parent != none) continue;
    if (run_.plan.result_of.empty()) results[name] = node.outcome.result;
    if (name == run_.plan.result_of) report_.result = node.outcome.result;
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
