#pragma once
// What the list of changed files alone tells: how large, how heavy, with tests or without. Pure.
#include <map>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "entities/codebase/changed_files.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {

struct Size {
  std::string label;       // XS S M L XL XXL
  std::int64_t lines = 0;  // added and removed by people: what programs wrote does not count
  std::int64_t generated_lines = 0;
  std::map<std::string, std::int64_t> areas;  // lines by top folder
};
Size size_of(const std::vector<FileChange>& files);
std::vector<Finding> find_size(const Size& size);

std::vector<Finding> find_large_files(const std::vector<FileChange>& files,
                                      std::int64_t large_bytes);
std::vector<Finding> find_missing_tests(const std::vector<FileChange>& files);

}  // namespace vigil::entities::codebase
