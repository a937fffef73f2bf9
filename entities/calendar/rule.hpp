#pragma once
// A recurrence rule as RFC 5545 (3.3.10) and RFC 7529 (SKIP) write it, and its instances in civil
// time: no zone, no clock. Pure; any thread.
#include <cctz/civil_time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace vigil::entities::calendar {

enum class Frequency { yearly, monthly, weekly, daily, hourly, minutely, secondly };
enum class Skip { omit, forward, backward };  // of a date that its month does not have

struct WeekdayAt {
  cctz::weekday day = cctz::weekday::monday;
  int nth = 0;  // of its month or year, from the end when negative; 0: each
};

// A moment as it is written: local, in UTC (...Z), or a day alone.
struct Written {
  cctz::civil_second at;
  bool utc = false;
  bool date = false;
};
// "19970902T090000", "19970902T090000Z", "19970902".
std::optional<Written> read_written(std::string_view text);

struct Rule {
  Frequency frequency = Frequency::yearly;
  int interval = 1;
  std::optional<std::int64_t> count;
  std::optional<Written> until;
  cctz::weekday week_begins = cctz::weekday::monday;
  Skip skip = Skip::omit;
  // Sorted, without doubles. Days of the month and year, weeks and positions may be negative.
  std::vector<int> seconds, minutes, hours, month_days, year_days, weeks, months, positions;
  std::vector<WeekdayAt> weekdays;
};

// What programs really write is taken, too: COUNT=-1 and an empty UNTIL mean none, an unknown part
// is passed over. Fails without FREQ, or when a value is none.
Result<Rule> read_rule(std::string_view text);

// Work of one question: days and times looked at. What goes on for ten thousand years ends there.
constexpr std::int64_t work_max = 2'000'000;

// The instances of a rule in their order, from `start` (DTSTART, which is one only where the rule
// says so).
class Instances {
 public:
  // Nothing after `last` is looked for. Without a count, the search begins shortly before `from`.
  Instances(Rule rule, cctz::civil_second start, cctz::civil_second from, cctz::civil_second last,
            std::int64_t work = work_max);
  std::optional<cctz::civil_second> next();
  bool cut() const { return work_ < 0; }  // the work was used up before the end
  std::int64_t work_left() const { return work_; }

 private:
  bool next_period();
  void fill_days();
  void fill_times();
  bool fill_moment();
  void days_of_year(int year);
  void days_of_month(cctz::civil_month month);
  void add_month_day(cctz::civil_month month, int day);
  bool fits(cctz::civil_day day) const;
  bool fits_weekday(cctz::civil_day day, cctz::civil_day first, cctz::civil_day last) const;
  void skip_to(cctz::civil_second moment);

  Rule rule_;
  cctz::civil_second start_;
  cctz::civil_second last_;
  std::int64_t work_;
  std::int64_t period_ = -1;
  cctz::civil_second moment_;  // of an hourly, minutely or secondly rule
  std::int64_t given_ = 0;
  cctz::civil_second previous_;  // two periods may meet in one day where dates are skipped
  std::vector<cctz::civil_day> days_;
  std::vector<std::int64_t> times_;   // seconds of the day
  std::vector<std::int64_t> picked_;  // of days x times, by BYSETPOS
  std::int64_t at_ = 0;
  std::int64_t size_ = 0;
};

}  // namespace vigil::entities::calendar
