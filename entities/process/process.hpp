#pragma once
// The guardian behind `kind = "process"`: says which case an event belongs to; the child decides
// (process_host.hpp). Pure; any thread.
#include "config/settings.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities {

Result<std::unique_ptr<Guardian>> make_process(const config::Entity& entity);

}  // namespace vigil::entities
