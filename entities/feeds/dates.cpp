#include "entities/feeds/dates.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace vigil::entities::feeds {
namespace {

using namespace std::chrono_literals;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Parts {
  int year = -1;
  int month = -1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int micro = 0;
  std::optional<int> zone_minutes;
  std::optional<bool> afternoon;
};

std::optional<WrittenDate> together(const Parts& p) {
  const std::chrono::year_month_day date{std::chrono::year{p.year},
                                         std::chrono::month{static_cast<unsigned>(p.month)},
                                         std::chrono::day{static_cast<unsigned>(p.day)}};
  if (!date.ok() || p.year < 1900 || p.year > 9999) return std::nullopt;
  int hour = p.hour;
  if (p.afternoon) {
    if (hour < 1 || hour > 12) return std::nullopt;
    hour = hour % 12 + (*p.afternoon ? 12 : 0);
  }
  // 24:00 is the end of the day, and a leap second counts as the one after.
  if (hour > 24 || p.minute > 59 || p.second > 60 || hour < 0) return std::nullopt;
  const auto at = TimePoint{std::chrono::sys_days{date}} + std::chrono::hours{hour} +
                  std::chrono::minutes{p.minute - p.zone_minutes.value_or(0)} +
                  std::chrono::seconds{p.second} + std::chrono::microseconds{p.micro};
  return WrittenDate{at, p.zone_minutes.has_value()};
}

// "+0100", "-05:00", "+1"
std::optional<int> offset(std::string_view text) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  std::string digits;
  for (const char c : text.substr(1)) {
    if (is_digit(c)) digits += c;
    if (!is_digit(c) && c != ':') return std::nullopt;
  }
  if (digits.empty() || digits.size() > 4) return std::nullopt;
  if (digits.size() <= 2) digits += "00";
  const int value = *number(digits);
  const int minutes = value / 100 * 60 + value % 100;
  if (minutes > 15 * 60) return std::nullopt;
  return text[0] == '-' ? -minutes : minutes;
}

std::optional<int> zone(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, int>, 15> names{{{"gmt", 0},
                                                                           {"ut", 0},
                                                                           {"utc", 0},
                                                                           {"z", 0},
                                                                           {"est", -300},
                                                                           {"edt", -240},
                                                                           {"cst", -360},
                                                                           {"cdt", -300},
                                                                           {"mst", -420},
                                                                           {"mdt", -360},
                                                                           {"pst", -480},
                                                                           {"pdt", -420},
                                                                           {"cet", 60},
                                                                           {"cest", 120},
                                                                           {"bst", 60}}};
  if (const auto minutes = offset(text)) return minutes;
  const auto name = lower(text);
  const auto found = std::ranges::find(names, name, &std::pair<std::string_view, int>::first);
  if (found != names.end()) return found->second;
  for (const std::string_view start : {"gmt", "utc"}) {  // GMT+1
    if (name.starts_with(start)) return offset(std::string_view(name).substr(3));
  }
  return std::nullopt;
}

// "19:48", "19:48:21.5", "7:48pm"
bool clock_time(std::string_view text, Parts& parts) {
  for (const std::string_view half : {"am", "pm"}) {
    if (!lower(text).ends_with(half)) continue;
    parts.afternoon = half == "pm";
    text.remove_suffix(2);
  }
  std::array<int*, 3> to{&parts.hour, &parts.minute, &parts.second};
  std::size_t at = 0;
  while (at < to.size()) {
    const auto end = std::min(text.find(':'), text.find('.'));
    const auto value = number(text.substr(0, end));
    if (!value || *value < 0 || *value > 60) return false;
    *to[at++] = *value;
    if (end == std::string_view::npos) return at >= 2;
    if (text[end] == '.') {
      auto fraction = std::string(text.substr(end + 1, 6));
      if (!std::ranges::all_of(fraction, is_digit)) return false;
      fraction.resize(6, '0');
      parts.micro = *number(fraction);
      return at >= 2;
    }
    text.remove_prefix(end + 1);
  }
  return false;
}

std::optional<int> month(std::string_view word) {
  static constexpr std::array<std::string_view, 12> names{
      "january", "february", "march",     "april",   "may",      "june",
      "july",    "august",   "september", "october", "november", "december"};
  const auto name = lower(word);
  if (name.size() < 3) return std::nullopt;
  for (std::size_t at = 0; at < names.size(); ++at) {
    if (names[at].starts_with(name) || (at == 8 && name == "sept")) return static_cast<int>(at + 1);
  }
  return std::nullopt;
}

// 2004-01-01T19:48:21Z and what lacks parts of it: 2004-01, 20040101, 2004-01-01 19:48.
std::optional<WrittenDate> iso(std::string_view text) {
  Parts parts;
  const auto split = text.find_first_of("Tt ");
  auto date = text.substr(0, split);
  std::string digits;
  for (const char c : date) {
    if (is_digit(c)) digits += c;
    if (!is_digit(c) && c != '-') return std::nullopt;
  }
  if (digits.size() != 4 && digits.size() != 6 && digits.size() != 8) return std::nullopt;
  parts.year = *number(std::string_view(digits).substr(0, 4));
  parts.month = digits.size() > 4 ? *number(std::string_view(digits).substr(4, 2)) : 1;
  parts.day = digits.size() > 6 ? *number(std::string_view(digits).substr(6, 2)) : 1;
  if (split == std::string_view::npos) return together(parts);
  auto rest = text.substr(split + 1);
  const auto at = rest.find_first_of("Zz+- ");
  if (!clock_time(rest.substr(0, at), parts)) return std::nullopt;
  if (at != std::string_view::npos) {
    rest.remove_prefix(at);
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    const auto minutes = zone(rest);
    if (!minutes) return std::nullopt;
    parts.zone_minutes = *minutes;
  }
  return together(parts);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto start = text.find_first_not_of(" ,\t\r\n");
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const auto word = text.substr(0, text.find_first_of(" ,\t\r\n"));
    text.remove_prefix(word.size());
    // 01-Jan-2004
    const auto first = word.find('-');
    const auto second = word.find('-', first + 1);
    if (first != std::string_view::npos && first > 0 && second != std::string_view::npos &&
        is_letter(word[first + 1])) {
      out.push_back(word.substr(0, first));
      out.push_back(word.substr(first + 1, second - first - 1));
      out.push_back(word.substr(second + 1));
    } else {
      out.push_back(word);
    }
  }
  return out;
}

// A date with the month as a word, its parts in any order.
std::optional<WrittenDate> worded(std::string_view text) {
  Parts parts;
  int day = -1;
  bool timed = false;
  for (auto word : words_of(text)) {
    if (parts.month < 0 && is_letter(word[0]) && month(word)) {
      parts.month = *month(word);
    } else if (word.find(':') != std::string_view::npos && is_digit(word[0])) {
      if (timed || !clock_time(word, parts)) return std::nullopt;
      timed = true;
    } else if (lower(word) == "am" || lower(word) == "pm") {
      parts.afternoon = lower(word) == "pm";
    } else if (is_digit(word[0])) {
      for (const std::string_view ending : {"st", "nd", "rd", "th"}) {
        if (word.ends_with(ending)) word.remove_suffix(2);
      }
      const auto value = number(word);
      if (!value) return std::nullopt;
      if (day < 0 && *value <= 31 && word.size() <= 2) {
        day = *value;
      } else if (parts.year < 0) {
        parts.year = word.size() > 2 ? *value : *value + (*value < 70 ? 2000 : 1900);
      } else {
        return std::nullopt;
      }
    } else if (timed) {
      if (const auto minutes = zone(word)) parts.zone_minutes = *minutes;
    }
  }
  if (parts.month < 0 || parts.year < 0 || day < 0) return std::nullopt;
  parts.day = day;
  return together(parts);
}

}  // namespace

std::optional<WrittenDate> read_date(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text.size() > 200) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
  if (const auto at = parse_rfc3339(text)) {
    return WrittenDate{*at, true};
  }
  if (const auto at = iso(text)) return at;
  return worded(text);
}

std::optional<TimePoint> parse_date(std::string_view text) {
  const auto read = read_date(text);
  if (!read) return std::nullopt;
  return read->at;
}

}  // namespace vigil::entities::feeds
