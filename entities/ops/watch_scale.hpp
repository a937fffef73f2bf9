#pragma once
// Grows and shrinks something with a reading: one change at a time, within bounds, then quiet for a
// while. What changes it is an action, so it waits for a person unless the entity may act. Pure.
#include "entities/decision.hpp"
#include "entities/ops/watch.hpp"
#include "entities/ops/watch_look.hpp"
#include "entities/ops/watch_state.hpp"

namespace vigil::entities::ops {

constexpr std::string_view scale_kind = "scale";  // of its actions, for autonomy_of

// After a look. What is new, in words; an action when one is due. `printed` is what the program
// printed that tells the present size.
std::vector<std::string> rescale(const Scale& scale, const Look& look, const json::value& printed,
                                 WatchState& state, TimePoint now, Decision& decision);
// An action was answered.
std::string scale_settled(const ActionSettled& settled, const std::vector<Scale>& all,
                          WatchState& state, TimePoint now);

}  // namespace vigil::entities::ops
