#pragma once
// What [entity.NAME.codebase.upgrades] can say: which upgrades are proposed and how their lock
// files are written. Values only; config/schema_upgrades.hpp names the keys.
#include <string>
#include <vector>

#include "core/time.hpp"

namespace vigil::config {

struct UpgradeCommand {  // [[entity.NAME.codebase.upgrades.command]]
  std::string ecosystem;
  std::vector<std::string> argv;  // {package} {version} {from} in all but the first
};

struct Upgrades {                // [entity.NAME.codebase.upgrades]
  std::string group = "family";  // family | ecosystem | advisory
  std::string severity = "low";  // of the flaws that are worth a proposal
  int per_hour = 2;
  int open_max = 5;
  std::string author = "vigild <vigild@localhost>";
  std::string versions;                 // JSON of versions that exist; empty: those advisories name
  std::string push_sink;                // pushes the branch; empty: it stays in the clone
  std::string pull_sink;                // opens the draft pull request afterwards
  std::string forge_repository;         // owner/name, where pull requests are opened
  std::string sandbox = "strict";       // of the commands: strict | net
  std::vector<std::string> read_paths;  // a cache of packages, a toolchain
  Duration timeout = std::chrono::minutes{5};
  std::vector<UpgradeCommand> commands;
};

}  // namespace vigil::config
