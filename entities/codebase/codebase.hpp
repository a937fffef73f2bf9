#pragma once
// The guardian of a repository: every change that is pushed or proposed is looked at by a swarm of
// analysers, and what they find is told once, where the change is discussed. Pure, but for the
// construction, which looks where the clone keeps its objects.
#include <memory>

#include "config/settings.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities {

// Fails when the entity's settings cannot be meant: no repository, an analyser that does not exist.
// A clone that is not there (yet) is no error here; its swarms say so.
Result<std::unique_ptr<Guardian>> make_codebase(const config::Entity& entity);

}  // namespace vigil::entities
