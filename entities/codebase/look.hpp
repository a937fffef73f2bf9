#pragma once
// What part of a repository's history a review looks at, and how analysers read it. Runs git:
// blocking, for vigil-task.
#include <map>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "core/time.hpp"
#include "entities/analyser.hpp"
#include "entities/codebase/diff.hpp"
#include "entities/codebase/git.hpp"

namespace vigil::entities::codebase {

// From what is asked to commits that are in the clone. `asked` may hold `repository` (a path),
// `branch`, `base`, `head`, `range` ("A..B"), `base_ref`, `depth`, `kind` (pull_request | push),
// `before` ({base, head}: what the last look looked at).
struct Range {
  std::string base;  // a commit, or the empty tree
  std::string head;
  std::string why;       // one sentence: which commits, and why these
  bool as_asked = true;  // false: the asked head is not in the clone
};
Result<Range> choose_range(const Git& git, const json::value& asked);

// The result of codebase.changes.
Result<json::object> describe_changes(const Git& git, const json::value& asked);

// The changes as an analyser sees them: out of `inputs.changes`, else by choosing again.
class Look {
 public:
  static Result<Look> at(const Request& request);

  const Git& git() const { return git_; }
  const json::value& changes() const { return changes_; }
  std::string base() const { return std::string(find_text(changes_, "base").value_or("")); }
  std::string head() const { return std::string(find_text(changes_, "head").value_or("")); }
  std::vector<std::string> paths() const;  // that still exist after the change
  // Without lines of context: analysers want what was added. Renames are followed.
  Result<Diff> diff() const;
  // Of the files that are not as they were at the last look: for analysers that look at each file
  // by itself.
  Result<Diff> fresh_diff() const;

 private:
  Look(Git git, json::value changes) : git_(std::move(git)), changes_(std::move(changes)) {}
  Result<Diff> diff_of(const std::vector<std::string>& paths) const;  // none: of all
  Git git_;
  json::value changes_;
};

}  // namespace vigil::entities::codebase
