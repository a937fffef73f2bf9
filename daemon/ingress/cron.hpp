#pragma once
// Cron expressions of five fields as sets: parsed, checked, asked whether a day or a minute fits.
// What an expression means across clock changes is the business of schedule.hpp. Pure.
#include <bitset>
#include <string_view>

#include "core/error.hpp"

namespace vigil::ingress {

struct Cron {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;     // 1..31
  std::bitset<13> months;   // 1..12
  std::bitset<7> weekdays;  // Sunday is 0
  // Fields that begin with `*`. With both day fields restricted a day fits when either does. An
  // hour field that begins with `*` means "all the time", others a time of the day.
  bool any_day = false;
  bool any_weekday = false;
  bool any_hour = false;

  bool fits_day(int month, int day, int weekday) const;
  bool operator==(const Cron&) const = default;
};

// `minute hour day month weekday` with lists, ranges, steps, names of months and days, 7 as Sunday,
// and @hourly @daily @midnight @weekly @monthly @yearly @annually. The error names the field, its
// column and what it may hold; an expression that fits no day of any year is one.
Result<Cron> parse_cron(std::string_view text);

}  // namespace vigil::ingress
