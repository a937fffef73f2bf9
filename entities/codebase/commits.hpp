#pragma once
// The commits of a change: what was meant to be squashed, messages nobody can use. Pure, but for
// run_commits.
#include <string>
#include <vector>

#include "entities/codebase/finding.hpp"
#include "entities/codebase/look.hpp"

namespace vigil::entities::codebase {

struct Commit {
  std::string hash;
  int parents = 1;
  std::string author_address;
  std::string message;
};
// What `git log -z` wrote in our format: fields between 0x1f, commits between NUL.
std::vector<Commit> read_commits(std::string_view text);
std::vector<Finding> find_in_commits(const std::vector<Commit>& commits);

Result<json::value> run_commits(const Request& request);

}  // namespace vigil::entities::codebase
