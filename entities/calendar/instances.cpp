// The instances of a rule, period by period: the days that fit, times the times of a day.
#include <algorithm>

#include "entities/calendar/rule.hpp"

namespace vigil::entities::calendar {
namespace {

using cctz::civil_day;
using cctz::civil_month;
using cctz::civil_second;
using cctz::civil_year;

constexpr int years_most = 9'999;

bool holds(const std::vector<int>& list, int value) {
  return std::ranges::binary_search(list, value);
}
bool holds_either(const std::vector<int>& list, int from_begin, int from_end) {
  return holds(list, from_begin) || holds(list, from_end);
}

civil_day week_of(civil_day day, cctz::weekday begins) {
  const auto past = static_cast<int>(cctz::get_weekday(day)) - static_cast<int>(begins);
  return day - (past + 7) % 7;
}

std::int64_t unit_of(Frequency frequency) {
  return frequency == Frequency::hourly ? 3'600 : frequency == Frequency::minutely ? 60 : 1;
}

bool below_day(Frequency frequency) { return frequency >= Frequency::hourly; }

}  // namespace

Instances::Instances(Rule rule, civil_second start, civil_second from, civil_second last,
                     std::int64_t work)
    : rule_(std::move(rule)), start_(start), last_(last), work_(work), moment_(start) {
  if (below_day(rule_.frequency)) {
    const auto unit = unit_of(rule_.frequency);
    moment_ = start - (start - civil_second(civil_day(start))) % unit;
    if (!rule_.count && from > moment_) skip_to(from - 2 * unit);
    fill_times();
    return;
  }
  fill_times();
  if (rule_.count || from <= start) return;
  std::int64_t past = 0;
  switch (rule_.frequency) {
    case Frequency::yearly:
      past = from.year() - start.year();
      break;
    case Frequency::monthly:
      past = civil_month(from) - civil_month(start);
      break;
    case Frequency::weekly:
      past = (civil_day(from) - civil_day(start)) / 7;
      break;
    default:
      past = civil_day(from) - civil_day(start);
      break;
  }
  // Two periods earlier: a week, or a skipped date, may lie in the neighbour's.
  period_ = std::max<std::int64_t>(past / rule_.interval - 2, 0) - 1;
}

// To the first moment of the rule's own raster that is not before `moment`.
void Instances::skip_to(civil_second moment) {
  const auto step = unit_of(rule_.frequency) * rule_.interval;
  if (moment <= moment_) return;
  moment_ += (moment - moment_ + step - 1) / step * step;
}

// Seconds within a day, or within the hour or minute of a rule that has such periods.
void Instances::fill_times() {
  const auto one = [](const std::vector<int>& list, int otherwise) {
    return list.empty() ? std::vector<int>{otherwise} : list;
  };
  const auto below = rule_.frequency;
  const auto hours = below_day(below) ? std::vector<int>{0} : one(rule_.hours, start_.hour());
  const auto minutes =
      below >= Frequency::minutely ? std::vector<int>{0} : one(rule_.minutes, start_.minute());
  const auto seconds =
      below == Frequency::secondly ? std::vector<int>{0} : one(rule_.seconds, start_.second());
  for (const auto hour : hours) {
    for (const auto minute : minutes) {
      for (const auto second : seconds) times_.push_back(hour * 3'600 + minute * 60 + second);
    }
  }
}

bool Instances::fits_weekday(civil_day day, civil_day first, civil_day last) const {
  const auto weekday = cctz::get_weekday(day);
  const bool scoped = rule_.frequency <= Frequency::monthly && rule_.weeks.empty();
  const auto from_begin = static_cast<int>((day - first) / 7 + 1);
  const auto from_end = -static_cast<int>((last - day) / 7 + 1);
  return std::ranges::any_of(rule_.weekdays, [&](const WeekdayAt& one) {
    if (one.day != weekday) return false;
    return !scoped || one.nth == 0 || one.nth == from_begin || one.nth == from_end;
  });
}

// By what limits a day of any period.
bool Instances::fits(civil_day day) const {
  if (!rule_.months.empty() && !holds(rule_.months, day.month())) return false;
  const civil_month month(day);
  const auto month_last = [&] { return civil_day(month + 1) - 1; };
  if (!rule_.month_days.empty() && rule_.skip == Skip::omit &&
      !holds_either(rule_.month_days, day.day(), day.day() - month_last().day() - 1)) {
    return false;
  }
  const civil_year year(day);
  const auto year_last = [&] { return civil_day(year + 1) - 1; };
  if (!rule_.year_days.empty() && rule_.skip == Skip::omit &&
      !holds_either(rule_.year_days, cctz::get_yearday(day),
                    static_cast<int>(day - year_last()) - 1)) {
    return false;
  }
  if (rule_.weekdays.empty()) return true;
  const bool in_month = rule_.frequency == Frequency::monthly || !rule_.months.empty();
  return in_month ? fits_weekday(day, civil_day(month), month_last())
                  : fits_weekday(day, civil_day(year), year_last());
}

// Day `day` of a month, from its end when negative; where there is none, what SKIP says.
void Instances::add_month_day(civil_month month, int day) {
  const civil_day first(month);
  const civil_day last = civil_day(month + 1) - 1;
  const auto wanted = day > 0 ? first + (day - 1) : last + (day + 1);
  if (civil_month(wanted) == month) {
    days_.push_back(wanted);
  } else if (rule_.skip == Skip::forward) {
    days_.push_back(day > 0 ? last + 1 : first);
  } else if (rule_.skip == Skip::backward) {
    days_.push_back(day > 0 ? last : first - 1);
  }
}

void Instances::days_of_month(civil_month month) {
  if (!rule_.months.empty() && !holds(rule_.months, month.month())) return;
  if (rule_.month_days.empty() && rule_.weekdays.empty() && rule_.year_days.empty()) {
    add_month_day(month, start_.day());
    return;
  }
  if (rule_.skip != Skip::omit && !rule_.month_days.empty()) {
    for (const auto day : rule_.month_days) add_month_day(month, day);
    return;
  }
  for (civil_day day(month); civil_month(day) == month; ++day) {
    if (fits(day)) days_.push_back(day);
  }
}

void Instances::days_of_year(int year) {
  const civil_day first(year, 1, 1);
  const civil_day last(year, 12, 31);
  if (!rule_.weeks.empty()) {
    const auto week_one = week_of(civil_day(year, 1, 4), rule_.week_begins);
    const auto weeks = (week_of(civil_day(year + 1, 1, 4), rule_.week_begins) - week_one) / 7;
    for (std::int64_t week = 1; week <= weeks; ++week) {
      if (!holds_either(rule_.weeks, static_cast<int>(week), static_cast<int>(week - weeks - 1))) {
        continue;
      }
      for (int at = 0; at < 7; ++at) {
        const auto day = week_one + ((week - 1) * 7 + at);
        if (rule_.weekdays.empty() && rule_.month_days.empty() && rule_.year_days.empty() &&
            cctz::get_weekday(day) != cctz::get_weekday(civil_day(start_))) {
          continue;
        }
        if (fits(day)) days_.push_back(day);
      }
    }
    return;
  }
  const bool by_month = rule_.weekdays.empty() && rule_.year_days.empty();
  if (by_month && (rule_.month_days.empty() || rule_.skip != Skip::omit)) {
    const auto months = rule_.months.empty() && rule_.month_days.empty()
                            ? std::vector<int>{start_.month()}
                            : rule_.months;
    const auto days = rule_.month_days.empty() ? std::vector<int>{start_.day()} : rule_.month_days;
    for (int month = 1; month <= 12; ++month) {
      if (!months.empty() && !holds(months, month)) continue;
      for (const auto day : days) add_month_day(civil_month(year, month), day);
    }
    return;
  }
  if (rule_.skip != Skip::omit && !rule_.year_days.empty()) {
    for (const auto at : rule_.year_days) {
      const auto day = at > 0 ? first + (at - 1) : last + (at + 1);
      const bool there = day >= first && day <= last;
      if (there) days_.push_back(day);
      if (!there && rule_.skip == Skip::forward) days_.push_back(at > 0 ? last + 1 : first);
      if (!there && rule_.skip == Skip::backward) days_.push_back(at > 0 ? last : first - 1);
    }
    return;
  }
  for (auto day = first; day <= last; ++day) {
    if (fits(day)) days_.push_back(day);
  }
}

// The days of period `period_`; false: beyond the last.
void Instances::fill_days() {
  const auto step = period_ * rule_.interval;
  switch (rule_.frequency) {
    case Frequency::yearly:
      work_ -= 366;
      days_of_year(static_cast<int>(start_.year() + step));
      break;
    case Frequency::monthly:
      work_ -= 31;
      days_of_month(civil_month(start_) + step);
      break;
    case Frequency::weekly: {
      work_ -= 7;
      const auto monday = week_of(civil_day(start_), rule_.week_begins) + 7 * step;
      for (int at = 0; at < 7; ++at) {
        const auto day = monday + at;
        const bool same = cctz::get_weekday(day) == cctz::get_weekday(civil_day(start_));
        if ((rule_.weekdays.empty() ? same : true) && fits(day)) days_.push_back(day);
      }
      break;
    }
    default:
      work_ -= 1;
      if (const auto day = civil_day(start_) + step; fits(day)) days_.push_back(day);
      break;
  }
}

// The next hour, minute or second that fits. What cannot fit is jumped over.
bool Instances::fill_moment() {
  while (true) {
    if (--work_ < 0 || moment_ > last_) return false;
    const civil_day day(moment_);
    if (!fits(day)) {
      skip_to(civil_second(day + 1));
      continue;
    }
    if (!rule_.hours.empty() && !holds(rule_.hours, moment_.hour())) {
      skip_to(civil_second(cctz::civil_hour(moment_) + 1));
      continue;
    }
    if (rule_.frequency >= Frequency::minutely && !rule_.minutes.empty() &&
        !holds(rule_.minutes, moment_.minute())) {
      skip_to(civil_second(cctz::civil_minute(moment_) + 1));
      continue;
    }
    const auto step = unit_of(rule_.frequency) * rule_.interval;
    if (rule_.frequency == Frequency::secondly && !rule_.seconds.empty() &&
        !holds(rule_.seconds, moment_.second())) {
      moment_ += step;
      continue;
    }
    days_.assign(1, day);
    size_ = static_cast<std::int64_t>(times_.size());
    return true;
  }
}

bool Instances::next_period() {
  days_.clear();
  picked_.clear();
  at_ = 0;
  size_ = 0;
  if (below_day(rule_.frequency)) {
    if (period_ >= 0) moment_ += unit_of(rule_.frequency) * rule_.interval;
    period_ = 0;
    if (!fill_moment()) return false;
  } else {
    ++period_;
    const auto years = rule_.frequency == Frequency::yearly    ? period_ * rule_.interval
                       : rule_.frequency == Frequency::monthly ? period_ * rule_.interval / 12
                                                               : period_ * rule_.interval / 366;
    if (work_ < 0 || start_.year() + years > std::min<std::int64_t>(last_.year() + 1, years_most)) {
      return false;
    }
    fill_days();
    std::ranges::sort(days_);
    days_.erase(std::ranges::unique(days_).begin(), days_.end());
    size_ = static_cast<std::int64_t>(days_.size() * times_.size());
  }
  if (rule_.positions.empty()) return true;
  for (const auto position : rule_.positions) {
    const auto index = position > 0 ? position - 1 : size_ + position;
    if (index >= 0 && index < size_) picked_.push_back(index);
  }
  std::ranges::sort(picked_);
  size_ = static_cast<std::int64_t>(picked_.size());
  return true;
}

std::optional<civil_second> Instances::next() {
  if (rule_.count && given_ >= *rule_.count) return std::nullopt;
  while (true) {
    while (at_ >= size_) {
      if (!next_period()) return std::nullopt;
    }
    const auto index = picked_.empty() ? at_ : picked_[static_cast<std::size_t>(at_)];
    ++at_;
    if (--work_ < 0) return std::nullopt;
    const auto times = static_cast<std::int64_t>(times_.size());
    const auto time = times_[static_cast<std::size_t>(index % times)];
    const auto base = below_day(rule_.frequency)
                          ? moment_
                          : civil_second(days_[static_cast<std::size_t>(index / times)]);
    const auto found = base + time;
    if (found < start_ || (given_ > 0 && found <= previous_)) continue;
    if (found > last_) return std::nullopt;
    ++given_;
    previous_ = found;
    return found;
  }
}

}  // namespace vigil::entities::calendar
