#pragma once
// Wakes one waiting coroutine. A ring while nobody waits is kept, once. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

namespace vigil {

class Bell {
 public:
  explicit Bell(boost::asio::any_io_executor executor);
  ~Bell();
  void ring();
  // Returns after the next ring, or at once if one was kept. Throws operation_aborted on
  // cancellation.
  boost::asio::awaitable<void> wait();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil
