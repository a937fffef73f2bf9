#pragma once
// A plan that a model wrote, held to its bounds before anything of it runs. Pure; any thread.
#include <functional>
#include <string>
#include <vector>

#include "config/minds.hpp"
#include "core/json.hpp"
#include "swarm/plan.hpp"

namespace vigil::models {

// Of {"tasks": [...]}: how many, how wide, how deep, what its own questions may take at most, and
// that it runs no program that is not allowed. The message says what is too much, and what is
// allowed, for the model that tries again.
// `price` is that of a model; without it nothing costs anything.
using PriceOf = std::function<config::Price(const std::string& model)>;
Result<void> hold_plan(const json::value& planned, const swarm::Task& planner,
                       const config::Planning& bounds, const PriceOf& price = {});

// How deep and wide the plan is: tasks in the longest row, and most tasks of one depth.
struct Extent {
  int depth = 0;
  int width = 0;
};
Extent extent_of(const std::vector<swarm::Task>& tasks);

}  // namespace vigil::models
