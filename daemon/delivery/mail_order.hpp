#pragma once
// What an action asks to be done to a message, whatever holds the mailbox (docs/comms.md, "What it
// asks for"). Pure; any thread.
#include <cstdint>
#include <string>
#include <vector>

#include "config/mail.hpp"
#include "core/error.hpp"
#include "core/json.hpp"

namespace vigil::delivery {

struct MailOrder {
  enum class What { mark, move, remove, draft };
  What what = What::mark;
  std::string folder;  // where it was when it was told
  std::string message_id;
  std::uint64_t uid = 0;           // of IMAP; 0: not known
  std::uint64_t uid_validity = 0;  // of the uid
  std::string file;                // of a Maildir: its unique name
  std::vector<std::string> add;    // flags and labels, as IMAP writes them
  std::vector<std::string> remove;
  std::string to;  // of move: the folder
};

// Errors say which member of the payload is wrong, and how it should be.
Result<MailOrder> mail_order_from(const json::value& payload);
// Is the sink allowed to do it there?
Result<void> may_touch(const config::ImapSink& settings, const MailOrder& order);

}  // namespace vigil::delivery
