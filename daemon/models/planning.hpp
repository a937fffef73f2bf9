#pragma once
// A plan that a model wrote, held to its bounds before anything of it runs. Pure; any thread.
#include <functional>
#include <string>
#include <vector>

#include "config/minds.hpp"
#include "core/json.hpp"
#include "daemon/models/prompt.hpp"
#include "daemon/models/talk.hpp"
#include "swarm/plan.hpp"

namespace vigil::models {

// How deep and wide the plan is: tasks in the longest row, and most tasks of one depth.
struct Extent {
  int depth = 0;
  int width = 0;
};
Extent extent_of(const std::vector<swarm::Task>& tasks);

// What a plan was held to when it was accepted.
struct Foreseen {
  std::vector<swarm::Task> tasks;  // as it wrote them
  Extent extent;
  std::int64_t tokens = 0;  // the most its questions may take
  std::int64_t money_micros = 0;
};
// {"predicted": {"tasks", "depth", "width", "tokens", "money_micros"}, "tasks": [{"name", "does",
// "needs", "needs_interface", "each"}]}: what daemon/runtime/planned.hpp keeps beside what came.
json::object to_json(const Foreseen& foreseen);

// Tells a planner what a plan is and what it is held to; the schema is that of a plan unless its
// author gave one.
void ask_for_plan(Prompt& prompt, const swarm::Task& planner, const config::Planning& bounds);

// Of {"tasks": [...]}: how many, how wide, how deep, what its own questions may take at most, and
// that it runs no program that is not allowed. The message says what is too much, and what is
// allowed, for the model that tries again.
// `price` is that of a model; without it nothing costs anything.
using PriceOf = std::function<config::Price(const std::string& model)>;
Result<Foreseen> hold_plan(const json::value& planned, const swarm::Task& planner,
                           const config::Planning& bounds, const PriceOf& price = {});

// What a task asks a model, when each answer is as long as it may be each time it can be asked.
struct Question {
  std::string model;
  std::int64_t times = 1;   // over variants, retries, items known before, one repair each
  std::int64_t input = 0;   // tokens each time, of what is known before it runs
  std::int64_t output = 0;  // the same; 0: as many as the model's own limit
  bool plans = false;       // of a planner, which is shown earlier plans, too
};
// Its own and that of who judges its results.
std::vector<Question> questions_of(const swarm::Task& task);
// `output_tokens_max`: of the model.
Usage most_of(const Question& question, std::int64_t output_tokens_max);

}  // namespace vigil::models
