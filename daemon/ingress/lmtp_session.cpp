#include "daemon/ingress/lmtp_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/json.hpp"
#include "daemon/mail/imap_response.hpp"

namespace vigil::ingress {
namespace {

constexpr std::size_t line_bytes_max = 4096;
constexpr int mistakes_max = 20;

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "FROM:<a@b> SIZE=12": what stands between the brackets, and behind them.
struct Path {
  std::string address;
  std::string_view parameters;
};
std::optional<Path> path_of(std::string_view argument, std::string_view word) {
  if (argument.size() < word.size() || !mail::equal_words(argument.substr(0, word.size()), word)) {
    return std::nullopt;
  }
  argument = trim(argument.substr(word.size()));
  const auto close = argument.find('>');
  if (!argument.starts_with('<') || close == std::string_view::npos) return std::nullopt;
  const auto address = argument.substr(1, close - 1);
  const bool clean = std::ranges::all_of(
      address, [](unsigned char c) { return c > 0x20 && c != 0x7f && c != '<'; });
  if (!clean || address.size() > 320 || !is_valid_utf8(address)) return std::nullopt;
  return Path{std::string(address), trim(argument.substr(close + 1))};
}

}  // namespace

std::string LmtpSession::greeting() const { return "220 vigild LMTP\r\n"; }

void LmtpSession::reset() {
  message_ = LmtpMessage();
  has_sender_ = in_data_ = too_large_ = false;
}

void LmtpSession::take_recipient(std::string_view argument, Turn& turn) {
  const auto path = path_of(argument, "TO:");
  if (!has_sender_) {
    turn.say += "503 5.5.1 first MAIL FROM\r\n";
  } else if (!path || path->address.empty()) {
    turn.say += "501 5.1.3 expected RCPT TO:<address>\r\n";
  } else if (message_.recipients.size() >= limits_.recipients_max) {
    turn.say += "452 4.5.3 too many recipients: send it again to the rest\r\n";
  } else if (!takes_(path->address)) {
    turn.say += "550 5.1.1 nobody here is called that\r\n";
  } else {
    message_.recipients.push_back(path->address);
    turn.say += "250 2.1.5 ok\r\n";
  }
}

void LmtpSession::take_line(std::string_view line, Turn& turn) {
  const auto verb = line.substr(0, line.find(' '));
  const auto argument = trim(line.substr(std::min(verb.size() + 1, line.size())));
  const auto is = [&](std::string_view word) { return mail::equal_words(verb, word); };
  if (is("LHLO")) {
    reset();
    greeted_ = true;
    turn.say += fmt::format(
        "250-vigild\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
        "250-SMTPUTF8\r\n250 SIZE {}\r\n",
        limits_.message_bytes_max);
  } else if (is("QUIT")) {
    turn.say += "221 2.0.0 bye\r\n";
    turn.over = true;
  } else if (is("RSET")) {
    reset();
    turn.say += "250 2.0.0 ok\r\n";
  } else if (is("NOOP")) {
    turn.say += "250 2.0.0 ok\r\n";
  } else if (is("MAIL") && greeted_ && !has_sender_) {
    const auto path = path_of(argument, "FROM:");
    if (!path) {
      turn.say += "501 5.1.7 expected MAIL FROM:<address>\r\n";
      return;
    }
    message_.from = path->address;
    has_sender_ = true;
    turn.say += "250 2.1.0 ok\r\n";
  } else if (is("RCPT") && greeted_) {
    take_recipient(argument, turn);
  } else if (is("DATA") && greeted_) {
    if (message_.recipients.empty()) {
      turn.say += "503 5.5.1 no valid recipients\r\n";
      return;
    }
    in_data_ = true;
    turn.say += "354 end with a dot\r\n";
  } else {
    const bool known = is("MAIL") || is("RCPT") || is("DATA");
    turn.say +=
        known ? "503 5.5.1 not now\r\n" : "500 5.5.2 this is LMTP: LHLO, MAIL, RCPT, DATA\r\n";
    turn.over = ++mistakes_ > mistakes_max;
  }
}

// Moves whole lines from the buffer into the message; a dot in front of more is taken away.
bool LmtpSession::take_data(Turn& turn) {
  std::size_t at = 0;
  bool ended = false;
  while (!ended) {
    const auto end = buffer_.find("\r\n", at);
    if (end == std::string::npos) break;
    auto line = std::string_view(buffer_).substr(at, end - at);
    at = end + 2;
    ended = line == ".";
    if (ended) break;
    if (line.starts_with('.')) line.remove_prefix(1);
    too_large_ = too_large_ || message_.raw.size() + line.size() + 2 > limits_.message_bytes_max;
    if (!too_large_) message_.raw.append(line).append("\r\n");
  }
  buffer_.erase(0, at);
  if (!ended) {
    // A line that does not end is counted as well, but for what may be the beginning of its end.
    if (buffer_.size() > limits_.message_bytes_max) {
      too_large_ = true;
      buffer_.erase(0, buffer_.size() - 4);
    }
    return false;
  }
  answers_ = message_.recipients.size();
  if (too_large_) {
    turn.say += answer(fail(ErrorCode::too_large, "the message is too large"));
  } else {
    turn.message = std::move(message_);
  }
  reset();
  return true;
}

LmtpSession::Turn LmtpSession::take(std::string_view bytes) {
  Turn turn;
  buffer_.append(bytes);
  while (!turn.message && !turn.over) {
    if (in_data_) {
      if (!take_data(turn)) break;
      continue;
    }
    const auto end = buffer_.find("\r\n");
    if (end == std::string::npos) {
      if (buffer_.size() > line_bytes_max) {
        buffer_.erase(0, buffer_.size() - 1);
        line_too_long_ = true;
      }
      break;
    }
    const auto line = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    if (std::exchange(line_too_long_, false) || line.size() > line_bytes_max) {
      turn.say += "500 5.5.6 the line is too long\r\n";
    } else {
      take_line(line, turn);
    }
  }
  return turn;
}

std::string LmtpSession::answer(const Result<void>& stored) {
  std::string line = "250 2.0.0 stored\r\n";
  if (!stored) {
    line = "451 4.3.0 not now, keep it and send it again\r\n";
    if (stored.error().code == ErrorCode::full) line = "452 4.3.1 the disk is full, keep it\r\n";
    if (stored.error().code == ErrorCode::too_large) {
      line = fmt::format("552 5.3.4 a message has at most {} bytes here\r\n",
                         limits_.message_bytes_max);
    }
  }
  std::string out;
  for (std::size_t i = 0; i < answers_; ++i) out += line;
  answers_ = 0;
  return out;
}

}  // namespace vigil::ingress
