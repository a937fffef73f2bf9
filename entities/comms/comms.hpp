#pragma once
// The guardian of kind "comms": somebody's mail, chat and meetings (docs/comms.md).
#include <memory>

#include "config/settings.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities {

// Fails with what is wrong in the settings: a pattern, a time of day.
Result<std::unique_ptr<Guardian>> make_comms(const config::Entity& entity);

}  // namespace vigil::entities
