#pragma once
// Which lock files a request asks about, and what they held before a change. Blocking: reads files
// and runs git, for vigil-task.
#include <optional>
#include <string>
#include <vector>

#include "entities/analyser.hpp"
#include "entities/codebase/finding.hpp"
#include "entities/deps/lockfile.hpp"

namespace vigil::entities::deps {

using codebase::Finding;

struct LockSource {
  std::string path;  // as findings name it
  Lockfile now;
  // Of a change: what it held before, empty when it is new. Only what differs is told then.
  std::optional<Lockfile> before;
};

struct LockSources {
  std::vector<LockSource> files;
  std::vector<Finding> unread;  // what could not be read, so that silence is no clean bill
};

// By `files`: paths, or objects {path, text | file, base_text | base_file}; else by the change that
// `inputs.changes` or `range`, `base`, `head`, `branch` name; else all lock files below
// `repository`. Fails when nothing at all can be read.
Result<LockSources> lock_sources(const Request& request);

constexpr std::size_t lock_sources_max = 500;

}  // namespace vigil::entities::deps
