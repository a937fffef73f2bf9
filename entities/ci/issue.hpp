#pragma once
// What a compiler, linter or scanner complained about. Values; any thread.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entities/codebase/finding.hpp"

namespace vigil::entities::ci {

enum class Level { none, note, warning, error };
std::string_view to_text(Level level);
// "fatal error", "W", "Info", "HIGH": the words tools use. Nothing: no such word.
std::optional<Level> level_from(std::string_view word);

struct Issue {
  std::string tool;  // gcc, javac, CodeQL
  std::string rule;  // unused-variable, C4101; may be empty
  Level level = Level::warning;
  std::string path;  // as the tool spells it; empty: about no file
  int line = 0;      // 0: about the file as a whole
  int column = 0;
  std::string message;
  std::string url;          // where the rule is explained
  int times = 1;            // how often it was said: once for each file that includes a header
  bool suppressed = false;  // somebody decided that it does not matter
  // What a scanner says about how bad it is; nothing: the level says it.
  std::optional<codebase::Severity> severity;
};

codebase::Severity severity_of(const Issue& issue);
std::optional<codebase::Severity> severity_word(std::string_view word);  // "Medium", "moderate"

// In the form of all analysers: its key says nothing of lines, so it survives their moving.
codebase::Finding finding_of(const Issue& issue, std::string_view analyser);

constexpr std::size_t issues_max = 50'000;

}  // namespace vigil::entities::ci
