#pragma once
// The guardian behind `kind = "rules"`, made of configuration alone: the first rule that matches an
// event says what to remember, what to run and what to do. Pure; any thread.
#include "config/settings.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities {

// Fails with the mistake in a filter or a template, and the rule it stands in.
Result<std::unique_ptr<Guardian>> make_rules(const config::Entity& entity);

}  // namespace vigil::entities
