#pragma once
// A connection to a mail server, in the open or under TLS 1.2 and later with the certificate and
// the name in it checked. Waits at the socket alone, so that a wait may be cancelled at any time
// without losing a byte, and an idle connection holds no buffers. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "daemon/http/reach.hpp"

namespace vigil::mail {

class Wire {
 public:
  // Goes where `reach` allows, as every host here stands in the configuration.
  Wire(boost::asio::any_io_executor executor, Clock& clock, const http::Reach& reach);
  ~Wire();  // closes it
  // The errors say what could not be reached and what to do.
  boost::asio::awaitable<Result<void>> connect(std::string host, int port, TimePoint until);
  // `ca_file`: PEM of who may have signed; empty: whom this machine trusts.
  boost::asio::awaitable<Result<void>> start_tls(std::string host, std::string ca_file,
                                                 TimePoint until);
  // Some bytes; an empty text: the other side closed it. timed_out: none came, it goes on.
  boost::asio::awaitable<Result<std::string>> read(TimePoint until);
  boost::asio::awaitable<Result<void>> write(std::string bytes, TimePoint until);
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// 127.0.0.0/8, ::1, localhost: where a password may travel in the open.
bool is_loopback_host(std::string_view host);

}  // namespace vigil::mail
