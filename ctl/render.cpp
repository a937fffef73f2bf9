#include "ctl/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

namespace vigil::ctl {
namespace {

struct Decoded {
  char32_t point = 0;
  std::size_t length = 1;
};

// The first code point of text that is valid UTF-8.
Decoded decode(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(i < text.size() ? text[i] : 0));
  };
  const char32_t lead = at(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {((lead & 0x1F) << 6) | (at(1) & 0x3F), 2};
  if (lead < 0xF0) return {((lead & 0x0F) << 12) | ((at(1) & 0x3F) << 6) | (at(2) & 0x3F), 3};
  return {((lead & 0x07) << 18) | ((at(1) & 0x3F) << 12) | ((at(2) & 0x3F) << 6) | (at(3) & 0x3F),
          4};
}

// Moves the cursor, hides or reorders text: nothing a stranger's text may do to a terminal.
bool is_dangerous(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x200E || point == 0x200F ||
         (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) ||
         point == 0x2028 || point == 0x2029 || point == 0xFEFF;
}

std::size_t width_of(char32_t point) {
  struct Range {
    char32_t first, last;
  };
  constexpr std::array zero{Range{0x0300, 0x036F}, Range{0x200B, 0x200D}, Range{0x20D0, 0x20FF},
                            Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}};
  constexpr std::array wide{Range{0x1100, 0x115F},   Range{0x2E80, 0xA4CF},
                            Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},
                            Range{0xFE30, 0xFE6F},   Range{0xFF00, 0xFF60},
                            Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F},
                            Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD}};
  const auto in = [point](const Range& range) {
    return point >= range.first && point <= range.last;
  };
  if (std::ranges::any_of(zero, in)) return 0;
  return std::ranges::any_of(wide, in) ? 2 : 1;
}

enum class Lines { joined, kept };

std::string made_safe(std::string_view foreign, Lines lines) {
  const auto valid = to_valid_utf8(foreign);
  std::string_view rest = valid;
  std::string out;
  while (!rest.empty()) {
    const auto [point, length] = decode(rest);
    if (point == '\n' && lines == Lines::kept) {
      out += '\n';
    } else if (point == '\n' || point == '\t' || point == '\r') {
      if (point != '\r') out += ' ';
    } else if (is_dangerous(point)) {
      out += point < 0x100 ? fmt::format("\\x{:02x}", static_cast<unsigned>(point))
                           : fmt::format("\\u{:04x}", static_cast<unsigned>(point));
    } else {
      out += rest.substr(0, length);
    }
    rest.remove_prefix(length);
  }
  return out;
}

const char* code_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::dim:
      return "\033[2m";
    case Tone::good:
      return "\033[32m";
    case Tone::warn:
      return "\033[33m";
    case Tone::bad:
      return "\033[31m";
    case Tone::title:
      return "\033[1m";
  }
  return "";
}

}  // namespace

std::string toned(std::string_view text, Tone tone, const Style& style) {
  if (!style.color || tone == Tone::plain || text.empty()) return std::string(text);
  return std::string(code_of(tone)) + std::string(text) + "\033[0m";
}

Tone tone_of(std::string_view state) {
  constexpr std::array<std::string_view, 9> good{"done",  "delivered", "acted",   "ok",  "awake",
                                                 "ready", "running",   "sending", "open"};
  constexpr std::array<std::string_view, 3> bad{"failed", "dead", "unknown"};
  constexpr std::array<std::string_view, 7> warn{
      "proposed", "paused", "over_budget", "absent", "cooling_down", "throttled", "cancelled"};
  constexpr std::array<std::string_view, 7> dim{"ignored", "skipped",    "closed", "denied",
                                                "expired", "superseded", "dropped"};
  if (std::ranges::find(good, state) != good.end()) return Tone::good;
  if (std::ranges::find(bad, state) != bad.end()) return Tone::bad;
  if (std::ranges::find(warn, state) != warn.end()) return Tone::warn;
  if (std::ranges::find(dim, state) != dim.end()) return Tone::dim;
  return Tone::plain;
}

std::string safe(std::string_view foreign) { return made_safe(foreign, Lines::joined); }
std::string safe_lines(std::string_view foreign) { return made_safe(foreign, Lines::kept); }

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    if (text.starts_with("\033[")) {
      const auto end = text.find('m');
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      continue;
    }
    const auto [point, length] = decode(text);
    width += width_of(point);
    text.remove_prefix(std::min(length, text.size()));
  }
  return width;
}

std::string cut(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::string out;
  std::size_t width = 0;
  while (!text.empty()) {
    const auto [point, length] = decode(text);
    if (width + width_of(point) > columns - 1) break;
    width += width_of(point);
    out += text.substr(0, length);
    text.remove_prefix(std::min(length, text.size()));
  }
  return out + "…";
}

std::string relative(TimePoint at, TimePoint now) {
  using namespace std::chrono_literals;
  const auto distance = at > now ? at - now : now - at;
  if (distance < 1s) return "now";
  // One unit is enough from a minute on: nobody counts the seconds of an hour ago.
  const auto seconds = std::chrono::floor<std::chrono::seconds>(distance);
  Duration shown = seconds;
  if (seconds >= 48h) {
    shown = std::chrono::floor<std::chrono::days>(seconds);
  } else if (seconds >= 1h) {
    shown = std::chrono::floor<std::chrono::minutes>(seconds);
  } else if (seconds >= 10min) {
    shown = std::chrono::floor<std::chrono::minutes>(seconds);
  }
  const auto text = vigil::to_text(shown);
  return at > now ? "in " + text : text + " ago";
}

std::string relative_at(const json::value& value, std::string_view path, const Style& style) {
  const auto text = find_text(value, path);
  if (!text) return "";
  const auto at = parse_rfc3339(*text);
  return at ? relative(*at, style.now) : safe(*text);
}

std::string bytes_text(std::int64_t bytes) {
  constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < units.size()) {
    size /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, units[unit]);
}

std::string duration_at(const json::value& value, std::string_view path) {
  const auto us = find_integer(value, path);
  return us ? vigil::to_text(Duration{*us}) : "";
}

std::string text_at(const json::value& value, std::string_view path) {
  const auto* found = find_path(value, path);
  if (found == nullptr || found->is_null()) return "";
  if (found->is_string()) return safe(found->get_string());
  if (found->is_double()) return fmt::format("{:g}", found->get_double());  // not 1E0
  return safe(vigil::to_text(*found));
}

std::int64_t number_at(const json::value& value, std::string_view path) {
  return find_integer(value, path).value_or(0);
}

const json::array& array_at(const json::value& value, std::string_view path) {
  static const json::array none;
  const auto* found = find_path(value, path);
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

void Table::row(std::vector<Cell> cells) {
  cells.resize(columns_.size(), Cell(""));
  rows_.push_back(std::move(cells));
}

std::string Table::text(const Style& style) const {
  constexpr std::size_t gap = 2;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i].text));
    const auto most = columns_[i].width_max;
    widths.push_back(most > 0 && style.width > 0 ? std::min(width, most) : width);
  }
  if (style.width > 0 && !widths.empty()) {
    std::size_t before = 0;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) before += widths[i] + gap;
    const auto room = static_cast<std::size_t>(style.width);
    constexpr std::size_t least = 10;  // a narrower column says nothing: let the line wrap
    widths.back() = std::min(widths.back(), room > before + least ? room - before : least);
  }
  std::string out;
  const auto line = [&](auto text_of, auto tone_of_cell) {
    std::string row;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto shown = cut(text_of(i), widths[i]);
      const std::string pad(widths[i] - std::min(widths[i], display_width(shown)), ' ');
      const auto colored = toned(shown, tone_of_cell(i), style);
      row += columns_[i].align == Align::right ? pad + colored : colored + pad;
      if (i + 1 < columns_.size()) row += std::string(gap, ' ');
    }
    while (row.ends_with(' ')) row.pop_back();
    out += row + "\n";
  };
  line([&](std::size_t i) { return columns_[i].title; }, [](std::size_t) { return Tone::title; });
  for (const auto& row : rows_) {
    line([&](std::size_t i) { return row[i].text; }, [&](std::size_t i) { return row[i].tone; });
  }
  return out;
}

std::string bar(double share, int columns) {
  constexpr std::array<std::string_view, 8> parts{"·", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * columns * 8));
  std::string out;
  for (int i = 0; i < columns; ++i) {
    const int left = eighths - i * 8;
    out += left >= 8 ? "█" : parts[static_cast<std::size_t>(std::max(left, 0))];
  }
  return out;
}

}  // namespace vigil::ctl
