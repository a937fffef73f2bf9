#pragma once
// Which readings of a look are alerts, and which alerts are over. Pure.
#include "entities/ops/watch.hpp"
#include "entities/ops/watch_look.hpp"
#include "entities/ops/watch_state.hpp"

namespace vigil::entities::ops {

struct Judged {
  std::vector<Alert> alerts;       // that fire, and those that have resolved
  std::vector<std::string> notes;  // what was not looked at, and why
};
// The state is taken along: what is pending, and the past of series.
Judged judge(const Watch& watch, const Look& look, WatchState& state, TimePoint now);

// About the watch itself: "watch-failing", "watch-silent", or its name for a plugin's state.
Alert alert_about(const Watch& watch, std::string_view name, std::string_view what, Status status,
                  std::string_view severity, std::string summary);

}  // namespace vigil::entities::ops
