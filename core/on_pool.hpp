#pragma once
// Runs a function on a thread pool and comes back to the awaiting executor with what it returned or
// threw. Not cancellable: what was posted runs. Include it in .cpp files only: it is heavy.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <type_traits>

namespace vigil {

template <class Work>
auto on_pool(boost::asio::any_io_executor pool, boost::asio::any_io_executor home, Work work) {
  namespace asio = boost::asio;
  using Value = std::invoke_result_t<Work&>;
  auto start = [pool, home, work = std::move(work)](auto handler) mutable {
    auto guard = asio::prefer(home, asio::execution::outstanding_work.tracked);
    auto run = [guard, work = std::move(work), handler = std::move(handler)]() mutable {
      std::exception_ptr error;
      Value value{};
      try {
        value = work();
      } catch (const std::exception&) {
        error = std::current_exception();
      }
      auto finish = [error, value = std::move(value), handler = std::move(handler)]() mutable {
        handler(error, std::move(value));
      };
      asio::post(guard, std::move(finish));
    };
    asio::post(pool, std::move(run));
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr, Value)>(
      std::move(start), asio::use_awaitable);
}

}  // namespace vigil
