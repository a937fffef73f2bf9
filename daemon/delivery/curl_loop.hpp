#pragma once
// libcurl's multi handle on the loop: which sockets it wants watched and when it wants to be
// called again, nothing else. Loop thread only. libcurl's header stays out of here.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

namespace vigil::delivery {

class CurlLoop {
 public:
  explicit CurlLoop(boost::asio::any_io_executor executor);
  ~CurlLoop();

  // Performs the transfer of a CURL* easy handle; the CURLcode it ended with. The handle must live
  // until then. Cancelling takes the transfer away and throws operation_aborted.
  boost::asio::awaitable<int> run(void* easy);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vigil::delivery
