#pragma once
// Whether a delivery is in the journal. From any connection.
#include <string>

namespace vigil::storage {

class Stores;

// The uid as it was given to the door (journal.hpp).
bool has_event(Stores& stores, const std::string& source, const std::string& uid);

}  // namespace vigil::storage
