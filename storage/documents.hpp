#pragma once
// The documents of an entity as a list. What one says is read with Memory::document.
#include <string>
#include <vector>

#include "core/time.hpp"

namespace vigil::storage {

class Database;

struct Heading {
  std::string key;
  std::string title;
  TimePoint updated;
};

// Those whose key begins with `prefix`, newest first. Any connection.
std::vector<Heading> headings(Database& database, const std::string& entity,
                              const std::string& prefix, int limit);

}  // namespace vigil::storage
