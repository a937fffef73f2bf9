#include "tests/support/places.hpp"

namespace vigil {

std::string source_dir() { return VIGIL_SOURCE_DIR; }
std::string bin_dir() { return VIGIL_BIN_DIR; }

}  // namespace vigil
