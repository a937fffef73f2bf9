#pragma once
// Keys of cases made of what an event says: never longer than a case may be named, and never two
// cases in one because a name was cut. Pure; any thread.
#include <string>

namespace vigil::entities {

constexpr std::size_t case_key_bytes_max = 400;

// The text itself when it fits and is UTF-8; else its beginning and a digest of the whole.
std::string case_key_of(std::string text);

}  // namespace vigil::entities
