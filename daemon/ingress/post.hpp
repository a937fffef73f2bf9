#pragma once
// Everything that hears of mail and chat by itself: accounts, Maildirs, LMTP, Telegram. They share
// the child that reads messages, and the folder of those that have no other home. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "core/task_group.hpp"
#include "daemon/ingress/fetch.hpp"
#include "daemon/ingress/imap_source.hpp"
#include "daemon/ingress/lmtp_source.hpp"
#include "daemon/ingress/mail_intake.hpp"
#include "daemon/ingress/mail_reading.hpp"
#include "daemon/ingress/maildir_source.hpp"
#include "daemon/ingress/noticed.hpp"
#include "daemon/ingress/telegram_source.hpp"
#include "swarm/runner.hpp"

namespace vigil::ingress {

class Post {
 public:
  struct Ground {
    boost::asio::any_io_executor executor;
    Clock& clock;
    std::function<std::unique_ptr<swarm::Runner>()> make_runner;
    Fetch fetch;
    AcceptNoticed accept_noticed;
    Accept accept;
    std::string raw_folder;
  };
  explicit Post(Ground ground);
  ~Post();
  // Whole or not at all: what it had before goes on when something is refused.
  Result<void> apply(const config::Settings& settings);
  Result<void> start(storage::Stores& reader);
  boost::asio::awaitable<void> stop();
  std::vector<SourceTrouble> troubles() const;
  // Of the door, for mail that a provider posts.
  MailIntake& intake() { return intake_; }

 private:
  boost::asio::awaitable<void> keep_house();

  Clock& clock_;
  Duration keep_{0};  // raw messages; 0: for ever
  MailReader reader_;
  MailIntake intake_;
  ImapListener imap_;
  MaildirListener maildirs_;
  LmtpServer lmtp_;
  TelegramListener telegram_;
  TaskGroup group_;
};

}  // namespace vigil::ingress
