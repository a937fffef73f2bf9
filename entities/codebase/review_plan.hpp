#pragma once
// The plan of a review: find the change, let all analysers look at it side by side, merge what they
// found. Pure; any thread.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "entities/codebase/finding.hpp"
#include "entities/codebase/forge.hpp"
#include "swarm/plan.hpp"

namespace vigil::entities::codebase {

struct ReviewSetup {
  config::Codebase settings;            // `repository` absolute
  std::vector<std::string> analysers;   // full names, in the table's order
  std::vector<std::string> read_paths;  // the clone, and where its objects are
  config::Advice advice = {};           // who may be asked; nobody: all goes without
};

constexpr std::string_view review_task = "review";

// What the last look saw; the next need not read again what is as it was.
struct LastLook {
  std::string base;
  std::string head;
  std::vector<Finding> findings;              // of analysers that look at each file by itself
  std::map<std::string, std::string> passed;  // tasks of commands: the commit that passed
};
bool looks_at_each_file(std::string_view analyser);  // by its short name

// The names of the tasks that look for something, commands included, in the order they are told.
std::vector<std::string> looking_tasks(const ReviewSetup& setup);

swarm::Plan plan_review(const ReviewSetup& setup, const ForgeEvent& event, std::string title,
                        const std::vector<std::string>& dismissed,
                        const std::optional<LastLook>& last = std::nullopt);

}  // namespace vigil::entities::codebase
