#include "entities/calendar/rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/log.hpp"

namespace vigil::entities::calendar {
namespace {

std::optional<int> number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

constexpr std::array<std::string_view, 7> weekday_names = {"MO", "TU", "WE", "TH",
                                                           "FR", "SA", "SU"};

std::optional<cctz::weekday> weekday_in(std::string_view text) {
  const auto found = std::ranges::find(weekday_names, text);
  if (found == weekday_names.end()) return std::nullopt;
  return static_cast<cctz::weekday>(found - weekday_names.begin());
}

std::vector<std::string_view> pieces(std::string_view text, char at) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(at), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

struct List {
  std::string_view name;
  std::vector<int> Rule::* where;
  int least;
  int most;
  bool negative;
};
constexpr std::array lists = {
    List{"BYSECOND", &Rule::seconds, 0, 60, false},
    List{"BYMINUTE", &Rule::minutes, 0, 59, false},
    List{"BYHOUR", &Rule::hours, 0, 23, false},
    List{"BYMONTHDAY", &Rule::month_days, 1, 31, true},
    List{"BYYEARDAY", &Rule::year_days, 1, 366, true},
    List{"BYWEEKNO", &Rule::weeks, 1, 53, true},
    List{"BYMONTH", &Rule::months, 1, 12, false},
    List{"BYSETPOS", &Rule::positions, 1, 366, true},
};

std::unexpected<Error> wrong(std::string_view name, std::string_view value) {
  return fail(ErrorCode::invalid_input,
              fmt::format("RRULE: {}={} is no value of it", name, quoted(value)));
}

Result<void> read_list(const List& list, std::string_view value, Rule& rule) {
  auto& out = rule.*list.where;
  for (const auto piece : pieces(value, ',')) {
    const auto one = number(piece);
    if (!one) return wrong(list.name, piece);
    const int size = list.negative && *one < 0 ? -*one : *one;
    if (size < list.least || size > list.most) return wrong(list.name, piece);
    out.push_back(*one);
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return {};
}

Result<void> read_weekdays(std::string_view value, Rule& rule) {
  for (const auto piece : pieces(value, ',')) {
    if (piece.size() < 2 || rule.weekdays.size() >= 800) return wrong("BYDAY", piece);
    const auto day = weekday_in(piece.substr(piece.size() - 2));
    const auto before = piece.substr(0, piece.size() - 2);
    const auto nth = before.empty() ? std::optional<int>(0) : number(before);
    if (!day || !nth || *nth < -53 || *nth > 53) return wrong("BYDAY", piece);
    rule.weekdays.push_back({*day, *nth});
  }
  return {};
}

Result<void> read_part(std::string_view name, std::string_view value, Rule& rule) {
  constexpr std::array<std::string_view, 7> frequencies = {"YEARLY", "MONTHLY",  "WEEKLY",  "DAILY",
                                                           "HOURLY", "MINUTELY", "SECONDLY"};
  if (name == "FREQ") {
    const auto found = std::ranges::find(frequencies, value);
    if (found == frequencies.end()) return wrong(name, value);
    rule.frequency = static_cast<Frequency>(found - frequencies.begin());
  } else if (name == "INTERVAL") {
    const auto interval = number(value);
    if (!interval) return wrong(name, value);
    rule.interval = std::max(*interval, 1);
  } else if (name == "COUNT") {
    const auto count = number(value);
    if (!count) return wrong(name, value);
    if (*count > 0) rule.count = *count;
  } else if (name == "UNTIL") {
    rule.until = read_written(value);
    if (!rule.until && !value.empty()) return wrong(name, value);
  } else if (name == "WKST") {
    const auto day = weekday_in(value);
    if (!day) return wrong(name, value);
    rule.week_begins = *day;
  } else if (name == "SKIP") {
    rule.skip = value == "FORWARD"    ? Skip::forward
                : value == "BACKWARD" ? Skip::backward
                                      : Skip::omit;
  } else if (name == "BYDAY") {
    return read_weekdays(value, rule);
  } else if (name == "RSCALE" && value != "GREGORIAN" && value != "GREGORY") {
    return fail(ErrorCode::invalid_input,
                fmt::format("RRULE: the calendar {} is not known here", quoted(value)));
  }
  for (const auto& list : lists) {
    if (list.name == name) return read_list(list, value, rule);
  }
  return {};
}

}  // namespace

std::optional<Written> read_written(std::string_view text) {
  Written out;
  if (text.ends_with('Z') || text.ends_with('z')) {
    out.utc = true;
    text.remove_suffix(1);
  }
  out.date = text.size() == 8;
  if (!out.date && (text.size() != 15 || (text[8] != 'T' && text[8] != 't'))) return std::nullopt;
  std::array<int, 6> part{};
  constexpr std::array<std::pair<std::size_t, std::size_t>, 6> places = {
      {{0, 4}, {4, 2}, {6, 2}, {9, 2}, {11, 2}, {13, 2}}};
  for (std::size_t i = 0; i < (out.date ? 3U : 6U); ++i) {
    const auto digits = text.substr(places[i].first, places[i].second);
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    part[i] = number(digits).value_or(0);
  }
  const cctz::civil_second at(part[0], part[1], part[2], part[3], part[4], std::min(part[5], 59));
  // cctz carries over what is too large: 31 February would be another day.
  const bool same = at.month() == part[1] && at.day() == part[2] && at.hour() == part[3];
  if (!same || part[5] > 60) return std::nullopt;
  out.at = at;
  return out;
}

Result<Rule> read_rule(std::string_view text) {
  Rule rule;
  std::string upper(text.substr(0, 16 * 1024));
  for (auto& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  std::string_view all = upper;
  if (all.starts_with("RRULE:")) all.remove_prefix(6);
  bool named = false;
  for (const auto part : pieces(all, ';')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = part.substr(0, equals);
    named = named || name == "FREQ";
    if (auto read = read_part(name, part.substr(equals + 1), rule); !read) {
      return std::unexpected(read.error());
    }
  }
  if (!named) return fail(ErrorCode::invalid_input, "RRULE: there is no FREQ in it");
  return rule;
}

}  // namespace vigil::entities::calendar
