#pragma once
// Hands one message to a mail server (RFC 5321, AUTH RFC 4954, STARTTLS RFC 3207). Says exactly how
// far it came: before the last line of the message nothing was sent; after it, and without an
// answer, perhaps it was. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "config/mail.hpp"
#include "core/clock.hpp"
#include "daemon/http/reach.hpp"

namespace vigil::mail {

struct Handed {
  enum class Fate { taken, refused, not_now, unanswered };
  Fate fate = Fate::not_now;
  std::string text;  // what the server said, or what went wrong
};

// `message` as compose() writes it. All recipients or none.
boost::asio::awaitable<Handed> hand_over(boost::asio::any_io_executor executor, Clock& clock,
                                         const http::Reach& reach, const config::SmtpSink& settings,
                                         std::vector<std::string> recipients, std::string message);

// A line that begins with a dot gets a second one; ends with the line that holds a dot alone.
std::string dot_stuffed(std::string_view message);

}  // namespace vigil::mail
