#include "daemon/ingress/cron.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vigil::ingress {
namespace {

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed",
                                                        "thu", "fri", "sat"};
constexpr std::array days_of_month{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

struct Field {
  std::string_view name;
  int least;
  int most;
  std::span<const std::string_view> names;  // the first stands for `least`
  std::string_view example;
};
constexpr std::array fields{
    Field{"minute", 0, 59, {}, "0, 15-45, */10 or 5,35"},
    Field{"hour", 0, 23, {}, "7, 9-17, */2 or 6,18"},
    Field{"day of the month", 1, 31, {}, "1, 10-20, */7 or 1,15"},
    Field{"month", 1, 12, month_names, "1, jan-mar, */3 or jan,jul"},
    Field{"day of the week", 0, 7, weekday_names, "mon, mon-fri, */2 or sat,sun"}};

struct Macro {
  std::string_view name;
  std::string_view stands_for;
};
constexpr std::array macros{Macro{"@hourly", "0 * * * *"},   Macro{"@daily", "0 0 * * *"},
                            Macro{"@midnight", "0 0 * * *"}, Macro{"@weekly", "0 0 * * 0"},
                            Macro{"@monthly", "0 0 1 * *"},  Macro{"@yearly", "0 0 1 1 *"},
                            Macro{"@annually", "0 0 1 1 *"}};

struct Word {
  std::string_view text;
  std::size_t column;  // from 1
};

// Of any character: a word that is not ASCII never equals a name.
std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

std::vector<Word> split_words(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  std::vector<Word> words;
  for (std::size_t i = 0; i < text.size();) {
    if (is_blank(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && !is_blank(text[end])) ++end;
    words.push_back({text.substr(i, end - i), i + 1});
    i = end;
  }
  return words;
}

std::vector<Word> split_items(const Word& word) {
  std::vector<Word> items;
  std::size_t begin = 0;
  while (true) {
    const auto end = word.text.find(',', begin);
    items.push_back({word.text.substr(begin, end - begin), word.column + begin});
    if (end == std::string_view::npos) return items;
    begin = end + 1;
  }
}

std::optional<int> parse_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool digits = !text.empty() && text.front() >= '0' && text.front() <= '9';
  if (!digits || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> parse_point(const Field& field, std::string_view text) {
  const auto name = std::ranges::find(field.names, lower_case(text));
  if (name != field.names.end()) {
    return field.least + static_cast<int>(name - field.names.begin());
  }
  const auto value = parse_number(text);
  return value && *value >= field.least && *value <= field.most ? value : std::nullopt;
}

std::unexpected<Error> refuse(const Field& field, const Word& item, std::string_view why) {
  return fail(ErrorCode::invalid_input,
              fmt::format("column {}: \"{}\" is no {}: {}; write something like {}", item.column,
                          item.text, field.name, why, field.example));
}

// `*`, `7`, `1-5`, each perhaps with `/2` behind it; `7/2` means from 7 to the end.
template <std::size_t Size>
Result<void> add_item(const Field& field, const Word& item, std::bitset<Size>& into) {
  auto text = item.text;
  int step = 1;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto given = parse_number(text.substr(slash + 1));
    if (!given || *given < 1 || *given > field.most) {
      return refuse(field, item, fmt::format("a step is 1 to {}", field.most));
    }
    step = *given;
    text = text.substr(0, slash);
  }
  int from = field.least;
  // The week's days are counted once: 7 is another name of 0.
  int to = static_cast<int>(Size) == 8 && text == "*" ? 6 : field.most;
  if (text != "*") {
    const auto dash = text.find('-');
    const auto first = parse_point(field, text.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : parse_point(field, text.substr(dash + 1));
    if (!first || !last) {
      return refuse(field, item, fmt::format("it goes from {} to {}", field.least, field.most));
    }
    from = *first;
    if (dash != std::string_view::npos || slash == std::string_view::npos) to = *last;
    const bool until_sunday = Size == 8 && to == 0 && from > to;  // fri-sun
    if (until_sunday) to = 7;
    if (from > to) return refuse(field, item, "the range runs backwards");
  }
  for (int value = from; value <= to; value += step) into.set(static_cast<std::size_t>(value));
  return {};
}

template <std::size_t Size>
Result<void> read_field(const Field& field, const Word& word, std::bitset<Size>& into) {
  for (const auto& item : split_items(word)) {
    if (auto added = add_item(field, item, into); !added) return added;
  }
  return {};
}

bool fits_some_day(const Cron& cron) {
  if (!cron.any_day && !cron.any_weekday) return true;  // a weekday comes every week
  for (int month = 1; month <= 12; ++month) {
    if (!cron.months[month]) continue;
    for (int day = 1; day <= days_of_month[month - 1]; ++day) {
      if (cron.days[day]) return true;
    }
  }
  return false;
}

Result<std::string_view> expand(std::string_view text) {
  if (!text.starts_with('@')) return text;
  const auto name = lower_case(text);
  const auto macro = std::ranges::find(macros, name, &Macro::name);
  if (macro != macros.end()) return macro->stands_for;
  return fail(ErrorCode::invalid_input,
              fmt::format("there is no \"{}\": @hourly, @daily, @midnight, @weekly, @monthly, "
                          "@yearly and @annually exist; for a fixed pause use every = \"15m\"",
                          text));
}

}  // namespace

bool Cron::fits_day(int month, int day, int weekday) const {
  if (!months[month]) return false;
  if (any_day || any_weekday) return days[day] && weekdays[weekday];
  return days[day] || weekdays[weekday];
}

Result<Cron> parse_cron(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  const auto expanded = expand(text);
  if (!expanded) return std::unexpected(expanded.error());
  const auto words = split_words(*expanded);
  if (words.size() != fields.size()) {
    return fail(ErrorCode::invalid_input,
                fmt::format("\"{}\" has {} fields: expected five, minute hour day month weekday, "
                            "like \"30 7 * * mon-fri\"",
                            text, words.size()));
  }
  Cron cron;
  std::bitset<8> weekdays;
  auto read = read_field(fields[0], words[0], cron.minutes);
  if (read) read = read_field(fields[1], words[1], cron.hours);
  if (read) read = read_field(fields[2], words[2], cron.days);
  if (read) read = read_field(fields[3], words[3], cron.months);
  if (read) read = read_field(fields[4], words[4], weekdays);
  if (!read) return std::unexpected(std::move(read.error()));
  for (std::size_t day = 0; day < 7; ++day) cron.weekdays[day] = weekdays[day];
  if (weekdays[7]) cron.weekdays.set(0);
  cron.any_hour = words[1].text.starts_with('*');
  cron.any_day = words[2].text.starts_with('*');
  cron.any_weekday = words[4].text.starts_with('*');
  if (!fits_some_day(cron)) {
    return fail(ErrorCode::invalid_input,
                fmt::format("\"{}\" never fires: no such month has such a day; change the day of "
                            "the month or the month",
                            text));
  }
  return cron;
}

}  // namespace vigil::ingress
