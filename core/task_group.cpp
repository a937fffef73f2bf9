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
  std::list<std::shared_ptr<Task>> tasks;
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
  // The list alone keeps a task; who only wants to cancel it finds out that it has ended.
  auto* task = state->tasks.emplace_back(std::make_shared<State::Task>()).get();
  const auto place = std::prev(state->tasks.end());
  task->name = std::move(name);
  task->make = std::move(make);
  auto ended = [state, place](const std::exception_ptr& error) {
    if (error) log_failure((*place)->name, error);
    state->tasks.erase(place);
    if (state->tasks.empty()) state->empty.cancel();
  };
  auto start = [task]() { return task->make(); };
  asio::co_spawn(state->executor, std::move(start),
                 asio::bind_cancellation_slot(task->cancel.slot(), std::move(ended)));
}

void TaskGroup::cancel() {
  // Posted, since emitting may end a task at once, which erases it; by then it may also have ended
  // by itself.
  for (const auto& task : state_->tasks) {
    asio::post(state_->executor, [asked = std::weak_ptr(task)] {
      const auto left = asked.lock();
      if (left) left->cancel.emit(asio::cancellation_type::terminal);
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
