#pragma once
// What a watch remembers from one look to the next, as a part of its case's state; bounded. Pure.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "entities/ops/alert.hpp"
#include "entities/series/rows.hpp"

namespace vigil::entities::ops {

struct Pending {  // a series that breaks a rule: an alert, or not yet
  std::string rule;
  std::string name;
  Labels labels;
  TimePoint since;  // when it began to
  TimePoint last;   // when it was seen last
  bool firing = false;
};

struct ScaleState {
  std::optional<TimePoint> up_since;
  std::optional<TimePoint> down_since;
  std::vector<TimePoint> changes;  // of the last hour
  std::optional<TimePoint> asked;  // an action waits for its answer
  std::optional<TimePoint> quiet_until;
  std::string told;  // why nothing is changed, so that it is said once
};

struct WatchState {
  std::int64_t number = 0;                              // of the last look
  std::optional<TimePoint> running;                     // since when it looks
  std::optional<TimePoint> next;                        // when its timer is due
  int failures = 0;                                     // in a row
  std::map<std::string, TimePoint, std::less<>> seen;   // by rule: when it had a reading
  std::map<std::string, Pending, std::less<>> pending;  // by fingerprint
  std::map<std::string, std::vector<series::Point>, std::less<>> past;  // by series
  std::map<std::string, ScaleState, std::less<>> scales;
  std::string notes;  // what was said of the last look, so that it is said once
};

constexpr std::size_t pending_max = 500;
constexpr std::size_t past_series_max = 16;
constexpr std::size_t past_points_max = 600;

json::object to_json(const WatchState& state);
WatchState watch_state_from_json(const json::value& from);

}  // namespace vigil::entities::ops
