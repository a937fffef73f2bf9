#pragma once
// The journal: every accepted event, in order. Reads from any connection, writes on the writer's.
#include <optional>
#include <string>
#include <vector>

#include "core/event.hpp"

namespace vigil::storage {

class Database;

// What a uid names. A delivery comes once. A state may come back after another one of the same
// subject: it is a duplicate only while it is the last that was told.
enum class Names { delivery, state };

struct NewEvent {
  std::string uid;  // delivery id, unique per source
  std::string source;
  std::string type;
  std::string subject;
  TimePoint time;
  TimePoint received_at;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  Taint taint = Taint::untrusted;
  std::string data;  // JSON text; empty for none. Stored compressed
  std::string
      dedup_hash;  // set when the uid is not signed: a second body like it is a duplicate too
  Names names = Names::delivery;  // state: for a subject that is told again and again
};

struct Appended {
  EventId id;  // of the first one when it is a duplicate
  bool duplicate = false;
  std::string uid = {};  // as stored, where a state came back and got another one than was given
};

struct EventFilter {
  std::string source;     // exact; empty: any
  std::string type_like;  // may hold `*`; empty: any
  EventId before;         // older than this; 0: from the newest
  int limit = 50;
};

class Journal {
 public:
  explicit Journal(Database& database) : database_(database) {}
  Appended append(const NewEvent& event);
  EventPtr find(EventId id);  // nullptr when gone
  std::vector<EventPtr> read_after(EventId cursor,
                                   int limit);            // in order; at most ~8 MB of payload
  std::vector<EventPtr> list(const EventFilter& filter);  // newest first, with payload
  EventId last();                                         // 0 when empty
  std::int64_t count_after(EventId cursor);

 private:
  Database& database_;
};

}  // namespace vigil::storage
