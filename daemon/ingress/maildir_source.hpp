#pragma once
// Listens to Maildirs ([source.NAME] kind = "maildir"): new messages, moves between folders, flags.
// The kernel says when something happened; the directories are read on a thread of its own. What
// was told is kept in the database and written with the events, in one commit. Never writes to the
// Maildir. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <vector>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/ingress/mail_reading.hpp"
#include "storage/stores.hpp"

namespace vigil::ingress {

class MaildirListener {
 public:
  MaildirListener(boost::asio::any_io_executor executor, Clock& clock, ReadMail read,
                  AcceptNoticed accept);
  ~MaildirListener();
  void apply(const config::Settings& settings);
  void start(storage::Stores& reader);
  boost::asio::awaitable<void> stop();
  std::vector<SourceTrouble> troubles() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
