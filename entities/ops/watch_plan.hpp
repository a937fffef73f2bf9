#pragma once
// A look of a watch as a plan, and its report as what was seen. Pure.
#include "entities/ops/watch.hpp"
#include "entities/ops/watch_look.hpp"
#include "swarm/plan.hpp"
#include "swarm/report.hpp"

namespace vigil::entities::ops {

std::string look_title(const Watch& watch, std::int64_t number);
// The longest that a look may take.
Duration look_time(const Watch& watch);
// One task for an analyser; for a program a second one that reads what it printed. Beside them the
// programs that tell the present sizes.
swarm::Plan plan_of(const Watch& watch, const std::vector<Scale>& scales, std::string title);

struct Looked {
  Look look;
  std::optional<Alert> state;  // of a Nagios plugin: what its exit code says
};
// Fails with why nothing could be seen.
Result<Looked> look_of(const Watch& watch, const swarm::Report& report);
// What the program of a scale printed; null when it has none, or it failed.
json::value size_printed(const swarm::Report& report, const std::string& scale);

}  // namespace vigil::entities::ops
