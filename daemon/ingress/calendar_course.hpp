#pragma once
// What follows from two looks at a calendar: what was added, moved or called off, and which
// occurrences are soon. Pure; any thread.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/json.hpp"
#include "storage/journal.hpp"

namespace vigil::ingress {

struct Occurrence {
  json::value event;  // as calendar.look tells it
  TimePoint begins;
  TimePoint ends;
  bool all_day = false;
};
// By identity: the event's uid and its original start.
using Occurrences = std::map<std::string, Occurrence>;

std::optional<Occurrence> occurrence_of(json::value event);
struct Looked {
  Occurrences occurrences;
  std::vector<std::string> folders;
  std::vector<std::string> troubles;
  bool cut = false;
};
Result<Looked> looked_of(const json::value& result);

struct Told {
  storage::NewEvent event;
  json::value payload;
};
// `known_until` is how far the look before saw: what begins later was not missing. What is over at
// `now` was not called off.
std::vector<Told> changes(const std::string& source, Taint taint, const Occurrences& before,
                          const Occurrences& after, TimePoint known_until, TimePoint now);

// When it was last told, by "SECONDS key": the begin it was told for.
using TellingsDone = std::map<std::string, TimePoint>;
std::string telling_key(const std::string& key, Duration lead);

// Leads, longest first.
std::vector<Duration> leads_of(const config::Calendar& settings);
struct Due {
  std::vector<Told> told;
  TellingsDone done;              // to be kept with them
  std::optional<TimePoint> next;  // when the next one is due
};
// Of several leads that passed while nobody looked, the shortest is told; what has begun is not.
Due due_at(const std::string& source, Taint taint, const Occurrences& occurrences,
           const std::vector<Duration>& leads, const TellingsDone& done, TimePoint now);

}  // namespace vigil::ingress
