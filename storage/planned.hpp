#pragma once
// Plans that models wrote: what each was to take and, once its swarm ended, what it took. The notes
// are JSON whose insides storage does not know. On the thread of the database.
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::storage {

class Database;

struct Planned {
  SwarmId swarm;
  std::string task;  // the planner
  bool ended = false;
  TimePoint at;  // when it ended
  json::value note;
};

// Replaces what an earlier attempt of the task noted, and whether that ended.
void put_planned(Database& database, SwarmId swarm, const std::string& task,
                 const json::value& note);
void end_planned(Database& database, const Planned& planned);
std::vector<Planned> planned_in(Database& database, SwarmId swarm);  // by the names of the tasks
// Those of one planner of an entity that ended, newest first.
std::vector<Planned> ended_plans(Database& database, const std::string& entity,
                                 const std::string& task, int limit);

}  // namespace vigil::storage
