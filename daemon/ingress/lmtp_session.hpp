#pragma once
// The server's side of LMTP (RFC 2033 on RFC 5321) as a function of what the client sent: replies,
// and messages that are whole. Lines and the end of a message are CR LF as they must be, nothing
// else: what is one message here is one for everybody. Pure; any thread.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace vigil::ingress {

struct LmtpMessage {
  std::string from;
  std::vector<std::string> recipients;
  std::string raw;
};

class LmtpSession {
 public:
  struct Limits {
    std::size_t message_bytes_max = 25 * 1024 * 1024;
    std::size_t recipients_max = 100;
  };
  LmtpSession(Limits limits, std::function<bool(std::string_view recipient)> takes)
      : limits_(limits), takes_(std::move(takes)) {}

  std::string greeting() const;
  struct Turn {
    std::string say;
    std::optional<LmtpMessage> message;  // it must be answered before anything else is taken
    bool over = false;
  };
  // Takes what came, up to a message; call it again with nothing after the answer.
  Turn take(std::string_view bytes);
  // The answer to a message: one line for each recipient (RFC 2033 4.2).
  std::string answer(const Result<void>& stored);

 private:
  void take_line(std::string_view line, Turn& turn);
  void take_recipient(std::string_view argument, Turn& turn);
  // False: more is needed.
  bool take_data(Turn& turn);
  void reset();

  Limits limits_;
  std::function<bool(std::string_view)> takes_;
  std::string buffer_;
  bool greeted_ = false;
  bool in_data_ = false;
  bool has_sender_ = false;
  bool too_large_ = false;
  bool line_too_long_ = false;
  int mistakes_ = 0;
  std::size_t answers_ = 0;  // recipients of the message that waits for them
  LmtpMessage message_;
};

}  // namespace vigil::ingress
