#pragma once
// What happened since the last digest, in one text: reviews, red builds and their causes, flaky
// tests, what grows slower, open upgrades, what was dismissed. A function of what is remembered;
// nothing is told when nothing happened. Pure; any thread.
#include <optional>

#include "entities/codebase/review_plan.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities::codebase {

constexpr std::string_view digest_case = "digest";

// An event that asks for one: its type ends with ".digest".
bool asks_for_digest(const Event& event);

// Nothing when the wake is not about it.
std::optional<Decision> decide_on_digest(const ReviewSetup& setup, const Wake& wake,
                                         const Recollection& memory);

}  // namespace vigil::entities::codebase
