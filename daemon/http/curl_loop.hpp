#pragma once
// libcurl's multi handle on the loop: which sockets it wants watched and when it wants to be called
// again, nothing else. Makes no system call while no transfer is open. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

namespace vigil::http {

class CurlLoop {
 public:
  explicit CurlLoop(boost::asio::any_io_executor executor);
  ~CurlLoop();  // no transfer may be open

  // Performs a transfer of the easy handle (a CURL*); the CURLcode it ended with. The handle must
  // live until then. Cancelling takes the transfer away and throws operation_aborted.
  boost::asio::awaitable<int> run(void* easy);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vigil::http
