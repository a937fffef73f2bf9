#pragma once
// What the analysers of this folder are given to read: files, folders of them, standard input, or
// text in the request itself. Blocking: for vigil-task. Private to this folder.
#include <optional>
#include <string>
#include <vector>

#include "entities/analyser.hpp"
#include "entities/ci/changed_lines.hpp"

namespace vigil::entities::ci {

struct Source {
  std::string name;
  std::string text;
};

constexpr std::size_t sources_max = 5'000;
constexpr std::size_t sources_bytes_max = 256 * 1024 * 1024;  // of all of them

struct Sources {
  std::vector<Source> all;
  std::vector<std::string> left_out;  // one sentence each: why something was not read
};

// `files` (a folder gives what is in it, "-" is standard input), `text`, or the `output` of the
// tasks that ran before. It is an error if there is nothing to read.
Result<Sources> sources_of(const Request& request);

// From `diff` (a file) or from `range` or `base` of the repository; nothing when none is asked.
Result<std::optional<ChangedLines>> changed_lines_of(const Request& request);

}  // namespace vigil::entities::ci
