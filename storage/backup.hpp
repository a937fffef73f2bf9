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

// What PRAGMA quick_check or integrity_check found; empty: nothing.
enum class Depth { quick, whole };
std::string damage_of(Database& database, Depth depth);

}  // namespace vigil::storage
