#pragma once
// When may an event wake its case? Pure: the settings, what the case remembers, and the time
// decide. The router applies the answer in the transaction that routes the event, so it is durable.
#include <cstdint>
#include <string>

#include "config/settings.hpp"

namespace vigil::runtime {

// A wake is read, decided and put before a process or a model as one piece, so what gathers is
// bounded: a batch by its own size, everything else by this many events.
constexpr int wake_events_max = 1'000;
// And by the bytes of their payloads: spelled as JSON with every byte escaped (six for one), such a
// wake is still less than a process may be asked at once (64 MiB).
constexpr std::int64_t wake_bytes_max = 8 * 1024 * 1024;

// What a case remembers that matters here (storage/cases.hpp, storage/wakes.hpp).
struct CaseGate {
  TimePoint last_acted;    // 1970 when never
  TimePoint window_start;  // throttle
  int window_count = 0;
  bool gathering = false;  // a wake is still taking events
  TimePoint gathering_since;
  TimePoint gathering_until;  // its not_before
  int gathering_events = 0;
  std::int64_t gathering_bytes = 0;
  std::int64_t arriving_bytes = 0;  // of the event in question
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
  bool full = false;       // join: the wake takes no more and is ready at not_before
  bool follows = false;    // gather: the wake that gathered had no room and takes no more
  TimePoint window_start;  // throttle: to be stored
  int window_count = 0;
  std::string verdict;  // silence: the ledger's word
  std::string why;
};

Admission admit(const config::Reactivity& rules, const CaseGate& gate, TimePoint now);

// `now` if the hours are open, else when they open next.
TimePoint next_opening(const config::ActiveHours& hours, TimePoint now);

}  // namespace vigil::runtime
