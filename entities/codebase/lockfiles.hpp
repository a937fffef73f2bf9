#pragma once
// Manifests and lock files that do not agree: a dependency was changed and not locked, a lock file
// points to another host than before. Pure, but for run_lockfiles.
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "entities/codebase/look.hpp"

namespace vigil::entities::codebase {

// What a manifest says about dependencies, one line each, so that two versions of it can be
// compared: "dependencies left-pad ^1.3.0". Other changes of the file do not show.
std::set<std::string> dependencies_in(std::string_view manifest_path, std::string_view text);

// Names of lock files that may belong to the manifest; empty when it is no manifest.
std::vector<std::string> locks_of(std::string_view manifest_path);

// Hosts a lock file fetches from: "https://registry.npmjs.org".
std::set<std::string> hosts_in(std::string_view lock_text);

Result<json::value> run_lockfiles(const Request& request);

}  // namespace vigil::entities::codebase
