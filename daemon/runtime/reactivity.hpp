#pragma once
// When may an event wake its case? Pure: the settings, what the case remembers, and the time
// decide. The router applies the answer in the transaction that routes the event, so it is durable.
#include <string>

#include "config/settings.hpp"

namespace vigil::runtime {

// What a case remembers that matters here (storage/cases.hpp, storage/wakes.hpp).
struct CaseGate {
  TimePoint last_acted;    // 1970 when never
  TimePoint window_start;  // throttle
  int window_count = 0;
  bool gathering = false;  // a wake is still taking events
  TimePoint gathering_since;
  int gathering_events = 0;
};

struct Admission {
  enum class Kind {
    wake,     // a wake of its own, ready now
    gather,   // a new wake that takes more events until not_before
    join,     // into the gathering wake, which now waits until not_before
    silence,  // no wake; the ledger says why
  };
  Kind kind = Kind::wake;
  TimePoint not_before;
  bool full = false;       // join: the wake takes no more and is ready
  TimePoint window_start;  // throttle: to be stored
  int window_count = 0;
  std::string verdict;  // silence: the ledger's word
  std::string why;
};

Admission admit(const config::Reactivity& rules, const CaseGate& gate, TimePoint now);

// `now` if the hours are open, else when they open next.
TimePoint next_opening(const config::ActiveHours& hours, TimePoint now);

}  // namespace vigil::runtime
