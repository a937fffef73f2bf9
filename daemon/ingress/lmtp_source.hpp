#pragma once
// Mail that an MTA delivers ([source.NAME] kind = "lmtp"), on a unix socket or on loopback. A
// message is answered 250 once its event is committed, and with 4xx when it cannot be now: then the
// MTA keeps it. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/ingress/mail_intake.hpp"

namespace vigil::ingress {

class LmtpServer {
 public:
  LmtpServer(boost::asio::any_io_executor executor, Clock& clock, MailIntake& intake);
  ~LmtpServer();
  void apply(const config::Settings& settings);
  // Opens the sockets. The error names the address and what to do.
  Result<void> start();
  boost::asio::awaitable<void> stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
