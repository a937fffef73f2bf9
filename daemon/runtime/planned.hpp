#pragma once
// Plans that models wrote: what each was to take is kept beside what it took, and shown to the
// planner that writes the next one. A note is
//   {"prefix", "tasks": [{"name", "does", "needs", "needs_interface", "each"}],
//    "predicted": {"tasks", "depth", "width", "tokens", "money_micros", "critical_path_us",
//                  "unseen"},
//    "ok", "why", "actual": {"tasks", "done", "failed", "width", "critical_path_us", "wall_us",
//                            "tokens", "money_micros"},
//    "failed": [{"name", "why"}]}
// without the last four until its swarm ended. Predicted tokens and money are the most that its
// questions may take; the predicted critical path is reckoned from what tasks of those names took
// in earlier swarms, where any was seen (`unseen` were not), before this one's own times are
// learned. Whatever is in "tasks", "why" and "failed" a model or a stranger wrote.
#include <string>

#include "core/json.hpp"
#include "storage/planned.hpp"
#include "storage/stores.hpp"
#include "swarm/brood_report.hpp"
#include "swarm/plan.hpp"
#include "swarm/report.hpp"

namespace vigil::runtime {

constexpr std::size_t shown_plan_bytes_max = 1024;  // of one earlier plan

// The note with how long its longest row should have taken, by what tasks usually take.
json::object what_was_usual(json::object note, const std::string& planner,
                            const swarm::TypicalOf& typical);
// The note with what came of it.
json::object what_came(json::object note, const std::string& planner, const swarm::Report& report);
// For all plans of the swarm. On the writer's thread.
void note_what_came(storage::Stores& stores, const std::string& entity, const swarm::Report& report,
                    TimePoint now);

// One earlier plan on a line of at most shown_plan_bytes_max: numbers, and its words as far as
// there is room, or without any.
enum class Words { shown, hidden };
std::string shown_plan(const storage::Planned& planned, Words words);

// Adds to the input of each planner that asks a model the last `examples` of its entity's plans, as
// data. One that is not tainted is shown numbers alone, so that it stays so.
void show_earlier_plans(swarm::Plan& plan, storage::Stores& stores, const std::string& entity,
                        int examples);

}  // namespace vigil::runtime
