#pragma once
// The guardian of prices and news: one case for each watch, which judges each bar by the rules,
// tells what they find once, investigates it, and keeps score of what followed. It has no class of
// actions that trades. Pure.
#include <memory>

#include "config/settings.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities {

// Fails when a condition of a rule cannot be read; the error names the key.
Result<std::unique_ptr<Guardian>> make_market(const config::Entity& entity);

}  // namespace vigil::entities
