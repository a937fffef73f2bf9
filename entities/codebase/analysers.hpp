#pragma once
// The built-in analysers of a repository, as a table one can read: what vigil-task runs and plans
// name.
#include <span>
#include <string>
#include <string_view>

#include "entities/analyser.hpp"

namespace vigil::entities::codebase {

// In the order they are told. The first is codebase.changes, the last codebase.review.
std::span<const Analyser> analysers();
const Analyser* find_analyser(std::string_view name);  // with or without "codebase."

// Is it one that looks for something (neither changes nor review nor command)?
bool finds_something(const Analyser& analyser);
// "codebase.secrets" -> "secrets": the name of its task.
std::string_view short_name(const Analyser& analyser);

}  // namespace vigil::entities::codebase
