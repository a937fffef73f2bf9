#include "core/bell.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace vigil {
namespace asio = boost::asio;

struct Bell::State {
  asio::steady_timer timer;
  bool rung = false;
};

Bell::Bell(asio::any_io_executor executor)
    : state_(std::make_unique<State>(
          State{asio::steady_timer(std::move(executor), asio::steady_timer::time_point::max())})) {}

Bell::~Bell() = default;

void Bell::ring() {
  state_->rung = true;
  state_->timer.cancel();
}

asio::awaitable<void> Bell::wait() {
  constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
  while (!state_->rung) {
    auto [error] = co_await state_->timer.async_wait(as_tuple);
    if (error && !state_->rung) throw boost::system::system_error(error);
  }
  state_->rung = false;
}

}  // namespace vigil
