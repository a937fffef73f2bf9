#pragma once
// The guardian of what runs: alerts of any sender become incidents, one message each; evidence is
// gathered when one begins, runbooks are proposed or run, and who does not answer is called again.
// Pure.
#include <memory>

#include "config/settings.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities {

// Fails when the settings cannot be meant: a matcher or a pattern with a mistake.
Result<std::unique_ptr<Guardian>> make_ops(const config::Entity& entity);

}  // namespace vigil::entities
