#pragma once
// What a dependent asks of a version: "^1.2.3", ">= 0.4.8, < 1.0.0", "1.x || 2". Pure; any thread.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::entities::deps {

enum class Dialect {
  cargo,  // parts are joined by commas; a bare version means ^
  npm,    // parts are joined by spaces, alternatives by ||; a bare version means itself
};

// Versions from `from` on and before `to`; empty: without bound on that side.
struct Span {
  std::string from;
  std::string to;
};

// The versions it takes, one span for each alternative; nothing when it is no requirement (an
// address, a tag).
std::optional<std::vector<Span>> spans_of(Dialect dialect, std::string_view requirement);

bool allows(Dialect dialect, std::string_view requirement, std::string_view version);

}  // namespace vigil::entities::deps
