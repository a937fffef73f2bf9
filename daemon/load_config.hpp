#pragma once
// Reads the configuration so that reading leaves nothing behind: what the tree of the files takes
// lies in a heap of its own, which goes as a whole, and the settings lie close together. In a
// daemon with many entities that is two thirds of its memory. Blocks the caller; any thread.
#include <string>

#include "config/load.hpp"

namespace vigil {

config::LoadResult load_config(const std::string& path);

// The same, and every entity is made for a trial: a pattern that cannot be read, an analyser that
// does not exist or a filter that does not compile is a diagnostic, too. For whoever asks before it
// is put in force.
config::LoadResult try_config(const std::string& path);

}  // namespace vigil
