// The life of one attempt: checkpoint, run, listen, judge; then it won, is tried again or failed.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/system/system_error.hpp>

#include "core/log.hpp"
#include "swarm/swarm_run.hpp"

namespace vigil::swarm {
namespace asio = boost::asio;
namespace {

constexpr Duration backoff_max = std::chrono::minutes{1};
constexpr std::size_t costs_max = 32;  // kinds of cost of one task

bool is_abort(const boost::system::system_error& error) {
  return error.code() == asio::error::operation_aborted;
}

Duration backoff(const Task& task, int attempts) {
  Duration wait = task.retry_backoff;
  for (int i = 1; i < attempts && wait < backoff_max; ++i) wait *= 2;
  return std::min(wait, backoff_max);
}

AttemptOutcome failed(std::string error) {
  AttemptOutcome outcome;
  outcome.retryable = false;
  outcome.error = std::move(error);
  return outcome;
}

}  // namespace

void SwarmRun::start(std::uint32_t task, const Holding& holding) {
  Node& node = nodes_[task];
  auto copy = std::make_unique<Copy>(services_.executor);
  copy->is_hedge = node.spared;
  copy->variant = variants_of(task) - node.variants_left + 1;
  copy->number = ++node.outcome.attempts;
  copy->fence = node.fence = ++fence_;
  unqueue(task);
  node.phase = Phase::busy;
  node.outcome.state = TaskState::running;
  if (!copy->is_hedge && --node.variants_left > 0) {
    node.queued = true;
    ready.push(node.lane, task, node.path);
  }
  Copy* started = copy.get();
  node.copies.push_back(std::move(copy));
  auto slot = std::make_shared<Slot>(services_.scheduler, *this, holding);
  attempts_.spawn("attempt", [this, task, started, slot] { return attempt(task, started, slot); });
}

// The boundary: what escapes an attempt ends the whole run, except that it was cancelled with it.
asio::awaitable<void> SwarmRun::attempt(std::uint32_t task, Copy* copy,
                                        std::shared_ptr<Slot> slot) {
  try {
    co_await attempt_once(task, copy);
  } catch (const boost::system::system_error& error) {
    if (!is_abort(error) || !stopping_) broken_ = std::current_exception();
  } catch (...) {
    broken_ = std::current_exception();
  }
  // After the end was taken in, so that what it made ready competes for the slot.
  slot->release();
  if (broken_) stop_all("the swarm could not go on");
}

asio::awaitable<void> SwarmRun::attempt_once(std::uint32_t task, Copy* copy) {
  copy->began = services_.clock.steady_now();
  copy->started = services_.clock.now();
  nodes_[task].outcome.started = copy->started;
  std::string name = nodes_[task].outcome.name;
  const int number = copy->number;
  const std::int64_t fence = copy->fence;
  co_await services_.checkpoints.started(run_.id, std::move(name), number, fence);
  Attempt attempt = make_attempt(task, copy);
  if (take_earlier(task, attempt)) co_return;
  tell(task, "");
  AttemptOutcome outcome = co_await work(task, copy, std::move(attempt));
  AttemptOutcome verdict = co_await judged(task, copy, std::move(outcome));
  if (verdict.ok && copy->stop == Stop::none) follow_plan(task, copy->number, verdict);
  attempt_ended(task, copy, std::move(verdict));
}

int SwarmRun::variants_of(std::uint32_t task) const {
  const Task& what = run_.plan.tasks[task];
  return what.for_each.empty() ? what.variants : 1;  // the list's tasks have them
}

asio::awaitable<AttemptOutcome> SwarmRun::work(std::uint32_t task, Copy* copy, Attempt attempt) {
  if (!attempt.task.reduce.empty()) co_return reduce_here(task, attempt);
  if (!attempt.task.for_each.empty()) {
    auto spawned = spawn_items(task, copy->number, attempt.inputs);
    AttemptOutcome outcome;
    outcome.ok = spawned.has_value();
    outcome.exit_code = outcome.ok ? 0 : -1;
    if (!spawned) outcome = failed(spawned.error().message);
    co_return outcome;
  }
  const auto learned = attempt.task.hedge && services_.learned
                           ? services_.learned(owner, attempt.task.name)
                           : std::nullopt;
  if (learned && learned->late > Duration{0} && !copy->is_hedge) {
    attempts_.spawn("hedge", [this, task, fence = copy->fence, late = learned->late] {
      return hedge_later(task, fence, late);
    });
  }
  co_return co_await run_until_stopped(task, copy, std::move(attempt));
}

// The result of a planner is tasks.
void SwarmRun::follow_plan(std::uint32_t task, int attempt, AttemptOutcome& outcome) {
  if (!run_.plan.tasks[task].planner) return;
  const auto* planned = outcome.result.if_object();
  auto spawned = planned != nullptr
                     ? spawn(task, attempt, *planned)
                     : Result<void>(fail(ErrorCode::invalid_input, "expected {\"tasks\": [...]}"));
  if (!spawned) {
    outcome.ok = false;
    outcome.error = "its plan was refused: " + spawned.error().message;
    nodes_[task].refused = outcome.error;
  }
  outcome.result = nullptr;  // the plan is not what the tasks of the plan make
}

// As runner.run, but a ring of the bell stops it: the runner cleans up, then the outcome says so.
asio::awaitable<AttemptOutcome> SwarmRun::run_until_stopped(std::uint32_t task, Copy* copy,
                                                            Attempt attempt) {
  const Duration began = services_.clock.steady_now();
  auto running = services_.runner.run(std::move(attempt));
  auto stop = copy->bell.wait();
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(services_.executor, std::move(running), asio::deferred),
      asio::co_spawn(services_.executor, std::move(stop), asio::deferred));
  auto [order, error, outcome, stop_error] =
      co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (order[0] == 0 && !error) co_return std::move(outcome);
  if (order[0] != 0 && !stop_error) co_return failed("stopped: " + copy->why);
  AttemptOutcome broken;
  try {
    std::rethrow_exception(order[0] == 0 ? error : stop_error);
  } catch (const boost::system::system_error& failure) {
    if (is_abort(failure) && stopping_) {
      nodes_[task].outcome.wasted += services_.clock.steady_now() - began;
      throw;
    }
    broken.error = fmt::format("the runner failed: {}", failure.what());
  } catch (const std::exception& failure) {
    broken.error = fmt::format("the runner failed: {}", failure.what());
  }
  co_return broken;
}

// What the task's verifier says of the result, in the same slot.
asio::awaitable<AttemptOutcome> SwarmRun::judged(std::uint32_t task, Copy* copy,
                                                 AttemptOutcome outcome) {
  const auto verify = run_.plan.tasks[task].verify;
  const bool has_result = outcome.ok && copy->stop == Stop::none;
  if (!verify || !has_result || !run_.plan.tasks[task].for_each.empty()) co_return outcome;
  Attempt judging;
  judging.task = *verify;
  judging.task.name = nodes_[task].outcome.name + ":verify";
  judging.number = copy->number;
  judging.inputs[nodes_[task].outcome.name] = outcome.result;
  const EngineLimits& limits = services_.scheduler.limits();
  const Duration timeout = verify->timeout > Duration{0} ? verify->timeout : limits.task_timeout;
  judging.deadline = std::min(services_.clock.now() + timeout, deadline_);
  judging.grace = limits.grace;
  judging.said = [this, task](json::object said) {
    if (const auto* cost = said.if_contains("cost")) add_cost(nodes_[task], *cost);
  };
  tell(task, "is verified");
  AttemptOutcome verdict = co_await run_until_stopped(task, copy, std::move(judging));
  const bool accepts = find_bool(verdict.result, "accept").value_or(true);
  if (verdict.ok && accepts) co_return outcome;
  const auto why = find_text(verdict.result, "why");
  outcome.ok = false;
  outcome.retryable = verdict.ok || verdict.retryable;
  outcome.error = "not accepted: " + (why ? std::string(*why) : verdict.error);
  nodes_[task].refused = why ? std::string(*why) : verdict.error;
  co_return outcome;
}

// A second attempt beside one that takes long: it may start when nothing else wants the slot.
asio::awaitable<void> SwarmRun::hedge_later(std::uint32_t task, std::int64_t fence, Duration wait) {
  co_await services_.clock.sleep_for(wait);
  Node& node = nodes_[task];
  const bool still_runs = node.phase == Phase::busy && node.copies.size() == 1 &&
                          node.copies.front()->fence == fence &&
                          node.copies.front()->stop == Stop::none;
  if (!still_runs || stopping_ || node.queued) co_return;
  node.spared = true;
  spare.push(node.lane, task, node.path);
  tell(task, "takes longer than it did: a second attempt may start");
  services_.scheduler.dispatch();
}

// An earlier result under the same key stands in for this attempt.
bool SwarmRun::take_earlier(std::uint32_t task, const Attempt& attempt) {
  Node& node = nodes_[task];
  if (!attempt.task.cache || !attempt.task.for_each.empty() || node.copies.size() > 1) return false;
  node.outcome.cache_key = cache_key_of(attempt.task, attempt.inputs);
  auto earlier = services_.checkpoints.recall(node.outcome.cache_key);
  if (!earlier) return false;
  unqueue(task);
  node.copies.clear();
  node.outcome.attempts = 0;
  node.outcome.exit_code = 0;
  node.outcome.result = std::move(earlier->first);
  node.outcome.saved = std::max(earlier->second, Duration{1});
  tell(task, "takes the result of an earlier run");
  conclude(task, TaskState::done);
  return true;
}

Attempt SwarmRun::make_attempt(std::uint32_t task, Copy* copy) {
  Node& node = nodes_[task];
  Attempt attempt;
  attempt.task = run_.plan.tasks[task];
  attempt.number = copy->number;
  attempt.variant = copy->variant;
  attempt.refused = node.refused;
  const EngineLimits& limits = services_.scheduler.limits();
  const Duration timeout =
      attempt.task.timeout > Duration{0} ? attempt.task.timeout : limits.task_timeout;
  attempt.deadline = std::min(services_.clock.now() + timeout, deadline_);
  attempt.grace = limits.grace;
  for (const Edge& edge : graph_.needs[task]) {
    const Node& upstream = nodes_[edge.task];
    const std::string_view name = local_name(task, upstream.outcome.name);
    const bool is_over = upstream.phase == Phase::over;
    if (is_over && upstream.outcome.state == TaskState::done) {
      attempt.inputs[name] = upstream.outcome.result;
    } else if (is_over) {
      attempt.missing[name] = upstream.outcome.error;
    } else if (upstream.interface) {
      attempt.inputs[name] = upstream.interface->value;
      node.speculation->consumed[edge.task] = upstream.interface->digest;
    }
  }
  if (node.speculation) node.speculation->guessed = !node.speculation->consumed.empty();
  attempt.said = [this, task, copy](json::object said) { hear(task, copy, std::move(said)); };
  return attempt;
}

void SwarmRun::hear(std::uint32_t task, Copy* copy, json::object said) {
  if (const auto* cost = said.if_contains("cost")) add_cost(nodes_[task], *cost);
  if (copy->stop != Stop::none || stopping_) return;
  if (auto* interface = said.if_contains("interface")) publish(task, copy, std::move(*interface));
  if (auto* foreseen = said.if_contains("planned")) note_plan(task, *copy, std::move(*foreseen));
  if (const auto* progress = said.if_contains("progress")) {
    boost::system::error_code error;
    const auto fraction = progress->to_number<double>(error);
    const bool says = !error && fraction >= 0 && fraction <= 1;
    tell(task, says ? "" : "progress " + vigil::to_text(*progress), says ? fraction : -1);
  }
  if (const auto* note = said.if_contains("note"); note != nullptr && note->is_string()) {
    tell(task, std::string(note->as_string()));
  }
  if (!said.contains("spawn")) return;
  auto spawned = spawn(task, copy->number, said);
  if (spawned) return;
  copy->stop = Stop::refused;
  copy->why = "its spawn was refused: " + spawned.error().message;
  copy->bell.ring();
}

// Only the runner of questions speaks for a question: a process says what it likes.
void SwarmRun::note_plan(std::uint32_t task, const Copy& copy, json::value foreseen) {
  const Task& planner = run_.plan.tasks[task];
  if (!planner.planner || !planner.ask || !foreseen.is_object()) return;
  foreseen.get_object()["prefix"] = brood_prefix(planner.name, copy.number);
  services_.checkpoints.planned(run_.id, planner.name, std::move(foreseen.get_object()));
}

void SwarmRun::add_cost(Node& node, const json::value& cost) {
  const auto* object = cost.if_object();
  if (object == nullptr) return;
  for (const auto& [name, amount] : *object) {
    boost::system::error_code error;
    const auto more = amount.to_number<double>(error);
    const bool is_new = !node.outcome.cost.contains(name);
    if (error || !(more >= 0) || (is_new && node.outcome.cost.size() >= costs_max)) continue;
    json::value& sum = node.outcome.cost[name];
    const double before = sum.is_null() ? 0 : sum.to_number<double>();
    const double total = before + more;
    const bool is_whole =
        total < 9e15 && total == static_cast<double>(static_cast<std::int64_t>(total));
    sum = is_whole ? json::value(static_cast<std::int64_t>(total)) : json::value(total);
  }
}

void SwarmRun::attempt_ended(std::uint32_t task, Copy* ended, AttemptOutcome outcome) {
  Node& node = nodes_[task];
  const auto place = std::ranges::find(node.copies, ended, &std::unique_ptr<Copy>::get);
  const std::unique_ptr<Copy> copy = std::move(*place);
  node.copies.erase(place);
  const Duration took = services_.clock.steady_now() - copy->began;
  switch (copy->stop) {
    case Stop::lost:
      node.outcome.wasted += took;
      return;
    case Stop::rerun:
      node.outcome.wasted += took;
      return guess_was_wrong(task);
    case Stop::doomed:
      node.outcome.wasted += took;
      return drop(task, copy->why);
    case Stop::refused:
      outcome = failed(copy->why);
      break;
    case Stop::none:
      break;
  }
  if (outcome.ok) {
    attempt_won(task, *copy, std::move(outcome), took);
  } else {
    attempt_failed(task, *copy, std::move(outcome), took);
  }
}

void SwarmRun::attempt_won(std::uint32_t task, const Copy& copy, AttemptOutcome outcome,
                           Duration took) {
  unqueue(task);
  stop_copies(task, Stop::lost, "another attempt was first");
  if (copy.is_hedge) ++report_.hedges_won;
  record(nodes_[task], copy, std::move(outcome), took);
  Node& node = nodes_[task];
  if (!node.family) return hold_or_conclude(task, TaskState::done);
  node.phase = Phase::held;
  if (node.family->left == 0) return family_over(task);
  tell(task, fmt::format("waits for {} tasks it spawned", node.family->left));
}

void SwarmRun::attempt_failed(std::uint32_t task, const Copy& copy, AttemptOutcome outcome,
                              Duration took) {
  Node& node = nodes_[task];
  const bool retryable = outcome.retryable;
  record(node, copy, std::move(outcome), took);
  abandon_children(task, node.outcome.error);
  // A hedge that has not started is no use any more; variants are.
  if (node.spared) unqueue(task);
  if (!node.copies.empty() || node.queued) {
    node.outcome.wasted += std::exchange(node.outcome.took, Duration{0});
    if (node.copies.empty()) node.phase = Phase::ready;
    return;
  }
  if (!retryable || node.retries_left == 0 || stopping_) {
    return hold_or_conclude(task, TaskState::failed);
  }
  --node.retries_left;
  node.outcome.wasted += std::exchange(node.outcome.took, Duration{0});
  node.outcome.state = TaskState::waiting;
  node.phase = Phase::pausing;
  if (node.speculation) node.speculation->consumed.clear();
  const Duration wait = backoff(run_.plan.tasks[task], node.outcome.attempts);
  tell(task, fmt::format("{}; trying again in {}", node.outcome.error, vigil::to_text(wait)));
  attempts_.spawn("retry", [this, task, wait] { return ready_later(task, wait); });
}

asio::awaitable<void> SwarmRun::ready_later(std::uint32_t task, Duration wait) {
  co_await services_.clock.sleep_for(wait);
  if (nodes_[task].phase != Phase::pausing) co_return;  // it was given up meanwhile
  make_ready(task);
  services_.scheduler.dispatch();
}

void SwarmRun::record(Node& node, const Copy& copy, AttemptOutcome outcome, Duration took) {
  node.outcome.started = copy.started;
  node.outcome.took = took;
  node.outcome.interface_after = copy.interface_after;
  node.outcome.exit_code = outcome.exit_code;
  node.outcome.result = std::move(outcome.result);
  node.outcome.error = std::move(outcome.error);
  node.outcome.output_cut_bytes = outcome.output_cut_bytes;
  if (!outcome.ok && node.outcome.error.empty()) node.outcome.error = "it failed without a reason";
  if (outcome.ok) node.outcome.error.clear();
}

}  // namespace vigil::swarm
