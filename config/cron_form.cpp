#include "config/cron_form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <vector>

namespace vigil::config {
namespace {

constexpr std::array<std::string_view, 12> months{"jan", "feb", "mar", "apr", "may", "jun",
                                                  "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> macros{"@hourly",  "@daily",  "@midnight", "@weekly",
                                                 "@monthly", "@yearly", "@annually"};
constexpr std::array<std::string_view, 7> weekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  int least;
  int most;
  std::span<const std::string_view> words;  // the first stands for `least`
};
constexpr std::array fields{Field{"minute", 0, 59, {}}, Field{"hour", 0, 23, {}},
                            Field{"day of the month", 1, 31, {}}, Field{"month", 1, 12, months},
                            Field{"day of the week", 0, 7, weekdays}};

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    if (text.empty()) return words;
    words.push_back(text.substr(0, text.find_first_of(" \t")));
    text.remove_prefix(words.back().size());
  }
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return lower;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> point(const Field& field, std::string_view text) {
  const auto word = std::ranges::find(field.words, lower_case(text));
  if (word != field.words.end()) return field.least + static_cast<int>(word - field.words.begin());
  const auto value = number(text);
  return value && *value >= field.least && *value <= field.most ? value : std::nullopt;
}

// `*`, `7`, `1-5`, each perhaps with `/2` behind it.
bool is_item(const Field& field, std::string_view item) {
  const auto slash = item.find('/');
  if (slash != std::string_view::npos) {
    const auto step = number(item.substr(slash + 1));
    if (!step || *step < 1 || *step > field.most) return false;
    item = item.substr(0, slash);
  }
  if (item == "*") return true;
  const auto dash = item.find('-');
  const auto from = point(field, item.substr(0, dash));
  if (dash == std::string_view::npos) return from.has_value();
  auto to = point(field, item.substr(dash + 1));
  if (field.most == 7 && to == 0) to = 7;  // fri-sun: the week may end with Sunday
  return from && to && *from <= *to;
}

}  // namespace

std::optional<std::string> why_not_cron(std::string_view text) {
  const auto parts = words_of(text);
  const bool is_macro =
      parts.size() == 1 && std::ranges::find(macros, lower_case(parts[0])) != macros.end();
  if (is_macro) return std::nullopt;
  if (parts.size() != fields.size()) {
    return fmt::format(
        "expected five fields, minute hour day month weekday, like \"30 7 * * mon-fri\", "
        "or one of @hourly, @daily, @weekly, @monthly, @yearly; \"{}\" has {}",
        text, parts.size());
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    for (const auto item : split(parts[i], ',')) {
      if (is_item(fields[i], item)) continue;
      return fmt::format("the {} is {} to {}, a range like {}-{}, * or */2, not \"{}\"",
                         fields[i].name, fields[i].least, fields[i].most, fields[i].least,
                         fields[i].least + 3, item);
    }
  }
  return std::nullopt;
}

}  // namespace vigil::config
