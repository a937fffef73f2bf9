#pragma once
// The built-in analysers, as a table one can read: what vigil-task runs, what plans name.
#include <span>
#include <string>
#include <string_view>

#include "entities/codebase/look.hpp"

namespace vigil::entities::codebase {

struct Analyser {
  std::string_view name;     // codebase.secrets
  std::string_view summary;  // one line for `vigil-task list`
  std::string_view input;    // its own input, beside what all of them take
  Result<json::value> (*run)(const Request& request);
};

// In the order they are told. The first is codebase.changes, the last codebase.review.
std::span<const Analyser> analysers();
const Analyser* find_analyser(std::string_view name);  // with or without "codebase."

// Is it one that looks for something (neither changes nor review nor command)?
bool finds_something(const Analyser& analyser);
// "codebase.secrets" -> "secrets": the name of its task.
std::string_view short_name(const Analyser& analyser);

}  // namespace vigil::entities::codebase
