#pragma once
// Writes a plain text message (RFC 5322, RFC 2045 quoted-printable, RFC 2047 encoded words, RFC
// 3834 Auto-Submitted). What goes into its head is checked: nothing in it can begin a line of its
// own. Pure; any thread.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::mail {

struct Address {
  std::string name;
  std::string address;
};

struct Letter {
  Address from;  // without an address the header is left out: a draft, before its writer is known
  std::vector<Address> to;
  std::vector<Address> cc;
  std::string subject;
  std::string text;
  std::string in_reply_to;                                   // without angle brackets
  std::vector<std::string> references;                       // the same
  std::vector<std::pair<std::string, std::string>> headers;  // X-...
  TimePoint date;
  std::string message_id;  // without angle brackets
};

// Made of an action's key: the same for every attempt.
std::string message_id_of_key(std::string_view key, std::string_view domain);

// Reads `to`, `cc`, `subject`, `text`, `in_reply_to`, `references` and `headers` of an action's
// payload; errors say which member is wrong.
Result<Letter> letter_from(const json::value& payload);
// "Ada <ada@example.org>", or an address alone.
Result<Address> parse_address(std::string_view text);

std::string compose(const Letter& letter);  // lines end in CR LF

}  // namespace vigil::mail
