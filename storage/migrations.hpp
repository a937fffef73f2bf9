#pragma once
// The shape of the database, as an ordered list of steps. A step that has landed is never edited:
// a test holds their checksums.
#include <span>
#include <string>

#include "core/error.hpp"
#include "storage/database.hpp"

namespace vigil::storage {

struct Migration {
  int version;
  Sql statements;
};
std::span<const Migration> migrations();
int newest_version();

// Brings an open database to the newest version, one transaction a step. A copy is kept beside it
// (`<path>.before-v<N>`) before an older one changes. A newer or foreign file is refused untouched.
Result<void> migrate(Database& database, const std::string& path);
// Is it ours, and not newer than this program? Changes nothing.
Result<int> check_version(Database& database, const std::string& path);

}  // namespace vigil::storage
