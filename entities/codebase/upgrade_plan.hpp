#pragma once
// The plans of upgrade proposals: one that finds what to propose, and one for each proposal. Pure;
// any thread.
#include "entities/codebase/review_plan.hpp"
#include "entities/codebase/upgrade_groups.hpp"

namespace vigil::entities::codebase {

struct UpgradeSetup {
  ReviewSetup review;
  std::vector<std::string> write_paths;  // where the clone keeps its objects and references
};
// Fails when the settings do not go together.
Result<UpgradeSetup> upgrade_setup(const ReviewSetup& review);

constexpr std::string_view upgrades_title = "upgrades";  // of the swarm that finds them
std::string upgrade_title(std::string_view key);         // of the one that makes one

swarm::Plan plan_upgrade_scan(const UpgradeSetup& setup);
swarm::Plan plan_upgrade(const UpgradeSetup& setup, const UpgradeGroup& group,
                         const std::string& base);

}  // namespace vigil::entities::codebase
