#pragma once
// Where the sources and the programs under test are. Functions, not macros: so a test's object is
// the same in every checkout, and a compiler cache can share it.
#include <string>

namespace vigil {

std::string source_dir();
std::string bin_dir();

}  // namespace vigil
