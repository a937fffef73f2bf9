#pragma once
// From known flaws of what a branch is pinned to, to upgrades worth proposing: which versions, in
// which files, together in one proposal or apart. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"
#include "entities/codebase/finding.hpp"
#include "entities/deps/advisory_index.hpp"
#include "entities/deps/lockfile.hpp"
#include "entities/deps/rewrite_file.hpp"
#include "entities/deps/upgrade.hpp"

namespace vigil::entities::codebase {

struct UpgradeChange {
  std::string file;  // the lock file
  deps::Raise raise;
  std::vector<std::string> ids;  // advisories it settles
  bool breaking = false;
};

struct UpgradeGroup {
  std::string key;     // npm/lodash: the same from scan to scan
  std::string title;   // "upgrade lodash to 4.17.21"
  std::string branch;  // vigil/upgrade-npm-lodash
  std::string target;  // a digest of what it changes: another one is another proposal
  Severity severity = Severity::info;
  std::vector<UpgradeChange> changes;
};

enum class Grouping { family, ecosystem, advisory };
Result<Grouping> grouping_from(std::string_view text);

struct PinnedFile {
  std::string path;
  deps::Lockfile lock;
};

struct UpgradesFound {
  std::vector<UpgradeGroup> groups;  // the most severe first
  std::vector<std::string> stuck;    // why others cannot be proposed, a line each
};
UpgradesFound find_upgrades(const deps::AdvisoryIndex& index, const std::vector<PinnedFile>& files,
                            const deps::KnownVersions& known, Grouping grouping);

json::object to_json(const UpgradeGroup& group);
Result<UpgradeGroup> upgrade_group_from_json(const json::value& value);

}  // namespace vigil::entities::codebase
