#pragma once
// One look at an account: which of its folders changed, and what lies in them now. Reads only; asks
// for flags and for the headers that say which message it is, never for bodies. Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <map>
#include <optional>
#include <string>

#include "config/mail.hpp"
#include "daemon/ingress/mailbox.hpp"
#include "daemon/mail/imap.hpp"
#include "storage/stores.hpp"

namespace vigil::ingress {

// What is kept of a folder beside its messages.
struct FolderMark {
  std::uint64_t validity = 0;
  std::uint64_t next = 0;
  std::uint64_t count = 0;
  std::uint64_t mod_seq = 0;  // 0: the server has none, so flags are asked for at every look
  std::uint64_t low = 1;      // UIDs below are not remembered
  TimePoint at{};             // of the look
  bool operator==(const FolderMark&) const = default;
};
std::string folder_item(const std::string& folder);
std::string mark_text(const FolderMark& mark);
std::optional<FolderMark> mark_from(const std::string& text);

struct ImapMemory {
  bool is_known = false;  // somebody looked before, at the same account
  std::map<std::string, FolderMark> marks;
  HeldMailbox held;
};
// Another server or user: what was seen before says nothing.
std::string account_form(const config::ImapSource& settings);
ImapMemory recall(storage::Stores& reader, const std::string& source,
                  const config::ImapSource& settings);

struct ImapLook {
  std::map<std::string, FolderMark> marks;  // of the folders that changed
  HeldMailbox now;                          // what lies in these
  HeldMailbox known;  // of these what is not new, though it was not remembered
  std::map<std::string, TimePoint> received;  // by folder, a line break and place; of new ones
  std::string trouble;                        // of folders that could not be looked at
};
boost::asio::awaitable<Result<ImapLook>> look_at(mail::Imap& imap,
                                                 const config::ImapSource& settings,
                                                 const ImapMemory& memory, TimePoint now);

// "17-Jul-1996 02:44:25 -0700", as INTERNALDATE has it.
std::optional<TimePoint> parse_internal_date(std::string_view text);

}  // namespace vigil::ingress
