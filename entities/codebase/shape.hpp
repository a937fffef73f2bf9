#pragma once
// What the list of changed files alone tells: how large, how heavy, with tests or without. Pure.
#include <map>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {

struct FileChange {
  std::string path;
  std::string old_path;  // of a rename or copy
  char status = 'M';     // A M D R C T
  std::int64_t added = 0;
  std::int64_t removed = 0;
  std::int64_t bytes = 0;  // after the change
  bool binary = false;
  std::string mode;  // when it is no ordinary file: 100755, 120000, 160000
};
std::vector<FileChange> files_of(const json::value& changes);

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
