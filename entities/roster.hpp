#pragma once
// The kinds of entities there are, as a table one can read.
#include <memory>

#include "config/settings.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities {

// The guardian behind an entity. For kind "process" the guardian answers `interest` only; decide()
// goes through entities/process/process_host.hpp, on the loop. Fails with what is wrong in the
// entity's rules (a Lua or regex mistake).
Result<std::unique_ptr<Guardian>> make_guardian(const config::Entity& entity);

}  // namespace vigil::entities
