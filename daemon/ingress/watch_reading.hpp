#pragma once
// One reading of a watched repository: the task that does it, contained, and what its answer comes
// to. Pure.
#include <map>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "daemon/ingress/noticed.hpp"
#include "swarm/plan.hpp"

namespace vigil::ingress {

using KnownRefs = std::map<std::string, std::string>;  // where each pointed when last seen

// The first look of all is brief, unless what is there is wanted as events.
enum class LookKind { first, later };

// octo/repo, or the name of the folder.
std::string repository_name(const config::Repository& settings);
// What the refs were read by: of another form, nothing is known.
std::string look_form(const config::Repository& settings);

swarm::Task reading_task(const config::Repository& settings, std::vector<std::string> read_paths,
                         const KnownRefs& known, LookKind kind);

struct Change {
  std::string ref;
  std::string now;  // empty: it is gone
  storage::NewEvent event;
  json::value payload;
};
struct RefReading {
  std::vector<Change> changes;
  std::vector<std::string> folders;  // to watch
};
// `result` is what the task answered; errors say what was wrong with it.
Result<RefReading> read_answer(const std::string& source, const config::Repository& settings,
                               Taint taint, const json::value& result, TimePoint now);

}  // namespace vigil::ingress
