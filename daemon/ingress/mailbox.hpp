#pragma once
// What is known of a mailbox (an IMAP account, a Maildir) and what a look at it comes to: messages
// that are new, were moved, got other flags, or are gone. Folders of one mailbox belong together:
// the same message in two of them is one, and one that goes away here while it is there was moved.
// Pure; any thread.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace vigil::ingress {

// A message in its place. Places are named as the mailbox does: a UID, a file's unique name.
struct Held {
  std::string key;         // which message it is, wherever it lies: a digest of some of its headers
  std::string message_id;  // without angle brackets; empty: it has none
  std::vector<std::string> flags;  // sorted
  bool missing = false;  // it was not there at the last look, and was nowhere else: once more, and
                         // it is gone
  std::string thread = {};  // the oldest message it refers to; empty: none, or not known
  bool operator==(const Held&) const = default;
};
using HeldFolder = std::map<std::string, Held>;
using HeldMailbox = std::map<std::string, HeldFolder>;

struct MailChange {
  enum class Kind {
    message,  // new
    moved,
    flagged,
    gone,
    copied,   // a second place of one that is known: not told
    missing,  // perhaps gone, perhaps on its way: not told
  };
  Kind kind = Kind::message;
  std::string folder;  // where it is; of gone and missing where it was
  std::string place;
  std::string from_folder;  // of moved
  std::string from_place;
  Held held;                         // as it is now; of gone and missing as it was
  std::vector<std::string> added;    // flags
  std::vector<std::string> removed;  // flags
};

// From one look to the next. `now` holds the folders that were looked at, whole; the others are as
// they were. Oldest place first within a folder.
std::vector<MailChange> changes_between(const HeldMailbox& before, const HeldMailbox& now);

// What to store of a change, in the words of storage::Seen: an item and its value; an empty value:
// forget the item.
struct SeenChange {
  std::string item;
  std::string value;
};
std::vector<SeenChange> to_seen(const MailChange& change);
// A message that is known and was not told.
SeenChange to_seen(const std::string& folder, const std::string& place, const Held& held);
// Of one item; nothing stands in the folder's name when it is no message.
struct SeenMessage {
  std::string folder;
  std::string place;
  Held held;
};
Result<SeenMessage> message_from_seen(const std::string& item, const std::string& value);
bool is_message_item(std::string_view item);

// The head of a message as far as it says which it is: Message-ID, From and Date, and where it has
// no Message-ID all that is given of it; and what it answers: References and In-Reply-To.
struct Identity {
  std::string key;  // empty: the head says nothing
  std::string message_id;
  std::string thread;
};
Identity identity_of(std::string_view head);

// Flags that tell something, sorted: without \Recent.
std::vector<std::string> telling_flags(std::vector<std::string> flags);
// A place that is a number sorts as one.
std::string place_of_uid(std::uint64_t uid);
std::uint64_t uid_of_place(std::string_view place);

}  // namespace vigil::ingress
