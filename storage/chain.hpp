#pragma once
// Rows that only grow are chained: each holds the digest of its own content and of the digest
// before it, so that a row that was changed, taken out or put in between shows. What is cut off at
// the end does not show by itself: compare the head with one that was noted elsewhere (the log has
// it daily). Whoever can write to the database and runs this code can make a new chain; the note
// elsewhere is what they cannot reach. Any thread; the connection is the caller's.
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "core/digest.hpp"

namespace vigil::storage {

class Database;

// SHA-256 over the digest before and each field with its length in front, numbers as decimal text.
Sha256 chained(std::string_view before, std::initializer_list<std::string_view> fields);

enum class Chain { ledger, audit };

// The digest of the newest row; what an empty chain begins with.
std::string head_of(Database& database, Chain chain);
// Rows up to `last` are about to be erased: the chain then begins after them.
void move_start(Database& database, Chain chain, std::int64_t last);

struct ChainLook {
  std::int64_t rows = 0;                  // that are chained
  std::int64_t unchained = 0;             // from before there was a chain
  std::int64_t last = 0;                  // id of the newest row
  std::string head;                       // hex
  std::optional<std::int64_t> broken_at;  // the first row that does not fit
};
// Reads all of it.
ChainLook look_at_chain(Database& database, Chain chain);

}  // namespace vigil::storage
