#pragma once
// From lock files and an index of advisories to findings. Pure; any thread.
#include "entities/deps/advisory_index.hpp"
#include "entities/deps/lock_sources.hpp"
#include "entities/deps/upgrade.hpp"

namespace vigil::entities::deps {

// The packages that findings are about: all of them, or those a change brought.
std::vector<Locked> new_packages(const Lockfile& now, const std::optional<Lockfile>& before);

struct Scan {
  std::vector<Finding> findings;  // the most severe first
  std::size_t looked_at = 0;      // packages, each once in each file
  std::size_t unpinned = 0;       // of them without a version, which nothing can be said about
  std::size_t affected = 0;       // of them with a finding
  std::size_t settled = 0;        // advisories that the change got rid of
};

// One finding for each flaw of each package: advisories that are aliases of each other are one.
Scan scan(const AdvisoryIndex& index, const std::vector<LockSource>& files,
          const KnownVersions& known = {});

}  // namespace vigil::entities::deps
