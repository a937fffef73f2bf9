#pragma once
// Commits as push events tell them, read as raw objects: nothing a commit says can pass for another
// field or another commit. Blocking: for vigil-task.
#include <boost/json/array.hpp>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "entities/codebase/git.hpp"

namespace vigil::entities::codebase {

// In the order asked; one that is not there is left out: {"id", "tree_id", "message", "timestamp",
// "author": {"name", "email"}, "committer", "added": [], "removed": [], "modified": []}, with
// "files_cut" where not all files are listed.
json::array describe_commits(const Git& git, const std::vector<std::string>& hashes);

}  // namespace vigil::entities::codebase
