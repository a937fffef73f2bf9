#pragma once
// The plan of a review: find the change, let all analysers look at it side by side, merge what they
// found. Pure; any thread.
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "entities/codebase/forge.hpp"
#include "swarm/plan.hpp"

namespace vigil::entities::codebase {

struct ReviewSetup {
  config::Codebase settings;            // `repository` absolute
  std::vector<std::string> analysers;   // full names, in the table's order
  std::vector<std::string> read_paths;  // the clone, and where its objects are
};

constexpr std::string_view review_task = "review";

// The names of the tasks that look for something, commands included, in the order they are told.
std::vector<std::string> looking_tasks(const ReviewSetup& setup);

swarm::Plan plan_review(const ReviewSetup& setup, const ForgeEvent& event, std::string title,
                        const std::vector<std::string>& dismissed);

}  // namespace vigil::entities::codebase
