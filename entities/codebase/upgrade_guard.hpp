#pragma once
// What the guardian decides about upgrade proposals: when to look, which to make, what becomes of
// them. They are facts of the entity (`upgrade:KEY`), so that each case of it knows them. Pure; any
// thread.
#include <optional>

#include "entities/codebase/upgrade_plan.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities::codebase {

constexpr std::string_view upgrades_case = "upgrades";
constexpr std::string_view upgrades_timer = "upgrades";
constexpr std::string_view upgrade_action = "upgrade";  // pushes the branch
constexpr std::string_view pull_action = "pull";        // opens the draft pull request

// An event that asks to look: its type ends with ".upgrades".
bool asks_for_upgrades(const Event& event);

// Nothing when the wake is not about upgrades.
std::optional<Decision> decide_on_upgrades(const UpgradeSetup& setup, const Wake& wake,
                                           const Recollection& memory);

// A review of a push to the default branch ended: with other lock files there it is time to look.
void scan_after_review(const UpgradeSetup& setup, const swarm::Report& report,
                       const Recollection& memory, Decision& decision);

}  // namespace vigil::entities::codebase
