#pragma once
// Where a clone keeps what git reads. Looks at the file system, briefly; any thread.
#include <string>
#include <vector>

namespace vigil::entities::codebase {

// The clone itself and, where they are elsewhere, its repository and its objects: a work tree
// beside its repository, borrowed objects.
std::vector<std::string> places_of(const std::string& path);

}  // namespace vigil::entities::codebase
