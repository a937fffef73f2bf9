#include "storage/known.hpp"

#include "storage/database.hpp"
#include "storage/stores.hpp"

namespace vigil::storage {

bool has_event(Stores& stores, const std::string& source, const std::string& uid) {
  return stores.database().number("SELECT id FROM event WHERE source = ? AND uid = ?", source,
                                  uid) != 0;
}

}  // namespace vigil::storage
