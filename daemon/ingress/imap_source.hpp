#pragma once
// Listens to mail accounts ([source.NAME] kind = "imap") and tells what is new in them, and what
// their user does there: moves and flags. One connection an account, in IDLE while nothing happens.
// What was told is kept in the database and written with the events, in one commit: nothing is told
// twice, and nothing is lost by a crash. Never writes to the mailbox, and marks nothing as read.
// Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/ingress/mail_reading.hpp"
#include "storage/stores.hpp"

namespace vigil::ingress {

class ImapListener {
 public:
  ImapListener(boost::asio::any_io_executor executor, Clock& clock, ReadMail read,
               AcceptNoticed accept);
  ~ImapListener();
  // Reads the credentials. Nothing changes when one cannot be read.
  Result<void> apply(const config::Settings& settings);
  void start(storage::Stores& reader);
  boost::asio::awaitable<void> stop();

  struct View {
    std::string source;
    std::string account;  // user@host
    bool connected = false;
    std::uint64_t looks = 0;
    std::uint64_t events = 0;
    TimePoint last_look{};
    std::string trouble;  // empty: it goes well
  };
  std::vector<View> views() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
