#include "core/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include "core/check.hpp"
#include "core/log.hpp"

namespace vigil {
namespace asio = boost::asio;

struct TaskGroup::State {
  struct Task {
    std::string name;
    std::function<asio::awaitable<void>()> make;
    asio::cancellation_signal cancel;
  };
  explicit State(asio::any_io_executor on)
      : executor(std::move(on)), empty(executor, asio::steady_timer::time_point::max()) {}

  asio::any_io_executor executor;
  asio::steady_timer empty;  // cancelled each time the last task ends
  std::list<Task> tasks;
};

namespace {

void log_failure(const std::string& name, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& failure) {
    if (failure.code() == asio::error::operation_aborted) return;  // cancellation is no failure
    log_error("background work failed and stopped: task={} error={}", name, quoted(failure.what()));
  } catch (const std::exception& failure) {
    log_error("background work failed and stopped: task={} error={}", name, quoted(failure.what()));
  }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : state_(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup() { VIGIL_CHECK(state_->tasks.empty()); }

void TaskGroup::spawn(std::string name, std::function<asio::awaitable<void>()> make) {
  auto state = state_;
  state->tasks.emplace_back();
  const auto task = std::prev(state->tasks.end());
  task->name = std::move(name);
  task->make = std::move(make);
  auto ended = [state, task](const std::exception_ptr& error) {
    if (error) log_failure(task->name, error);
    state->tasks.erase(task);
    if (state->tasks.empty()) state->empty.cancel();
  };
  auto start = [task]() { return task->make(); };
  asio::co_spawn(state->executor, std::move(start),
                 asio::bind_cancellation_slot(task->cancel.slot(), std::move(ended)));
}

void TaskGroup::cancel() {
  // Emitting may end a task at once, which erases it: walk over a copy of the positions.
  std::vector<std::list<State::Task>::iterator> all;
  for (auto task = state_->tasks.begin(); task != state_->tasks.end(); ++task) all.push_back(task);
  for (const auto& task : all) {
    auto* signal = &task->cancel;
    asio::post(state_->executor, [state = state_, signal] {
      for (auto& left : state->tasks) {
        if (&left.cancel == signal) return left.cancel.emit(asio::cancellation_type::terminal);
      }
    });
  }
}

asio::awaitable<void> TaskGroup::join() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
  while (!state_->tasks.empty()) {
    auto [ignored] = co_await state_->empty.async_wait(as_tuple);
    (void)ignored;  // a cancelled timer is how the last task says goodbye
  }
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

std::size_t TaskGroup::size() const { return state_->tasks.size(); }

}  // namespace vigil
