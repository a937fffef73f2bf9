#pragma once
// The one way to put a limit on an await (docs/style.md part 5). Include it in .cpp files only: it
// is heavy.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>

#include "core/clock.hpp"
#include "core/error.hpp"

namespace vigil {

// Runs `work` until the wall clock shows `until`. Late: the work is cancelled and awaited, and
// ErrorCode::timed_out is the answer. What the work throws is thrown. Only as prompt as the work's
// own cancellation. T must be default-constructible. Call it by name, then await it alone.
template <class T>
boost::asio::awaitable<Result<T>> with_deadline(Clock& clock, TimePoint until,
                                                boost::asio::awaitable<T> work) {
  namespace asio = boost::asio;
  auto executor = co_await asio::this_coro::executor;
  auto sleeping = clock.sleep_until(until);
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, std::move(work), asio::deferred),
      asio::co_spawn(executor, std::move(sleeping), asio::deferred));
  auto [order, work_error, value, sleep_error] =
      co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (order[0] == 0) {
    if (work_error) std::rethrow_exception(work_error);
    co_return Result<T>(std::move(value));
  }
  if (sleep_error) std::rethrow_exception(sleep_error);  // we were cancelled from outside
  co_return fail(ErrorCode::timed_out, "the deadline passed");
}

}  // namespace vigil
