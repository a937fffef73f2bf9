#include "entities/logs/line_time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "entities/logs/scan.hpp"

namespace vigil::entities::logs {
namespace {

using namespace std::chrono;

// A date and a time of day as they are written; a part that is not written is -1.
struct Written {
  int year = -1;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  Duration fraction{0};
  std::optional<minutes> offset;
};

constexpr std::array<std::string_view, 12> months_short{"jan", "feb", "mar", "apr", "may", "jun",
                                                        "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> days_short{"mon", "tue", "wed", "thu",
                                                     "fri", "sat", "sun"};

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

template <std::size_t N>
int name_at(const Scan& scan, const std::array<std::string_view, N>& names) {
  for (std::size_t i = 0; i < N; ++i) {
    bool same = true;
    for (std::size_t k = 0; k < 3; ++k) same = same && to_lower(scan.peek(k)) == names[i][k];
    if (same) return static_cast<int>(i) + 1;
  }
  return 0;
}

// "Jul", "jul", "sept.", "July"; 0 when it is none.
int take_month(Scan& scan) {
  const int month = name_at(scan, months_short);
  if (month == 0) return 0;
  Scan ahead = scan;
  ahead.at += 3;
  for (int more = 0; more < 6 && is_letter(ahead.peek()); ++more) ++ahead.at;
  if (is_letter(ahead.peek())) return 0;
  ahead.take('.');
  scan = ahead;
  return month;
}

bool take_weekday(Scan& scan) {
  if (name_at(scan, days_short) == 0) return false;
  Scan ahead = scan;
  ahead.at += 3;
  ahead.take(',');
  if (ahead.skip_blanks() == 0) return false;
  scan = ahead;
  return true;
}

void take_fraction(Scan& scan, Written& out) {
  Scan ahead = scan;
  if (!ahead.take_any(".,") || !is_digit(ahead.peek())) return;
  std::int64_t unit = 100'000;
  while (is_digit(ahead.peek())) {
    out.fraction += Duration{(ahead.peek() - '0') * unit};
    unit /= 10;
    ++ahead.at;
  }
  scan = ahead;
}

// "17:41:44", with or without a fraction; also with dots, or with nothing between.
bool take_clock(Scan& scan, Written& out) {
  Scan ahead = scan;
  const auto hour = ahead.number(1, 2);
  if (!hour || !(ahead.peek() == ':' || ahead.peek() == '.')) return false;
  const char between = ahead.peek();
  ++ahead.at;
  const auto minute = ahead.number(2, 2);
  if (!minute || !ahead.take(between)) return false;
  const auto second = ahead.number(2, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return false;
  out.hour = *hour;
  out.minute = *minute;
  out.second = std::min(*second, 59);  // a leap second is the one before it
  take_fraction(ahead, out);
  scan = ahead;
  return true;
}

// "Z", "+01:00", " +0100", "-05"; a zone by name is not known and left.
void take_zone(Scan& scan, Written& out) {
  Scan ahead = scan;
  if (ahead.take('Z') || ahead.take(" UTC") || ahead.take(" GMT")) {
    if (is_alnum(ahead.peek())) return;
    out.offset = minutes{0};
    scan = ahead;
    return;
  }
  const bool apart = ahead.take(' ');
  const char sign = ahead.peek();
  if (!ahead.take_any("+-")) return;
  std::optional<int> hour;
  std::optional<int> minute;
  if (const auto both = ahead.number(4, 4)) {
    hour = *both / 100;
    minute = *both % 100;
  } else {
    hour = ahead.number(2, 2);
    minute = ahead.take(':') ? ahead.number(2, 2) : std::optional<int>(apart ? -1 : 0);
  }
  if (!hour || !minute || *minute < 0 || *hour > 14 || *minute > 59) return;
  const minutes offset = hours{*hour} + minutes{*minute};
  out.offset = sign == '-' ? -offset : offset;
  scan = ahead;
}

// 2015-07-29 17:41:44,747 2015/07/29T17:41:44Z 2005-06-03-15.42.50.675872 2013.01.02 10:00:00
bool year_first(Scan& scan, Written& out) {
  const auto year = scan.number(4, 4);
  const char between = scan.peek();
  if (!year || *year < 1970 || !scan.take_any("-/.")) return false;
  const auto month = scan.number(2, 2);
  if (!month || !scan.take(between)) return false;
  const auto day = scan.number(2, 2);
  if (!day) return false;
  out.year = *year;
  out.month = *month;
  out.day = *day;
  scan.take(',');
  if (!scan.take_any("Tt-:_") && scan.skip_blanks() == 0) return false;
  scan.skip_blanks();
  if (!take_clock(scan, out)) return false;
  take_zone(scan, out);
  return true;
}

// 20220407-12:11:06, 20150729T174144, 081109 203615, 130322 11:26:54
bool packed(Scan& scan, Written& out) {
  std::size_t digits = 0;
  while (is_digit(scan.peek(digits))) ++digits;
  if (digits != 8 && digits != 6) return false;
  const bool is_long = digits == 8;
  const int date = scan.number(static_cast<int>(digits), static_cast<int>(digits)).value_or(0);
  out.year = is_long ? date / 10'000 : date / 10'000 + (date / 10'000 < 70 ? 2000 : 1900);
  out.month = date / 100 % 100;
  out.day = date % 100;
  if (is_long && out.year < 1970) return false;
  const bool joined = is_long && scan.take_any("T-");
  if (!joined && scan.skip_blanks() == 0) return false;
  if (take_clock(scan, out)) {
    take_zone(scan, out);
    return true;
  }
  const auto clock = scan.number(6, 6);
  if (!clock || *clock / 10'000 > 23 || *clock / 100 % 100 > 59 || *clock % 100 > 59) return false;
  out.hour = *clock / 10'000;
  out.minute = *clock / 100 % 100;
  out.second = *clock % 100;
  take_zone(scan, out);
  return true;
}

// Jun 14 15:16:01, Sat Jun 01 02:17:42.453 2013, Jun 14 2005 15:16:01
bool month_first(Scan& scan, Written& out) {
  take_weekday(scan);
  out.month = take_month(scan);
  if (out.month == 0 || scan.skip_blanks() == 0) return false;
  const auto day = scan.number(1, 2);
  if (!day) return false;
  out.day = *day;
  scan.take(',');
  if (scan.skip_blanks() == 0) return false;
  if (Scan ahead = scan; const auto year = ahead.number(4, 4)) {
    if (ahead.skip_blanks() == 0) return false;
    out.year = *year;
    scan = ahead;
  }
  if (!take_clock(scan, out)) return false;
  take_zone(scan, out);
  Scan ahead = scan;
  ahead.take(' ');
  if (const auto year = ahead.number(4, 4);
      out.year < 0 && year && *year >= 1970 && *year < 2100 && !is_alnum(ahead.peek())) {
    out.year = *year;
    scan = ahead;
    take_zone(scan, out);
  }
  return true;
}

// 18/Nov/2018:21:34:30 +0000, 17-Jun-2011 17:00:45, 22-06-2014 09:56:12, 31/12/2013 17:39:00.
// With numbers only the day comes first, unless it cannot be one.
bool day_first(Scan& scan, Written& out) {
  const auto day = scan.number(1, 2);
  const char between = scan.peek();
  if (!day || !scan.take_any("-/. ")) return false;
  out.day = *day;
  out.month = take_month(scan);
  if (out.month == 0) {
    const auto month = scan.number(2, 2);
    if (!month || between == ' ') return false;
    out.month = *month;
  }
  const bool is_month_first = out.month > 12;
  Scan ahead = scan;
  if (ahead.take(between)) {
    const auto year = ahead.number(4, 4);
    if (!year || *year < 1970) return false;
    out.year = *year;
    if (is_month_first) std::swap(out.month, out.day);
    scan = ahead;
  } else if (between != '-') {
    return false;
  } else {
    std::swap(out.month, out.day);  // 08-03 07:56:53: no year, so the month comes first
  }
  scan.take(',');
  if (!scan.take_any(":T") && scan.skip_blanks() == 0) return false;
  scan.skip_blanks();
  if (!take_clock(scan, out)) return false;
  take_zone(scan, out);
  return true;
}

// Seconds since 1970 of this century's lines: 1386543323.000, 1373330716.415
std::optional<TimePoint> epoch(Scan& scan) {
  const auto before = scan.at;
  std::int64_t seconds = 0;
  int count = 0;
  for (; count < 11 && is_digit(scan.peek()); ++count, ++scan.at) {
    seconds = seconds * 10 + (scan.peek() - '0');
  }
  if (count != 10 || seconds < 800'000'000) {
    scan.at = before;
    return std::nullopt;
  }
  Written fraction;
  take_fraction(scan, fraction);
  if (is_alnum(scan.peek())) {
    scan.at = before;
    return std::nullopt;
  }
  return TimePoint{std::chrono::seconds{seconds}} + fraction.fraction;
}

// @400000004c91b044077a9e94: TAI, ten seconds ahead of UTC by the convention of daemontools.
std::optional<TimePoint> tai64n(Scan& scan) {
  Scan ahead = scan;
  if (!ahead.take("@4")) return std::nullopt;
  const auto hex = ahead.rest().substr(0, 23);
  if (hex.size() < 23 || !std::ranges::all_of(hex, is_hex) || is_alnum(ahead.peek(23))) {
    return std::nullopt;
  }
  std::uint64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  std::from_chars(hex.data(), hex.data() + 15, seconds, 16);
  std::from_chars(hex.data() + 15, hex.data() + 23, nanoseconds, 16);
  if (seconds < 10 || seconds > 32'503'680'000) return std::nullopt;
  scan = ahead;
  scan.at += 23;
  return TimePoint{std::chrono::seconds{static_cast<std::int64_t>(seconds) - 10}} +
         Duration{nanoseconds / 1000};
}

// The last such date that is no more than a day ahead: clocks differ, and zones are not written.
std::optional<TimePoint> with_year(Written written, TimePoint now) {
  const auto date_in = [&](int year) {
    return std::chrono::year{year} / month{static_cast<unsigned>(written.month)} /
           day{static_cast<unsigned>(written.day)};
  };
  const auto clock = hours{written.hour} + minutes{written.minute} + seconds{written.second} +
                     written.fraction - written.offset.value_or(minutes{0});
  if (written.year >= 0) {
    const auto date = date_in(written.year);
    if (!date.ok()) return std::nullopt;
    return TimePoint{sys_days{date}} + clock;
  }
  const year_month_day today{floor<days>(now)};
  const int year = static_cast<int>(today.year());
  for (int back = -1; back <= 8; ++back) {  // eight years: the 29th of February
    const auto date = date_in(year - back);
    if (!date.ok()) continue;
    const auto at = TimePoint{sys_days{date}} + clock;
    if (at <= now + days{1}) return at;
  }
  return std::nullopt;
}

using Reader = bool (*)(Scan&, Written&);
constexpr std::array<Reader, 4> readers{year_first, month_first, day_first, packed};

bool could_begin(char c) { return is_digit(c) || c == '@' || is_letter(c); }

}  // namespace

std::optional<LineTime> line_time_at(std::string_view line, std::size_t place, TimePoint now) {
  const Scan begin{line, place};
  for (const auto reader : readers) {
    Scan scan = begin;
    Written written;
    if (!reader(scan, written)) continue;
    const auto at = with_year(written, now);
    if (!at) continue;
    return LineTime{*at, written.year < 0 ? YearIs::guessed : YearIs::written,
                    written.offset ? ZoneIs::written : ZoneIs::unknown, place, scan.at};
  }
  Scan scan = begin;
  auto at = epoch(scan);
  if (!at) at = tai64n(scan);
  if (!at) return std::nullopt;
  return LineTime{*at, YearIs::written, ZoneIs::written, place, scan.at};
}

std::optional<LineTime> find_line_time(std::string_view line, TimePoint now) {
  const auto reach = std::min(line.size(), line_time_reach);
  for (std::size_t at = 0; at < reach; ++at) {
    if (at > 0 && (is_alnum(line[at - 1]) || line[at - 1] == '.' || line[at - 1] == '-')) continue;
    if (!could_begin(line[at])) continue;
    if (auto found = line_time_at(line, at, now)) return found;
  }
  return std::nullopt;
}

}  // namespace vigil::entities::logs
