#include "daemon/runtime/reactivity.hpp"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>
#include <fmt/format.h>

#include <algorithm>

namespace vigil::runtime {
namespace {

// The earliest moment for a wake that is wanted at `wanted`: not inside a throttle's window that
// has let its count through, not outside the active hours. The wake that gathers is counted in its
// window, so only a count above the throttle's says that it had to wait for the next one.
TimePoint held_back(const config::Reactivity& rules, const CaseGate& gate, TimePoint wanted) {
  if (rules.throttle && gate.window_count > rules.throttle->count) {
    wanted = std::max(wanted, gate.window_start + rules.throttle->period);
  }
  if (rules.active_hours) wanted = next_opening(*rules.active_hours, wanted);
  return wanted;
}

bool has_room(const config::Reactivity& rules, const CaseGate& gate) {
  const int events_max = rules.batch ? rules.batch->max_size : wake_events_max;
  return gate.gathering_events < events_max &&
         gate.gathering_bytes + gate.arriving_bytes <= wake_bytes_max;
}

Admission join(const config::Reactivity& rules, const CaseGate& gate, TimePoint now) {
  Admission out{.kind = Admission::Kind::join,
                .not_before = now,
                .window_start = gate.window_start,
                .window_count = gate.window_count};
  const int events = gate.gathering_events + 1;
  if (rules.batch && events >= rules.batch->max_size) {
    out.full = true;
  } else if (rules.debounce) {
    const auto timeout =
        rules.debounce->timeout.count() > 0 ? rules.debounce->timeout : 10 * rules.debounce->period;
    out.not_before = std::min(now + rules.debounce->period, gate.gathering_since + timeout);
  } else {
    out.not_before = gate.gathering_until;  // the first event said when
  }
  out.not_before = held_back(rules, gate, out.not_before);
  return out;
}

}  // namespace

TimePoint next_opening(const config::ActiveHours& hours, TimePoint now) {
  cctz::time_zone zone;
  if (!cctz::load_time_zone(hours.tz, &zone))
    return now;  // refused by the loader; never sleep for ever
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  const auto local = cctz::convert(
      std::chrono::time_point_cast<cctz::seconds>(std::chrono::system_clock::time_point(second)),
      zone);
  const auto open_day = [&](cctz::civil_day day) {
    const int iso = static_cast<int>(cctz::get_weekday(day)) + 1;  // cctz: Monday is 0
    return std::ranges::find(hours.days, iso) != hours.days.end();
  };
  const bool over_midnight = hours.to_minute <= hours.from_minute;
  const auto length = (hours.to_minute - hours.from_minute) + (over_midnight ? 24 * 60 : 0);
  // The day before matters when its hours reach over midnight.
  for (int offset = -1; offset <= 8; ++offset) {
    const auto day = cctz::civil_day(local) + offset;
    if (!open_day(day)) continue;
    const auto at = [&](int minute) {
      const auto civil = cctz::civil_minute(day) + minute;
      const auto instant = cctz::convert(cctz::civil_second(civil), zone);
      return TimePoint{std::chrono::duration_cast<Duration>(instant.time_since_epoch())};
    };
    const auto opens = at(hours.from_minute);
    const auto closes = at(hours.from_minute + length);
    if (now < opens) return opens;
    if (now < closes) return now;
  }
  return now + std::chrono::hours{24};  // no day is open: look again tomorrow
}

Admission admit(const config::Reactivity& rules, const CaseGate& gate, TimePoint now) {
  const bool overflows = gate.gathering && !has_room(rules, gate);
  if (gate.gathering && !overflows) return join(rules, gate, now);
  Admission out{
      .not_before = now, .window_start = gate.window_start, .window_count = gate.window_count};
  // What would have joined, had there been room, is not silenced.
  if (!overflows && rules.cooldown && gate.last_acted != TimePoint{} &&
      now < gate.last_acted + *rules.cooldown) {
    out.kind = Admission::Kind::silence;
    out.verdict = "cooling_down";
    out.why = fmt::format("acted {} ago; quiet for {} after acting", to_text(now - gate.last_acted),
                          to_text(*rules.cooldown));
    return out;
  }
  if (rules.debounce) out.not_before = std::max(out.not_before, now + rules.debounce->period);
  if (rules.batch && rules.batch->max_size > 1 && !rules.debounce) {
    out.not_before = std::max(out.not_before, now + rules.batch->timeout);
  }
  if (rules.throttle) {
    if (now >= gate.window_start + rules.throttle->period) {
      out.window_start = now;
      out.window_count = 0;
    }
    if (out.window_count >= rules.throttle->count) {
      out.not_before = std::max(out.not_before, out.window_start + rules.throttle->period);
    }
    ++out.window_count;
  }
  if (rules.active_hours) out.not_before = next_opening(*rules.active_hours, out.not_before);
  if (overflows) {
    out.follows = true;
    out.not_before = std::max(out.not_before, gate.gathering_until);  // events keep their order
  }
  if (overflows || out.not_before > now) out.kind = Admission::Kind::gather;
  return out;
}

}  // namespace vigil::runtime
