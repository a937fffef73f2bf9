#pragma once
// Text for a terminal: tables, bars, times as people say them. Pure. Everything foreign goes
// through safe() before it is shown.
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::ctl {

struct Style {
  bool color = false;
  int width = 0;  // columns; 0: not a terminal, nothing is cut
  TimePoint now;  // what "3m ago" is counted from
};

enum class Tone { plain, dim, good, warn, bad, title };
std::string toned(std::string_view text, Tone tone, const Style& style);
// done, delivered, acted... good; failed, dead... bad; what waits for somebody warn.
Tone tone_of(std::string_view state);

// On one line and harmless: control characters (C0, C1), bidirectional overrides and malformed
// bytes become visible escapes, line ends blanks.
std::string safe(std::string_view foreign);
// The same for text of several lines: line ends stay.
std::string safe_lines(std::string_view foreign);

// Columns it takes; escape sequences for colour take none.
std::size_t display_width(std::string_view text);
// At most that many columns, with an ellipsis where it was cut.
std::string cut(std::string_view text, std::size_t columns);

std::string relative(TimePoint at, TimePoint now);  // "3m ago", "in 2h", "now"
std::string relative_at(const json::value& value, std::string_view path, const Style& style);
std::string bytes_text(std::int64_t bytes);                                // "1.5 MiB"
std::string duration_at(const json::value& value, std::string_view path);  // "" when absent

// What stands at the path, as one safe line; "" when absent or null.
std::string text_at(const json::value& value, std::string_view path);
std::int64_t number_at(const json::value& value, std::string_view path);
const json::array& array_at(const json::value& value, std::string_view path);  // empty if absent

struct Cell {
  Cell(std::string content, Tone how = Tone::plain) : text(std::move(content)), tone(how) {}
  Cell(const char* content) : text(content) {}
  std::string text;
  Tone tone = Tone::plain;
};
enum class Align { left, right };

// Aligned columns under a title line. The last column is cut where the terminal ends.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::left;
    std::size_t width_max = 0;  // 0: as wide as it needs
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void row(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }
  std::string text(const Style& style) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// "████▌·····" of that many columns; share from 0 to 1.
std::string bar(double share, int columns);

}  // namespace vigil::ctl
