#pragma once
// When a schedule fires: its nominal times, the jitter of each, and what becomes of those that were
// missed or come while the last one is still at work. Pure: no clock, no state, any thread.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "core/error.hpp"
#include "core/time.hpp"

namespace vigil::ingress {

// The nominal times of one schedule, in order. A value; cheap to copy.
//   cron   local times of the zone. With hours named, a time that does not exist fires at the next
//          instant that does, one that occurs twice fires the first time. With `*` or `*/n` hours
//          it counts real time: what does not exist is left out, what occurs twice fires twice.
//   every  multiples of the duration since 1970-01-01T00:00:00Z, whenever the daemon was started.
//   at     one moment.
class Timetable {
 public:
  static Result<Timetable> compile(std::string name, const config::Schedule& schedule);

  // The first nominal time after `after`; nothing when there is none (within 50 years).
  std::optional<TimePoint> next(TimePoint after) const;
  // The newest `limit` nominal times in (after, until], oldest first. Costs what it returns, not
  // the length of the span.
  std::vector<TimePoint> newest(TimePoint after, TimePoint until, std::size_t limit) const;
  // When that nominal time is fired: up to `jitter` later, always the same for the same one.
  TimePoint fires_at(TimePoint nominal) const;
  // Changes when the times do, not when only the payload or the rules do.
  std::int64_t form() const;
  bool is_single() const;

 private:
  struct State;
  explicit Timetable(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

// The delivery id of a firing: its identity.
std::string firing_uid(std::string_view schedule, TimePoint nominal);

constexpr std::size_t missed_max = 1000;  // of one schedule; older ones are given up

struct Firing {
  TimePoint nominal;
  std::int64_t missed = 0;  // earlier ones it makes up for
  enum class Kind { regular, made_up } kind = Kind::regular;
};

// What the misfire rule makes of the nominal times in (handled, now] whose moment (with jitter) has
// come: those to fire, oldest first, and how far time is dealt with once they are.
struct DueFirings {
  std::vector<Firing> fire;
  TimePoint seen;            // the newest nominal time looked at; `handled` when none was due
  std::int64_t dropped = 0;  // by the rule, or beyond missed_max
};
DueFirings due_firings(const Timetable& table, const config::Schedule& rules, TimePoint handled,
                       TimePoint now);

// What the overlap rule does with a firing that is due while the last one is still at work.
enum class Verdict { fire, wait, drop, cancel_and_fire };
Verdict on_overlap(config::Overlap rule, Firing::Kind kind, std::size_t already_waiting);

}  // namespace vigil::ingress
