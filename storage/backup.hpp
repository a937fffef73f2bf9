#pragma once
// Copies of the database: made, checked, put back. Blocking calls; any thread.
#include <functional>
#include <string>

#include "core/error.hpp"

namespace vigil::storage {

class Database;

// Writes a consistent copy of `database` (a connection of its own) to `path`, 0600. It has its name
// only once it is whole and on the disk.
Result<void> copy_to(Database& database, const std::string& path);

// What SQLite's own checks found; empty: nothing.
// `brief` leaves out the tables that grow with time: reading them may take minutes.
enum class Depth { brief, quick, whole };
std::string damage_of(Database& database, Depth depth);

}  // namespace vigil::storage
