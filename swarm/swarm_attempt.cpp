// The life of one attempt: checkpoint, run, listen, then try again, hold or conclude.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "core/log.hpp"
#include "swarm/swarm_run.hpp"

namespace vigil::swarm {
namespace asio = boost::asio;
namespace {

constexpr Duration backoff_max = std::chrono::minutes{1};

bool is_abort(const boost::system::system_error& error) {
  return error.code() == asio::error::operation_aborted;
}

Duration backoff(const Task& task, int attempts) {
  Duration wait = task.retry_backoff;
  for (int i = 1; i < attempts && wait < backoff_max; ++i) wait *= 2;
  return std::min(wait, backoff_max);
}

}  // namespace

void SwarmRun::start(std::uint32_t task, const Holding& holding) {
  Node& node = nodes_[task];
  ready.erase(node.lane, task, node.path);
  node.phase = Phase::busy;
  node.outcome.state = TaskState::running;
  ++node.outcome.attempts;
  node.fence = ++fence_;
  if (node.speculation) node.speculation->bell = std::make_unique<Bell>(services_.executor);
  auto slot = std::make_shared<Slot>(services_.scheduler, *this, holding);
  attempts_.spawn("attempt", [this, task, slot] { return attempt(task, slot); });
}

// The boundary: what escapes an attempt ends the whole run, except that it was cancelled with it.
asio::awaitable<void> SwarmRun::attempt(std::uint32_t task, std::shared_ptr<Slot> slot) {
  try {
    co_await attempt_once(task, slot);
  } catch (const boost::system::system_error& error) {
    if (!is_abort(error) || !stopping_) broken_ = std::current_exception();
  } catch (...) {
    broken_ = std::current_exception();
  }
  slot->release();
  if (broken_) stop_all("the swarm could not go on");
}

asio::awaitable<void> SwarmRun::attempt_once(std::uint32_t task, std::shared_ptr<Slot> slot) {
  Node& node = nodes_[task];
  const Duration began = services_.clock.steady_now();
  node.outcome.started = services_.clock.now();
  std::string name = node.outcome.name;
  const int number = node.outcome.attempts;
  const std::int64_t fence = node.fence;
  co_await services_.checkpoints.started(run_.id, std::move(name), number, fence);
  tell(task, "");
  Attempt attempt = make_attempt(task);
  AttemptOutcome outcome = co_await run_attempt(task, std::move(attempt));
  record(node, outcome, services_.clock.steady_now() - began);
  // The slot is given back after the end is recorded, so that what this task made ready competes
  // for it; only who waits to be tried again gives it back before.
  Speculation* speculation = node.speculation.get();
  if (speculation != nullptr) speculation->bell.reset();
  const Stop stop = speculation != nullptr ? speculation->stop : Stop::none;
  if (stop == Stop::none && !outcome.ok && outcome.retryable && node.retries_left > 0 &&
      !stopping_) {
    slot->release();
    co_await retry_later(task);
    co_return;
  }
  if (stop == Stop::rerun) {
    node.outcome.wasted += std::exchange(node.outcome.took, Duration{0});
    run_again(task);
    co_return;
  }
  if (stop == Stop::upstream_failed) {
    node.outcome.wasted += std::exchange(node.outcome.took, Duration{0});
    node.outcome.error = speculation->doom;
    co_await conclude(task, TaskState::cancelled);
    co_return;
  }
  const TaskState state = outcome.ok ? TaskState::done : TaskState::failed;
  if (speculation != nullptr && !speculation->consumed.empty()) {
    speculation->held = state;
    node.phase = Phase::held;
    tell(task, "ended on an interface that is not final yet: held");
    co_return;
  }
  co_await conclude(task, state);
}

void SwarmRun::record(Node& node, AttemptOutcome& outcome, Duration took) {
  node.outcome.took = took;
  node.outcome.exit_code = outcome.exit_code;
  node.outcome.result = std::move(outcome.result);
  node.outcome.error = std::move(outcome.error);
  node.outcome.output_cut_bytes = outcome.output_cut_bytes;
  if (!outcome.ok && node.outcome.error.empty()) node.outcome.error = "it failed without a reason";
  if (outcome.ok) node.outcome.error.clear();
}

asio::awaitable<void> SwarmRun::retry_later(std::uint32_t task) {
  Node& node = nodes_[task];
  --node.retries_left;
  node.outcome.wasted += std::exchange(node.outcome.took, Duration{0});
  node.outcome.state = TaskState::waiting;
  const Duration wait = backoff(run_.plan.tasks[task], node.outcome.attempts);
  tell(task, fmt::format("{}; trying again in {}", node.outcome.error, vigil::to_text(wait)));
  co_await services_.clock.sleep_for(wait);
  const bool doomed = node.speculation && node.speculation->stop == Stop::upstream_failed;
  if (doomed) {
    node.outcome.error = node.speculation->doom;
    co_await conclude(task, TaskState::cancelled);
    co_return;
  }
  run_again(task);
  services_.scheduler.dispatch();
}

// Once the runner has answered, the answer is kept whatever happens to the swarm.
asio::awaitable<void> SwarmRun::conclude(std::uint32_t task, TaskState state) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  Node& node = nodes_[task];
  node.outcome.state = state;
  TaskOutcome outcome = node.outcome;
  const std::int64_t fence = node.fence;
  try {
    co_await services_.checkpoints.ended(run_.id, std::move(outcome), fence);
  } catch (...) {
    broken_ = std::current_exception();
    stop_all("the swarm could not go on");
    co_return;
  }
  concluded(task, state);
  services_.scheduler.dispatch();
}

Attempt SwarmRun::make_attempt(std::uint32_t task) {
  Node& node = nodes_[task];
  Attempt attempt;
  attempt.task = run_.plan.tasks[task];
  attempt.number = node.outcome.attempts;
  const EngineLimits& limits = services_.scheduler.limits();
  const Duration timeout =
      attempt.task.timeout > Duration{0} ? attempt.task.timeout : limits.task_timeout;
  attempt.deadline = std::min(services_.clock.now() + timeout, deadline_);
  attempt.grace = limits.grace;
  for (const Edge& edge : graph_.needs[task]) {
    const Node& upstream = nodes_[edge.task];
    const bool is_done = upstream.outcome.state == TaskState::done && upstream.phase == Phase::over;
    if (is_done || !upstream.interface) {
      attempt.inputs[upstream.outcome.name] = upstream.outcome.result;
    } else {
      attempt.inputs[upstream.outcome.name] = upstream.interface->value;
      node.speculation->consumed[edge.task] = upstream.interface->digest;
    }
  }
  attempt.said = [this, task](json::object said) { hear(task, std::move(said)); };
  return attempt;
}

void SwarmRun::hear(std::uint32_t task, json::object said) {
  if (auto* interface = said.if_contains("interface")) publish(task, std::move(*interface));
  if (const auto* progress = said.if_contains("progress")) {
    tell(task, "progress " + vigil::to_text(*progress));
  }
  if (const auto* cost = said.if_contains("cost")) tell(task, "cost " + vigil::to_text(*cost));
  if (said.contains("spawn")) tell(task, "asked to spawn tasks, which is not supported: ignored");
  if (const auto* note = said.if_contains("note"); note != nullptr && note->is_string()) {
    tell(task, std::string(note->as_string()));
  }
}

void SwarmRun::publish(std::uint32_t task, json::value interface) {
  Node& node = nodes_[task];
  if (stopping_ || node.phase != Phase::busy) return;
  const bool is_first = !node.interface;
  const Sha256 digest = sha256(vigil::to_text(interface));
  node.interface = Interface{std::move(interface), digest};
  tell(task, "published its interface");
  if (!is_first) return;  // who consumed an earlier one is judged when this task ends
  for (const Edge& edge : graph_.dependents[task]) {
    if (edge.kind == EdgeKind::interface) release(edge.task);
  }
  services_.scheduler.dispatch();
}

asio::awaitable<AttemptOutcome> SwarmRun::run_attempt(std::uint32_t task, Attempt attempt) {
  AttemptOutcome broken;
  const Duration began = services_.clock.steady_now();
  try {
    if (nodes_[task].speculation && !nodes_[task].speculation->consumed.empty()) {
      co_return co_await run_on_interfaces(task, std::move(attempt));
    }
    co_return co_await services_.runner.run(std::move(attempt));
  } catch (const boost::system::system_error& error) {
    if (is_abort(error) && stopping_) {
      nodes_[task].outcome.wasted += services_.clock.steady_now() - began;
      throw;
    }
    broken.error = fmt::format("the runner failed: {}", error.what());
  } catch (const std::exception& error) {
    broken.error = fmt::format("the runner failed: {}", error.what());
  }
  co_return broken;
}

// As runner.run, but a ring of the bell stops it: the runner cleans up, then the outcome says so.
asio::awaitable<AttemptOutcome> SwarmRun::run_on_interfaces(std::uint32_t task, Attempt attempt) {
  auto work = services_.runner.run(std::move(attempt));
  auto stop = nodes_[task].speculation->bell->wait();
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(services_.executor, std::move(work), asio::deferred),
      asio::co_spawn(services_.executor, std::move(stop), asio::deferred));
  auto [order, work_error, outcome, stop_error] =
      co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (order[0] == 0) {
    if (work_error) std::rethrow_exception(work_error);
    co_return std::move(outcome);
  }
  if (stop_error) std::rethrow_exception(stop_error);  // the whole swarm is cancelled
  AttemptOutcome stopped;
  stopped.error = "stopped, because the interface it started on is not the final one";
  co_return stopped;
}

}  // namespace vigil::swarm
