#pragma once
// Runs a function that may block (a disk, a large directory) on a short-lived thread and comes back
// to the loop with what it returned. It must not throw. Not cancellable: it ends by itself. Include
// it in .cpp files only: it is heavy.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "core/bell.hpp"

namespace vigil {

template <class Value>
boost::asio::awaitable<Value> off_loop(boost::asio::any_io_executor executor,
                                       std::function<Value()> work) {
  namespace asio = boost::asio;
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  struct Shared {
    explicit Shared(const asio::any_io_executor& on) : done(on) {}
    Bell done;
    Value value{};
  };
  auto shared = std::make_shared<Shared>(executor);
  std::thread worker([shared, executor, work = std::move(work)] {
    auto value = work();
    asio::post(executor, [shared, value = std::move(value)]() mutable {
      shared->value = std::move(value);
      shared->done.ring();
    });
  });
  co_await shared->done.wait();
  worker.join();
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_return std::move(shared->value);
}

}  // namespace vigil
