#include "entities/comms/local_time.hpp"

#include <cctz/time_zone.h>
#include <fmt/format.h>

#include <numeric>

#include "core/log.hpp"

namespace vigil::entities::comms {
namespace {

constexpr int day_minutes = 24 * 60;

cctz::time_zone zone_of(const std::string& name) {
  cctz::time_zone zone = cctz::utc_time_zone();
  (void)cctz::load_time_zone(name, &zone);  // the configuration has checked the name
  return zone;
}

cctz::civil_second local_of(TimePoint at, const std::string& zone) {
  return cctz::convert(std::chrono::floor<std::chrono::seconds>(at), zone_of(zone));
}

}  // namespace

Result<int> parse_minute(std::string_view text) {
  const bool form = text.size() == 5 && text[2] == ':' &&
                    text.find_first_not_of("0123456789:") == std::string_view::npos;
  const auto number = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  if (!form || number(0) > 23 || number(3) > 59) {
    return fail(ErrorCode::invalid_input,
                fmt::format("expected a time of day like \"08:00\", not {}", vigil::quoted(text)));
  }
  return number(0) * 60 + number(3);
}

Result<QuietHours> parse_quiet(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) {
    return fail(ErrorCode::invalid_input,
                fmt::format("expected \"22:00-07:00\", not {}", vigil::quoted(text)));
  }
  const auto from = parse_minute(text.substr(0, dash));
  if (!from) return std::unexpected(from.error());
  const auto to = parse_minute(text.substr(dash + 1));
  if (!to) return std::unexpected(to.error());
  return QuietHours{*from, *to};
}

int minute_of(TimePoint at, const std::string& zone) {
  const auto local = local_of(at, zone);
  return local.hour() * 60 + local.minute();
}

std::string local_text(TimePoint at, const std::string& zone) {
  return cctz::format("%a %e %b %H:%M", std::chrono::floor<std::chrono::seconds>(at),
                      zone_of(zone));
}

std::optional<TimePoint> next_of(const std::vector<int>& minutes, TimePoint now,
                                 const std::string& zone) {
  const auto place = zone_of(zone);
  const cctz::civil_day today(local_of(now, zone));
  std::optional<TimePoint> next;
  for (const int day : {0, 1, 2}) {
    for (const int minute : minutes) {
      const cctz::civil_minute at = cctz::civil_minute(today + day) + minute;
      const TimePoint moment{cctz::convert(cctz::civil_second(at), place)};
      if (moment > now && (!next || moment < *next)) next = moment;
    }
  }
  return next;
}

bool is_quiet(const QuietHours& hours, int minute) {
  if (hours.from <= hours.to) return minute >= hours.from && minute < hours.to;
  return minute >= hours.from || minute < hours.to;
}

std::optional<QuietHours> learned_quiet(const std::vector<int>& by_hour) {
  constexpr int counted_min = 50;
  constexpr int hours_min = 5;
  if (by_hour.size() != 24) return std::nullopt;
  const int sum = std::accumulate(by_hour.begin(), by_hour.end(), 0);
  if (sum < counted_min) return std::nullopt;
  int best_from = 0;
  int best = 0;
  for (int from = 0; from < 24; ++from) {
    int inside = 0;
    for (int length = 1; length <= 12; ++length) {
      inside += by_hour[static_cast<std::size_t>((from + length - 1) % 24)];
      if (inside * 50 > sum) break;
      if (length > best) {
        best = length;
        best_from = from;
      }
    }
  }
  if (best < hours_min) return std::nullopt;
  return QuietHours{best_from * 60, (best_from + best) * 60 % day_minutes};
}

}  // namespace vigil::entities::comms
