#pragma once
// Raising one package in one manifest or lock file, byte by byte: whatever is not its version stays
// as it was written. A file that holds hashes of what it names is never guessed at: its own tool
// has to write it. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace vigil::entities::deps {

struct Raise {
  std::string ecosystem;
  std::string name;
  std::string from;
  std::string to;
};

enum class RaiseFate {
  edited,
  absent,      // the file does not name it
  fine,        // it names it and takes the new version already
  needs_tool,  // only the package manager can write this file
  needs_person
};

struct Raised {
  RaiseFate fate = RaiseFate::absent;
  std::string text;  // when edited
  std::string why;   // when somebody else has to do it
};

// `path` only says what kind of file it is.
Raised raise_in(std::string_view path, std::string_view text, const Raise& raise);

// Whether a file of this name is one that an upgrade may change.
bool is_dependency_file(std::string_view path);
// The names of manifests that may stand beside a lock file of this name.
std::vector<std::string> manifests_beside(std::string_view lock_path);
// What to run where only the tool can write the file: "npm install ...".
std::string tool_hint(std::string_view lock_path, const Raise& raise);

}  // namespace vigil::entities::deps
