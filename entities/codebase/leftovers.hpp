#pragma once
// What was forgotten in added lines: marks of a merge, debugging, things put off. Pure; any thread.
#include <vector>

#include "entities/codebase/diff.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {

std::vector<Finding> find_conflicts(const Diff& diff);
std::vector<Finding> find_debugging(const Diff& diff);
std::vector<Finding> find_todos(const Diff& diff);

}  // namespace vigil::entities::codebase
