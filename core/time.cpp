#include "core/time.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace vigil {
namespace {

using namespace std::chrono;

struct Unit {
  std::string_view name;
  std::int64_t us;
};
constexpr std::array units{Unit{"w", 604'800'000'000},
                           Unit{"d", 86'400'000'000},
                           Unit{"h", 3'600'000'000},
                           Unit{"m", 60'000'000},
                           Unit{"s", 1'000'000},
                           Unit{"ms", 1'000},
                           Unit{"us", 1}};
constexpr std::int64_t duration_us_max = 100LL * 366 * 86'400'000'000;  // a century

// Reads exactly `digits` digits; -1 when they are not there.
int take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return -1;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

std::int64_t take_fraction_us(std::string_view& text) {
  std::int64_t us = 0;
  std::int64_t scale = 100'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    us += (text.front() - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
  }
  return us;
}

// The offset from UTC in minutes; out of range when malformed.
int take_offset_minutes(std::string_view& text) {
  constexpr int malformed = 100'000;
  if (take(text, 'Z') || take(text, 'z')) return 0;
  const int sign = text.starts_with('+') ? 1 : text.starts_with('-') ? -1 : 0;
  if (sign == 0) return malformed;
  text.remove_prefix(1);
  const int hour = take_number(text, 2);
  if (!take(text, ':')) return malformed;
  const int minute = take_number(text, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return malformed;
  return sign * (hour * 60 + minute);
}

}  // namespace

std::string to_rfc3339(TimePoint at) {
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<milliseconds>(at - day)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int{date.year()},
                     unsigned{date.month()}, unsigned{date.day()}, clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

Result<TimePoint> parse_rfc3339(std::string_view text) {
  const std::string_view whole = text;
  const auto malformed = [&] {
    return fail(ErrorCode::invalid_input,
                fmt::format("'{}' is not a time like 2026-11-23T10:15:00Z", whole));
  };
  const int y = take_number(text, 4);
  if (y < 0 || !take(text, '-')) return malformed();
  const int mo = take_number(text, 2);
  if (mo < 1 || !take(text, '-')) return malformed();
  const int d = take_number(text, 2);
  if (d < 1 || !(take(text, 'T') || take(text, 't') || take(text, ' '))) return malformed();
  const int h = take_number(text, 2);
  if (h < 0 || h > 23 || !take(text, ':')) return malformed();
  const int mi = take_number(text, 2);
  if (mi < 0 || mi > 59 || !take(text, ':')) return malformed();
  const int s = take_number(text, 2);
  if (s < 0 || s > 60) return malformed();
  const std::int64_t fraction = take(text, '.') ? take_fraction_us(text) : 0;
  const int offset = take_offset_minutes(text);
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)},
                            day{static_cast<unsigned>(d)}};
  if (offset > 1'440 || offset < -1'440 || !text.empty() || !date.ok()) return malformed();
  return TimePoint{sys_days{date}} + hours{h} + minutes{mi - offset} + seconds{s} +
         Duration{fraction};
}

Result<Duration> parse_duration(std::string_view text) {
  const auto malformed = [&] {
    return fail(ErrorCode::invalid_input,
                fmt::format("'{}' is not a duration like \"250ms\", \"5m\" or \"1h30m\"", text));
  };
  std::string_view rest = text;
  std::int64_t total = 0;
  std::size_t next_unit = 0;  // units must come largest first, each once
  while (!rest.empty()) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (error != std::errc{} || count < 0) return malformed();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    std::size_t length = 0;
    while (length < rest.size() && rest[length] >= 'a' && rest[length] <= 'z') ++length;
    const auto name = rest.substr(0, length);
    while (next_unit < units.size() && units[next_unit].name != name) ++next_unit;
    if (next_unit == units.size()) return malformed();
    if (count > duration_us_max / units[next_unit].us) return malformed();
    total += count * units[next_unit++].us;
    rest.remove_prefix(length);
  }
  if (text.empty() || total > duration_us_max) return malformed();
  return Duration{total};
}

std::string to_text(Duration duration) {
  const auto us = duration.count();
  if (us < 0) return "-" + to_text(-duration);
  if (us < 1'000) return fmt::format("{}us", us);
  if (us < 10'000) return fmt::format("{:.1f}ms", static_cast<double>(us) / 1e3);
  if (us < 1'000'000) return fmt::format("{}ms", us / 1'000);
  if (us < 60'000'000) {
    auto text = fmt::format("{:.2f}", static_cast<double>(us) / 1e6);
    while (text.ends_with('0')) text.pop_back();
    if (text.ends_with('.')) text.pop_back();
    return text + "s";
  }
  const auto two = [](std::int64_t big, std::string_view a, std::int64_t small,
                      std::string_view b) {
    return small == 0 ? fmt::format("{}{}", big, a) : fmt::format("{}{}{}{}", big, a, small, b);
  };
  const auto total_seconds = us / 1'000'000;
  if (total_seconds < 3'600) return two(total_seconds / 60, "m", total_seconds % 60, "s");
  if (total_seconds < 86'400) return two(total_seconds / 3'600, "h", total_seconds / 60 % 60, "m");
  return two(total_seconds / 86'400, "d", total_seconds / 3'600 % 24, "h");
}

}  // namespace vigil
