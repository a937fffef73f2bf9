#pragma once
// The files a change touches, as `git diff --raw` and `--numstat` tell them
// (https://git-scm.com/docs/diff-format). Runs git: blocking, for vigil-task; the rest is pure.
#include <string>
#include <vector>

#include "core/json.hpp"
#include "entities/codebase/git.hpp"

namespace vigil::entities::codebase {

struct FileChange {
  std::string path;
  std::string old_path;  // of a rename or copy
  char status = 'M';     // A M D R C T
  std::int64_t added = 0;
  std::int64_t removed = 0;
  std::int64_t bytes = 0;  // after the change
  bool binary = false;
  std::string mode;   // when it is no ordinary file: 100755, 120000, 160000
  bool seen = false;  // both its sides are as they were at the last look
};

struct ChangedFiles {
  std::string base;
  std::string head;
  std::vector<FileChange> listed;
  bool cut = false;  // there are more than are listed
  std::size_t count = 0;
  std::size_t seen = 0;
  std::int64_t added = 0;
  std::int64_t removed = 0;
};
Result<ChangedFiles> changed_files(const Git& git, const std::string& base,
                                   const std::string& head);

// Marks files whose change from base to head is byte for byte the same as the last look's, by the
// ids of both sides. Marks nothing when the clone has no longer what was looked at then.
void mark_seen(const Git& git, const std::string& last_base, const std::string& last_head,
               ChangedFiles& files);

json::object to_json(const FileChange& change);
std::vector<FileChange> files_of(const json::value& changes);  // `files` of codebase.changes

}  // namespace vigil::entities::codebase
