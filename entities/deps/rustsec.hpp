#pragma once
// Advisories of the RustSec database as they lie in its repository: Markdown with a block of TOML
// in front. Pure; any thread.
#include <string_view>

#include "entities/deps/advisories.hpp"

namespace vigil::entities::deps {

// The affected versions are those that no requirement of `patched` and `unaffected` takes.
Result<Advisory> read_rustsec(std::string_view text);

// What remains of all versions without those that a requirement of the list takes. Requirements are
// Cargo's: ">= 1.2, < 1.4", "^0.8.2", "~1.2", "= 1.0". An error names the one that is none.
Result<std::vector<Interval>> outside_requirements(const std::vector<std::string>& requirements);

}  // namespace vigil::entities::deps
