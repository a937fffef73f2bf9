// Holidays: NYSE Rule 7.2 and "Holidays and Trading Hours"
// (https://www.nyse.com/trade/hours-calendars); Xetra trading calendar
// (https://www.xetra.com/xetra-en/trading/trading-calendar-and-trading-hours); London Stock
// Exchange business days (https://www.londonstockexchange.com/equities-trading/business-days).
// Easter by the anonymous Gregorian rule (Meeus, Astronomical Algorithms, 1991, ch. 8).
#include "entities/market/calendar.hpp"

#include <cctz/civil_time.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace vigil::entities::market {
namespace {

using cctz::civil_day;
using cctz::weekday;

constexpr int days_searched = 14;

int iso_day(civil_day day) { return static_cast<int>(cctz::get_weekday(day)) + 1; }
bool is_weekend(civil_day day) { return iso_day(day) > 5; }

civil_day easter(int year) {
  const int a = year % 19, b = year / 100, c = year % 100, d = b / 4, e = b % 4;
  const int f = (b + 8) / 25, g = (b - f + 1) / 3, h = (19 * a + b - d - g + 15) % 30;
  const int i = c / 4, k = c % 4, l = (32 + 2 * e + 2 * i - h - k) % 7;
  const int m = (a + 11 * h + 22 * l) / 451;
  return civil_day(year, (h + l - 7 * m + 114) / 31, (h + l - 7 * m + 114) % 31 + 1);
}

civil_day nth(int year, int month, weekday day, int count) {
  const auto first = cctz::next_weekday(civil_day(year, month, 1) - 1, day);
  return first + 7 * (count - 1);
}
civil_day last(int year, int month, weekday day) {
  return cctz::prev_weekday(
      civil_day(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1), day);
}

// A holiday on a Saturday is kept on Friday, on a Sunday on Monday.
civil_day observed(civil_day day) {
  return iso_day(day) == 6 ? day - 1 : iso_day(day) == 7 ? day + 1 : day;
}

bool is_holiday_xnys(civil_day day) {
  const int year = static_cast<int>(day.year());
  // New Year's Day on a Saturday is not made up for: the last day of the year is a session.
  const civil_day new_year(year, 1, 1);
  if (day == (iso_day(new_year) == 7 ? new_year + 1 : new_year)) return true;
  return day == nth(year, 1, weekday::monday, 3) || day == nth(year, 2, weekday::monday, 3) ||
         day == easter(year) - 2 || day == last(year, 5, weekday::monday) ||
         (year >= 2022 && day == observed(civil_day(year, 6, 19))) ||
         day == observed(civil_day(year, 7, 4)) || day == nth(year, 9, weekday::monday, 1) ||
         day == nth(year, 11, weekday::thursday, 4) || day == observed(civil_day(year, 12, 25));
}

bool is_half_day_xnys(civil_day day) {
  const int year = static_cast<int>(day.year());
  if (day == nth(year, 11, weekday::thursday, 4) + 1 || day == civil_day(year, 12, 24)) return true;
  return day == civil_day(year, 7, 3) && iso_day(day) < 5;  // on a Friday it is the holiday
}

bool is_holiday_xetr(civil_day day) {
  const int year = static_cast<int>(day.year());
  const auto sunday = easter(year);
  const auto is = [&](int month, int of) { return day == civil_day(year, month, of); };
  return is(1, 1) || day == sunday - 2 || day == sunday + 1 || is(5, 1) || is(12, 24) ||
         is(12, 25) || is(12, 26) || is(12, 31);
}

// The last session of the year ends early.
bool is_half_day_xetr(civil_day day) {
  auto final = civil_day(day.year(), 12, 30);
  while (is_weekend(final)) --final;
  return day == final;
}

bool is_holiday_xlon(civil_day day) {
  const int year = static_cast<int>(day.year());
  const auto sunday = easter(year);
  auto new_year = civil_day(year, 1, 1);
  while (is_weekend(new_year)) ++new_year;
  auto christmas = civil_day(year, 12, 25);
  auto boxing = civil_day(year, 12, 26);
  // Where one falls on a weekend, the next days that are no holiday make up for it.
  if (iso_day(christmas) == 6)
    christmas = christmas + 2, boxing = boxing + 2;
  else if (iso_day(christmas) == 7)
    christmas = christmas + 2;
  else if (iso_day(boxing) == 6)
    boxing = boxing + 2;
  return day == new_year || day == sunday - 2 || day == sunday + 1 ||
         day == nth(year, 5, weekday::monday, 1) || day == last(year, 5, weekday::monday) ||
         day == last(year, 8, weekday::monday) || day == christmas || day == boxing;
}

// The last sessions before Christmas and before the new year end early.
bool is_half_day_xlon(civil_day day) {
  for (auto eve : {civil_day(day.year(), 12, 24), civil_day(day.year(), 12, 31)}) {
    while (is_weekend(eve) || is_holiday_xlon(eve)) --eve;
    if (day == eve) return true;
  }
  return false;
}

std::optional<civil_day> read_day(const std::string& text) {
  int year = 0, month = 0, day = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d", &year, &month, &day) != 3) return std::nullopt;
  return civil_day(year, month, day);
}

int read_clock(const std::string& text) {
  int hour = 0, minute = 0;
  if (std::sscanf(text.c_str(), "%*d-%*d-%*d %2d:%2d", &hour, &minute) != 2) return 0;
  return hour * 60 + minute;
}

TimePoint instant(const cctz::time_zone& zone, civil_day day, int minute) {
  const auto local = cctz::civil_minute(day) + minute;
  const auto at = cctz::convert(cctz::civil_second(local), zone);
  return TimePoint{std::chrono::duration_cast<Duration>(at.time_since_epoch())};
}

}  // namespace

Result<Calendar> Calendar::make(const std::string& name,
                                const std::vector<config::MarketSession>& sessions) {
  Calendar out;
  out.name_ = name;
  const auto built_in = [&](Rules rules, const char* zone, int open, int close) {
    out.rules_ = rules;
    out.open_minute_ = open;
    out.close_minute_ = close;
    return cctz::load_time_zone(zone, &out.zone_);
  };
  const auto own = std::ranges::find(sessions, name, &config::MarketSession::name);
  bool known = true;
  if (own != sessions.end()) {
    out.days_ = {own->days.begin(), own->days.end()};
    out.open_minute_ = own->open_minute;
    out.close_minute_ = own->close_minute;
    for (const auto& text : own->holidays) {
      if (const auto day = read_day(text)) out.holidays_.insert(*day);
    }
    for (const auto& text : own->half_days) {
      if (const auto day = read_day(text)) out.half_days_[*day] = read_clock(text);
    }
    known = cctz::load_time_zone(own->tz, &out.zone_);
  } else if (name == "24x7") {
    out.always_ = true;
  } else if (name == "XNYS") {
    known = built_in(Rules::xnys, "America/New_York", 9 * 60 + 30, 16 * 60);
  } else if (name == "XETR") {
    known = built_in(Rules::xetr, "Europe/Berlin", 9 * 60, 17 * 60 + 30);
  } else if (name == "XLON") {
    known = built_in(Rules::xlon, "Europe/London", 8 * 60, 16 * 60 + 30);
  } else {
    return fail(ErrorCode::invalid_input, fmt::format("there is no session \"{}\"", name));
  }
  if (!known) return fail(ErrorCode::invalid_input, fmt::format("the zone of {} is unknown", name));
  return out;
}

civil_day Calendar::day_of(TimePoint at) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  return civil_day(cctz::convert(
      cctz::time_point<cctz::seconds>{cctz::seconds{seconds.time_since_epoch().count()}}, zone_));
}

std::optional<Span> Calendar::session_on(civil_day day) const {
  if (!days_.contains(iso_day(day)) || holidays_.contains(day)) return std::nullopt;
  int close = close_minute_ > open_minute_ ? close_minute_ : close_minute_ + 24 * 60;
  bool half = false;
  if (const auto early = half_days_.find(day); early != half_days_.end()) {
    close = early->second;
    half = true;
  }
  switch (rules_) {
    case Rules::own:
      break;
    case Rules::xnys:
      if (is_holiday_xnys(day)) return std::nullopt;
      if ((half = is_half_day_xnys(day))) close = 13 * 60;
      break;
    case Rules::xetr:
      if (is_holiday_xetr(day)) return std::nullopt;
      if ((half = is_half_day_xetr(day))) close = 14 * 60;
      break;
    case Rules::xlon:
      if (is_holiday_xlon(day)) return std::nullopt;
      if ((half = is_half_day_xlon(day))) close = 12 * 60 + 30;
      break;
  }
  return Span{instant(zone_, day, open_minute_), instant(zone_, day, close), half};
}

bool Calendar::is_open(TimePoint at) const {
  if (always_) return true;
  const auto on = session_at_or_before(at);
  return on && at < on->close;
}

std::optional<Span> Calendar::session_at_or_after(TimePoint at) const {
  if (always_) return std::nullopt;
  const auto today = day_of(at);
  for (int i = -1; i <= days_searched; ++i) {
    if (const auto span = session_on(today + i); span && span->close > at) return span;
  }
  return std::nullopt;
}

std::optional<Span> Calendar::session_at_or_before(TimePoint at) const {
  if (always_) return std::nullopt;
  const auto today = day_of(at);
  for (int i = 0; i <= days_searched; ++i) {
    if (const auto span = session_on(today - i); span && span->open <= at) return span;
  }
  return std::nullopt;
}

Duration Calendar::open_between(TimePoint from, TimePoint to) const {
  if (to <= from) return Duration{0};
  if (always_) return to - from;
  Duration sum{0};
  auto day = day_of(from) - 1;
  for (int i = 0; i <= days_searched + 1; ++i, ++day) {
    const auto span = session_on(day);
    if (!span || span->close <= from || span->open >= to) continue;
    sum += std::min(span->close, to) - std::max(span->open, from);
  }
  return sum;
}

}  // namespace vigil::entities::market
