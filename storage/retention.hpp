#pragma once
// Erases what is older than its keep time, a few rows at a time: on a full disk one big DELETE
// fails where many small ones, each followed by a checkpoint, succeed.
#include <cstdint>
#include <string>

#include "storage/writer.hpp"

namespace vigil::storage {

enum class Shelf { events, decisions, actions, swarms, numbers, results, learned, episodes, spend };
constexpr Shelf last_shelf = Shelf::spend;

// Where the walk is: through the shelves, and through the ids of one from the oldest.
struct Walk {
  Shelf shelf = Shelf::events;
  std::int64_t after = 0;
  std::string name;  // of the entity that was looked at last
  std::int64_t erased = 0;
  bool done = false;
};

// One step; on the writer's thread, inside a savepoint. Never erases an event that is not routed
// yet, what a waiting wake is about, or an answer that a later action will edit in place.
Walk step(Database& database, const Writer::Retention& retention, Walk walk);

}  // namespace vigil::storage
