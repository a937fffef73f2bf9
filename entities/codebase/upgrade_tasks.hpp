#pragma once
// The steps of an upgrade proposal, as analysers: find what to propose; edit and look again; make a
// commit of it, on which the repository's own commands run; keep it as a branch when they pass.
// Blocking: for vigil-task. Only upgrade_commit and upgrade_keep write to the clone, and only
// objects and the references that begin with `vigil/`.
#include <string>

#include "entities/analyser.hpp"
#include "entities/codebase/git.hpp"
#include "entities/codebase/upgrade_groups.hpp"
#include "entities/deps/advisory_sources.hpp"

namespace vigil::entities::codebase {

Result<json::value> run_upgrades(const Request& request);        // codebase.upgrade_find
Result<json::value> run_upgrade(const Request& request);         // codebase.upgrade_edit
Result<json::value> run_upgrade_commit(const Request& request);  // codebase.upgrade_commit
Result<json::value> run_upgrade_keep(const Request& request);    // codebase.upgrade_keep

// ---- what they share

Result<deps::OpenedIndex> upgrade_advisories(const Request& request);
Result<Git> upgrade_clone(const Request& request);
// The lock files of a commit, but for those in hidden folders and of other people.
Result<std::vector<PinnedFile>> pinned_files(const Git& git, const std::string& commit,
                                             std::vector<std::string>& unread);
bool is_looked_at(std::string_view path);

}  // namespace vigil::entities::codebase
