#pragma once
// Which version to go to: for each package under an advisory the smallest later version that is
// free of all of them. Never an earlier version, even where that one is free: it would undo other
// fixes. Pure; any thread.
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "entities/deps/advisory_index.hpp"
#include "entities/deps/lockfile.hpp"

namespace vigil::entities::deps {

// Versions that exist, by ecosystem and normal name. A package without any is judged by the
// versions that advisories name as fixes.
using KnownVersions = std::map<std::pair<std::string, std::string>, std::vector<std::string>>;
// {"npm": {"lodash": ["4.17.20", "4.17.21"]}}
Result<KnownVersions> read_known_versions(const json::value& value);

// What one advisory alone asks for.
struct Step {
  std::string id;
  std::string to;  // the smallest later version it does not affect; empty: none is known
};

struct Upgrade {
  std::string ecosystem;
  std::string name;
  std::string from;
  std::vector<Step> steps;  // one for each advisory, sorted by id
  std::string to;           // free of every advisory, or with the fewest; empty: nothing is better
  std::vector<std::string> left;     // ids that `to` does not settle
  bool breaking = false;             // `to` is of another series (1.x to 2.x, 0.3 to 0.4)
  std::vector<std::string> held_by;  // "mocha 5.2.0 asks for 3.0.4": who does not allow `to`
  // When somebody does not: the best that all of them allow; empty: none is better than now.
  std::string allowed;
  std::vector<std::string> allowed_left;
  // When `to` is breaking: the best that can be had without.
  std::string within;
  std::vector<std::string> within_left;
};

// One for each affected name and version, sorted by ecosystem, name and version.
std::vector<Upgrade> plan_upgrades(const AdvisoryIndex& index, std::span<const Locked> packages,
                                   const KnownVersions& known = {},
                                   std::span<const Asked> asked = {});

// Whether going from one to the other may break users, as far as their numbers say.
bool is_breaking(std::string_view ecosystem, std::string_view from, std::string_view to);

}  // namespace vigil::entities::deps
