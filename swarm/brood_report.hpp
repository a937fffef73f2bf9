#pragma once
// What came of the tasks that one task added, as numbers. Pure; any thread.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarm/plan.hpp"
#include "swarm/report.hpp"

namespace vigil::swarm {

struct BroodReport {
  int tasks = 0;  // that ran or took an earlier result, those of a list each
  int done = 0;   // of them
  std::vector<const TaskOutcome*> failed;  // the report's own
  int widest = 0;                          // most that ran at once
  Duration critical_path{0};
  Duration wall{0};  // from the first start to the last end
  std::int64_t tokens = 0;
  std::int64_t money_micros = 0;
};
// `tasks` as they were asked for: names, needs and whether they stand for a list are looked at.
// `prefix` begins their names in the report, which must outlive what is returned.
BroodReport measure_brood(std::vector<Task> tasks, const std::string& prefix, const Report& report);

// How long their longest row should take when each takes what `typical` says of its name; one that
// it does not know takes no time.
using TypicalOf = std::function<std::optional<Duration>(const std::string& name)>;
Duration expected_row(std::vector<Task> tasks, const TypicalOf& typical);

// What a task said it took of a kind, within what can be summed: a task may say anything.
std::int64_t cost_in(const TaskOutcome& outcome, std::string_view kind);

}  // namespace vigil::swarm
