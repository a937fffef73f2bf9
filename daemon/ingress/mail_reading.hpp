#pragma once
// Raw messages are read by a contained child (vigil-task comms.mail), never here. Whoever hears of
// mail, by whatever door, gets one form of event out of it (docs/comms.md). Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/event.hpp"
#include "daemon/ingress/mailbox.hpp"
#include "daemon/ingress/noticed.hpp"
#include "swarm/runner.hpp"

namespace vigil::ingress {

// The members of mail.message that a reader finds in the raw bytes. Errors: unavailable (try again
// later), invalid_input (it was tried and cannot be read).
using ReadMail = std::function<boost::asio::awaitable<Result<json::object>>(std::string raw)>;

// Runs vigil-task, a few messages at a time; the rest wait their turn.
class MailReader {
 public:
  MailReader(boost::asio::any_io_executor executor, Clock& clock,
             std::function<std::unique_ptr<swarm::Runner>()> make_runner);
  ~MailReader();
  boost::asio::awaitable<Result<json::object>> read(std::string raw);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a door knows of a message beside its content.
struct MailPlace {
  std::string source;
  Taint taint = Taint::untrusted;
  std::string folder;
  std::string special;  // inbox sent drafts junk trash archive; empty: not known
  json::object raw_ref;
  std::optional<TimePoint> received;
};

struct MailEvent {
  storage::NewEvent event;
  json::value payload;
};

// `mail` is what the reader found; of one that could not be read it says so in `defects`.
MailEvent message_event(const MailPlace& place, const std::string& uid, json::object mail,
                        const std::vector<std::string>& flags, TimePoint now);
// moved, flagged and gone; `mail` is for moved.
MailEvent change_event(const MailPlace& place, const MailChange& change, const json::object& mail,
                       TimePoint now);
json::object unreadable_mail(const Identity& identity, std::size_t bytes, const std::string& why);

}  // namespace vigil::ingress
