#pragma once
// A command of the repository's own (its tests, its linter), run on the commit under review: in a
// private copy of the tree, so that it may write and build, and judges what was asked and not what
// happens to be checked out. Blocking: for vigil-task, which contains it.
#include <string_view>
#include <vector>

#include "entities/codebase/finding.hpp"
#include "entities/codebase/look.hpp"

namespace vigil::entities::codebase {

// The errors and warnings about files that a compiler, linter or test printed, in any of the
// formats of entities/ci; at most `most`. Pure.
std::vector<Finding> errors_in_output(std::string_view output, std::string_view command,
                                      std::size_t most);

Result<json::value> run_command(const Request& request);

}  // namespace vigil::entities::codebase
