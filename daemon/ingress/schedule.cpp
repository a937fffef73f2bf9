#include "daemon/ingress/schedule.hpp"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/check.hpp"
#include "core/digest.hpp"
#include "daemon/ingress/cron.hpp"

namespace vigil::ingress {
namespace {

using namespace std::chrono_literals;

constexpr int years_ahead_max = 50;  // 29 February on a given weekday comes at least that often
constexpr Duration every_least = 1s;
constexpr TimePoint latest = TimePoint{std::chrono::sys_days{std::chrono::year{9999} / 1 / 1}};
constexpr TimePoint earliest = TimePoint{std::chrono::sys_days{std::chrono::year{1970} / 1 / 1}};

using ZoneTime = cctz::time_point<cctz::seconds>;

ZoneTime to_zone_time(TimePoint at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch());
  return ZoneTime{cctz::seconds{seconds.count()}};
}

TimePoint from_zone_time(ZoneTime at) {
  return TimePoint{std::chrono::seconds{at.time_since_epoch().count()}};
}

bool fits(const Cron& cron, cctz::civil_day day) {
  const int weekday = (static_cast<int>(cctz::get_weekday(day)) + 1) % 7;  // cctz: Monday is 0
  return cron.fits_day(day.month(), day.day(), weekday);
}

// The moment that civil time means: the first of two, and the next that exists for none.
ZoneTime moment_of(const cctz::time_zone& zone, cctz::civil_second local) {
  const auto found = zone.lookup(local);
  return found.kind == cctz::time_zone::civil_lookup::SKIPPED ? found.trans : found.pre;
}

// The first day from `day` on that fits.
std::optional<cctz::civil_day> find_day(const Cron& cron, cctz::civil_day day) {
  const auto last_year = day.year() + years_ahead_max;
  while (day.year() <= last_year) {
    if (!cron.months[day.month()]) {
      day = cctz::civil_day(cctz::civil_month(day) + 1);
    } else if (fits(cron, day)) {
      return day;
    } else {
      ++day;
    }
  }
  return std::nullopt;
}

// Times of the day: later civil times never mean earlier moments, so the first one that means a
// moment after `after` is the answer.
std::optional<ZoneTime> next_time_of_day(const Cron& cron, const cctz::time_zone& zone,
                                         ZoneTime after) {
  const auto now = cctz::convert(after, zone);
  auto day = find_day(cron, cctz::civil_day(now));
  while (day) {
    for (int hour = 0; hour < 24; ++hour) {
      if (!cron.hours[hour]) continue;
      const auto begin = cctz::civil_hour(*day) + hour;
      if (begin < cctz::civil_hour(now)) continue;
      for (int minute = 0; minute < 60; ++minute) {
        if (!cron.minutes[minute]) continue;
        const auto moment = moment_of(zone, cctz::civil_minute(begin) + minute);
        if (moment > after) return moment;
      }
    }
    day = find_day(cron, *day + 1);
  }
  return std::nullopt;
}

// All the time: walks the minutes that really pass, so that each hour of a repeated pair is one.
std::optional<ZoneTime> next_in_real_time(const Cron& cron, const cctz::time_zone& zone,
                                          ZoneTime after) {
  constexpr auto minute = cctz::seconds{60};
  auto at = ZoneTime{after.time_since_epoch() / minute * minute} + minute;
  const auto last_year = cctz::convert(at, zone).year() + years_ahead_max;
  while (true) {
    const auto local = cctz::convert(at, zone);
    if (local.year() > last_year) return std::nullopt;
    if (!fits(cron, cctz::civil_day(local))) {
      const auto day = find_day(cron, cctz::civil_day(local) + 1);
      if (!day) return std::nullopt;
      at = std::max(at + minute, moment_of(zone, cctz::civil_second(*day)));
    } else if (cron.hours[local.hour()] && cron.minutes[local.minute()]) {
      return at;
    } else {
      at += minute;
    }
  }
}

Duration whole_ms(Duration duration) {
  return std::chrono::floor<std::chrono::milliseconds>(duration);
}

}  // namespace

struct Timetable::State {
  std::string name;
  std::optional<Cron> cron;
  std::string cron_text;
  cctz::time_zone zone;
  std::string zone_name;
  Duration every{0};
  std::optional<TimePoint> at;
  Duration jitter{0};
};

Timetable::Timetable(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Result<Timetable> Timetable::compile(std::string name, const config::Schedule& schedule) {
  auto state = std::make_shared<State>();
  state->name = std::move(name);
  state->jitter = schedule.jitter;
  const auto refuse = [&](std::string_view key, std::string_view why) {
    return fail(ErrorCode::invalid_input, fmt::format("source.{}.{}: {}", state->name, key, why));
  };
  const int ways =
      (schedule.cron.empty() ? 0 : 1) + (schedule.every ? 1 : 0) + (schedule.at ? 1 : 0);
  if (ways != 1) return refuse("cron", "give exactly one of cron, every and at");
  if (schedule.jitter < Duration{0}) return refuse("jitter", "must not be negative");
  if (schedule.every) {
    if (*schedule.every < every_least) return refuse("every", "must be at least 1s");
    // Identities are written in milliseconds: a time between two of them would share its own.
    if (whole_ms(*schedule.every) != *schedule.every) {
      return refuse("every", "must be a whole number of milliseconds");
    }
    if (schedule.jitter >= *schedule.every) return refuse("jitter", "must be shorter than every");
    state->every = *schedule.every;
  } else if (schedule.at) {
    state->at = TimePoint{whole_ms(schedule.at->time_since_epoch())};
  } else {
    auto cron = parse_cron(schedule.cron);
    if (!cron) return refuse("cron", cron.error().message);
    state->cron = *cron;
    state->cron_text = schedule.cron;
    state->zone_name = schedule.tz;
    if (!cctz::load_time_zone(schedule.tz, &state->zone)) {
      return refuse("tz", fmt::format("there is no time zone \"{}\": use an IANA name like "
                                      "\"Europe/Berlin\", and install the package tzdata",
                                      schedule.tz));
    }
  }
  return Timetable(std::move(state));
}

std::optional<TimePoint> Timetable::next(TimePoint after) const {
  const auto& state = *state_;
  after = std::max(after, earliest - 1us);
  if (after >= latest) return std::nullopt;
  if (state.at) return *state.at > after ? state.at : std::nullopt;
  if (!state.cron) {
    const auto passed = std::chrono::floor<Duration>(after.time_since_epoch());
    const auto count = passed < Duration{0} ? -1 : passed / state.every;
    return TimePoint{(count + 1) * state.every};
  }
  const auto from = to_zone_time(after);
  const auto found = state.cron->any_hour ? next_in_real_time(*state.cron, state.zone, from)
                                          : next_time_of_day(*state.cron, state.zone, from);
  if (!found) return std::nullopt;
  return from_zone_time(*found);
}

std::vector<TimePoint> Timetable::newest(TimePoint after, TimePoint until,
                                         std::size_t limit) const {
  std::vector<TimePoint> found;
  if (limit == 0 || until <= after) return found;
  // Looks back over spans that double until one holds enough: the last half held too few, so what
  // is walked stays in proportion to what is returned.
  for (Duration span = 1h;; span *= 2) {
    const bool whole = until - after <= span;
    const TimePoint from = whole ? after : until - span;
    found.clear();
    for (auto at = next(from); at && *at <= until; at = next(*at)) found.push_back(*at);
    if (whole || found.size() >= limit) break;
  }
  if (found.size() > limit) {
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(limit));
  }
  return found;
}

TimePoint Timetable::fires_at(TimePoint nominal) const {
  if (state_->jitter <= Duration{0}) return nominal;
  const auto digest = sha256(firing_uid(state_->name, nominal));
  std::uint64_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return nominal + Duration{static_cast<std::int64_t>(
                       number % static_cast<std::uint64_t>(state_->jitter.count()))};
}

std::int64_t Timetable::form() const {
  const auto& state = *state_;
  const auto digest =
      sha256(fmt::format("{}\n{}\n{}\n{}", state.cron_text, state.zone_name, state.every.count(),
                         state.at ? to_unix_us(*state.at) : 0));
  std::int64_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return number == 0 ? 1 : number;  // 0 is what a cursor holds that was never set
}

bool Timetable::is_single() const { return state_->at.has_value(); }

std::string firing_uid(std::string_view schedule, TimePoint nominal) {
  return fmt::format("{}@{}", schedule, to_rfc3339(nominal));
}

DueFirings due_firings(const Timetable& table, const config::Schedule& rules, TimePoint handled,
                       TimePoint now) {
  DueFirings out;
  out.seen = handled;
  // Most of the time nothing or one is due: look at the next before at all of them.
  const auto next = table.next(handled);
  if (!next || *next > now || table.fires_at(*next) > now) return out;
  auto nominals = table.newest(handled, now, missed_max + 1);
  if (nominals.size() > missed_max) {
    nominals.erase(nominals.begin());
    out.dropped = 1;  // at least: how many more is not worth counting
  }
  // In their order: one whose jitter is not over holds the later ones back.
  const auto not_yet = std::ranges::find_if(
      nominals, [&](TimePoint nominal) { return table.fires_at(nominal) > now; });
  nominals.erase(not_yet, nominals.end());
  if (nominals.empty()) return out;
  out.seen = nominals.back();
  TimePoint moment{};  // a firing is never before the ones ahead of it, whatever their jitter
  for (const auto nominal : nominals) {
    moment = std::max(moment, table.fires_at(nominal));
    const bool late = now - moment > rules.misfire_grace;
    out.fire.push_back({nominal, 0, late ? Firing::Kind::made_up : Firing::Kind::regular});
  }
  if (rules.misfire == config::Misfire::run_all) return out;
  // The newest late one stands for all; one that is in time makes up for them as well.
  const auto late = static_cast<std::int64_t>(std::ranges::count_if(
      out.fire, [](const Firing& one) { return one.kind == Firing::Kind::made_up; }));
  const bool all_late = late == static_cast<std::int64_t>(out.fire.size());
  const bool keep_one = rules.misfire == config::Misfire::run_once && all_late;
  const auto erased = late - (keep_one ? 1 : 0);
  out.fire.erase(out.fire.begin(), out.fire.begin() + erased);
  out.dropped += erased;
  if (rules.misfire == config::Misfire::run_once && !out.fire.empty()) {
    out.fire.front().missed = erased;
  }
  return out;
}

Verdict on_overlap(config::Overlap rule, Firing::Kind kind, std::size_t already_waiting) {
  switch (rule) {
    case config::Overlap::skip:
      // Who asked for every missed firing gets them, one after the other.
      return kind == Firing::Kind::made_up ? Verdict::wait : Verdict::drop;
    case config::Overlap::buffer_one:
      if (kind == Firing::Kind::made_up) return Verdict::wait;
      return already_waiting == 0 ? Verdict::wait : Verdict::drop;
    case config::Overlap::buffer_all:
      return already_waiting < missed_max ? Verdict::wait : Verdict::drop;
    case config::Overlap::cancel_other:
      return Verdict::cancel_and_fire;
    case config::Overlap::allow_all:
      return Verdict::fire;
  }
  VIGIL_CHECK(false);
}

}  // namespace vigil::ingress
