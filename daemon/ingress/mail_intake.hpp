#pragma once
// Takes in mail that has no other home (LMTP, inbound webhooks): the raw message goes into a folder
// of the daemon and on the disk, a contained child reads it, and its event is committed; only then
// is it answered. The same message (Message-ID and bytes) is one event, however often it comes.
// Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "daemon/ingress/mail_reading.hpp"
#include "daemon/ingress/noticed.hpp"

namespace vigil::ingress {

struct Delivery {
  std::string source;
  Taint taint = Taint::untrusted;
  std::string from;                     // of the envelope; empty: none, or a bounce
  std::vector<std::string> recipients;  // of the envelope
  std::string raw;
  json::object more;  // members of the event beside those of docs/comms.md
};

class MailIntake {
 public:
  // `folder` is made when the first message comes.
  MailIntake(boost::asio::any_io_executor executor, Clock& clock, std::string folder, ReadMail read,
             Accept accept);
  // Errors: full, busy, unavailable: it must be sent again.
  boost::asio::awaitable<Result<storage::Appended>> take(Delivery delivery);
  // Removes raw messages that came before.
  boost::asio::awaitable<void> sweep(TimePoint before);

 private:
  boost::asio::any_io_executor executor_;
  Clock& clock_;
  std::string folder_;
  ReadMail read_;
  Accept accept_;
};

}  // namespace vigil::ingress
