#pragma once
// What changed among the refs of a repository since somebody last looked, each as the push event a
// forge would have sent. Blocking: for vigil-task.
#include "core/json.hpp"
#include "entities/analyser.hpp"

namespace vigil::entities::codebase {

// input: `repository`, `name`, `refs` (patterns), `known` ({ref: id}; absent: nothing is known),
// `commits_max`. Answers {"changes": [...], "folders": [...]}: a change is {"ref", "before",
// "after", "created", "deleted", "forced", "size", "commits", "head_commit"}, both ids null hashes
// where there is none; folders are those to watch. Beyond 200 changes only the ids are told.
Result<json::value> run_pushes(const Request& request);

}  // namespace vigil::entities::codebase
