#pragma once
// What follows from the orders of people. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "entities/codebase/case_state.hpp"
#include "entities/codebase/orders.hpp"
#include "entities/decision.hpp"

namespace vigil::entities::codebase {

constexpr std::string_view snooze_timer = "snooze";

struct Obeyed {
  std::string why;     // one sentence: what was done, and what was not and why
  bool again = false;  // the change is to be looked at again
  std::vector<Preference> preferences;
  std::vector<TimerSet> timers;
  std::vector<Episode> episodes;
};
Obeyed obey(const std::vector<Orders>& comments, CaseState& state, TimePoint now);

}  // namespace vigil::entities::codebase
