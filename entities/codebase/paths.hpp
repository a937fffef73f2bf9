#pragma once
// Patterns over paths, as .gitignore and CODEOWNERS write them, and what a path says about a file.
// Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

namespace vigil::entities::codebase {

// `*` and `?` stay within a step, `**` crosses steps. A pattern with a slash before its end counts
// from the root, else from anywhere. One that names a directory matches all below it; `docs/*`
// matches what lies directly in docs.
bool matches_pattern(std::string_view pattern, std::string_view path);
bool matches_any(const std::vector<std::string>& patterns, std::string_view path);

std::string_view file_name(std::string_view path);
std::string_view folder_of(std::string_view path);     // empty for the root
std::string_view extension_of(std::string_view path);  // in the case it has, without the dot

bool is_test(std::string_view path);       // a test, or what only tests need
bool is_code(std::string_view path);       // source that can be tested
bool is_lockfile(std::string_view path);   // written by a package manager
bool is_generated(std::string_view path);  // lockfiles, minified, vendored, snapshots
bool is_prose(std::string_view path);      // documentation

}  // namespace vigil::entities::codebase
