#pragma once
// How events reach the journal: one that came through a door, or what a source that looks for
// itself has found, with what must be written along.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "storage/journal.hpp"

namespace vigil::storage {
class Stores;
}

namespace vigil::ingress {

struct Noticed {
  std::vector<storage::NewEvent> events;
  std::vector<json::value> payloads;  // of the same events, as values
  // Runs on the writer's thread in the transaction of the events: what was seen is remembered if,
  // and only if, they are stored.
  std::function<void(storage::Stores&)> along;
};

// Stores all of it in one commit and hands the new events on; how many were new. Errors: full,
// busy, unavailable.
using AcceptNoticed = std::function<boost::asio::awaitable<Result<int>>(Noticed)>;

// A source that cannot do its work now, for a person.
struct SourceTrouble {
  std::string source;
  std::string text;
};

// Stores an event durably and hands it on. Errors: full, busy, unavailable -> 503.
using Accept = std::function<boost::asio::awaitable<Result<storage::Appended>>(storage::NewEvent,
                                                                               json::value data)>;

}  // namespace vigil::ingress
