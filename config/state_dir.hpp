#pragma once
// Where the state directory is, for when the configuration that says so cannot be used. Reads one
// file; any thread.
#include <string>

namespace vigil::config {

// `path` as of load(). Taken from what stands before the first mistake of syntax, and whatever else
// is wrong; where nothing is said there, the default. Absolute.
std::string find_state_dir(const std::string& path);

}  // namespace vigil::config
