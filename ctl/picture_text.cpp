// The chart for a terminal. What a bar is made of says what it was, without colour.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "ctl/pages.hpp"
#include "ctl/picture.hpp"

namespace vigil::ctl {
namespace {

constexpr std::size_t rows_max = 40;  // unless everything is asked for

struct Layout {
  std::size_t name = 0;
  std::size_t bar = 0;
  std::size_t took = 0;
  std::size_t rest = 0;  // for remarks; 0: as long as they are
  double columns_per_us = 0;

  std::size_t place(Duration at) const {
    const auto column = std::lround(static_cast<double>(at.count()) * columns_per_us);
    return static_cast<std::size_t>(std::clamp<long>(column, 0, static_cast<long>(bar)));
  }
};

struct Mark {
  std::string_view glyph;
  Tone tone;
  std::string_view meaning;
};
constexpr Mark plain_work{"━", Tone::good, "done"};
constexpr Mark critical_work{"█", Tone::title, "on the longest chain"};
constexpr Mark running_work{"╸", Tone::plain, "runs"};
constexpr Mark guessed_work{"┅", Tone::good, "worked on a guess"};
constexpr Mark guessed_critical{"▓", Tone::title, "the same on the longest chain"};
constexpr Mark wasted_work{"░", Tone::warn, "wasted attempts (how long)"};
constexpr Mark failed_work{"×", Tone::bad, "failed"};
constexpr Mark cancelled_work{"╌", Tone::warn, "cancelled"};
constexpr Mark reused_result{"◇", Tone::good, "took an earlier result"};
constexpr Mark interface_mark{"◆", Tone::plain, "published its interface"};
constexpr const Mark* all_marks[]{&plain_work,       &critical_work, &running_work, &guessed_work,
                                  &guessed_critical, &wasted_work,   &failed_work,  &cancelled_work,
                                  &reused_result,    &interface_mark};

const Mark* work_mark(const PictureTask& task) {
  if (task.state == "failed") return &failed_work;
  if (task.state == "cancelled") return &cancelled_work;
  if (task.state == "running") return &running_work;
  return task.critical ? &critical_work : &plain_work;
}

std::vector<const Mark*> cells_of(const PictureTask& task, const Layout& layout) {
  std::vector<const Mark*> cells(layout.bar, nullptr);
  if (!task.has_run() || layout.bar == 0) return cells;
  // The shortest task can be seen too.
  const auto from = std::min(layout.place(task.from), layout.bar - 1);
  const auto to = std::max(layout.place(task.to()), from + 1);
  if (task.wasted > Duration{0}) {
    const auto before = layout.place(std::max(Duration{0}, task.from - task.wasted));
    for (auto i = std::min(before, from > 0 ? from - 1 : 0); i < from; ++i) cells[i] = &wasted_work;
  }
  for (auto i = from; i < to; ++i) cells[i] = work_mark(task);
  if (task.guess > Duration{0} && task.state == "done") {
    const auto* guessed = task.critical ? &guessed_critical : &guessed_work;
    const auto until = std::max(layout.place(task.from + task.guess), from + 1);
    for (auto i = from; i < std::min(until, to); ++i) cells[i] = guessed;
  }
  if (task.is_reused()) cells[from] = &reused_result;
  if (task.interface_after > Duration{0}) {
    cells[std::clamp(layout.place(task.from + task.interface_after), from, to - 1)] =
        &interface_mark;
  }
  return cells;
}

std::string bar_text(const std::vector<const Mark*>& cells, const Style& style) {
  std::string out;
  for (std::size_t i = 0; i < cells.size();) {
    auto end = i;
    std::string run;
    while (end < cells.size() && cells[end] == cells[i]) {
      run += cells[i] == nullptr ? " " : cells[i]->glyph;
      ++end;
    }
    out += cells[i] == nullptr ? run : toned(run, cells[i]->tone, style);
    i = end;
  }
  return out;
}

std::string name_of(const PictureTask& task) {
  constexpr int depth_max = 6;
  const auto indent =
      std::string(2 * static_cast<std::size_t>(std::min(task.depth, depth_max)), ' ');
  // Children carry their parent's name in front, which the indentation says already.
  std::string_view name = task.name;
  if (task.depth > 0 && name.starts_with(task.parent + "/")) name.remove_prefix(task.parent.size());
  return std::string(task.critical ? "* " : "  ") + indent + std::string(name);
}

// What is folded away is what says least: children before others, and neither failures nor the
// longest chain.
std::vector<const PictureTask*> shown_of(const Picture& picture, Fold fold) {
  std::vector<const PictureTask*> out;
  for (const auto& task : picture.tasks) out.push_back(&task);
  if (fold == Fold::nothing || out.size() <= rows_max) return out;
  const auto rank = [](const PictureTask* task) {
    if (task->state == "failed") return 0;
    if (task->critical) return 1;
    if (task->state == "running") return 2;
    return task->depth == 0 ? 3 : 4;
  };
  auto ranked = out;
  // Among equals the longest say most.
  std::ranges::sort(ranked, {},
                    [&](const auto* task) { return std::tuple(rank(task), -task->took, task); });
  ranked.resize(rows_max);
  std::ranges::sort(ranked);  // their order in the picture again
  return ranked;
}

Layout layout_of(const std::vector<const PictureTask*>& shown, Duration length,
                 const Style& style) {
  constexpr std::size_t width_unknown = 100;
  const auto width = std::max<std::size_t>(
      style.width > 0 ? static_cast<std::size_t>(style.width) : width_unknown, 40);
  Layout out;
  std::size_t remark = 0;
  for (const auto* task : shown) {
    out.name = std::max(out.name, display_width(name_of(*task)));
    out.took = std::max(out.took, display_width(took_text(*task)));
    remark = std::max(remark, display_width(remarks(*task)));
  }
  out.name = std::min(out.name, std::clamp<std::size_t>(width / 3, 12, 34));
  constexpr std::size_t gaps = 6;
  const auto left = width - std::min(width, out.name + out.took + gaps);
  out.rest = std::min(remark, left / 3);
  out.bar = std::max<std::size_t>(left - out.rest, 8);
  if (style.width == 0) out.rest = 0;
  out.columns_per_us =
      static_cast<double>(out.bar) / static_cast<double>(std::max<std::int64_t>(length.count(), 1));
  return out;
}

// Two lines: the times, and where they are.
std::string axis_text(Duration length, const Layout& layout, const Style& style) {
  constexpr std::size_t columns_per_tick = 9;
  const auto at = ticks(length, static_cast<int>(layout.bar / columns_per_tick));
  std::string times;
  std::vector<std::string_view> line(layout.bar + 1, "─");
  for (const auto time : at) {
    const auto place = layout.place(time);
    line[place] = place == 0 ? "├" : "┼";
    if (times.size() > place || place + tick_text(time).size() > layout.bar + 4) continue;
    times += std::string(place - times.size(), ' ') + tick_text(time) + " ";
  }
  if (!times.empty()) times.pop_back();
  std::string rule;
  for (const auto glyph : line) rule += glyph;
  const std::string margin(layout.name + 2, ' ');
  return margin + toned(times, Tone::dim, style) + "\n" + margin + toned(rule, Tone::dim, style) +
         "\n";
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, display_width(text)), ' ');
}

std::string legend_text(const std::vector<const Mark*>& used, const Style& style) {
  std::string out;
  std::string line;
  const auto width = static_cast<std::size_t>(style.width > 0 ? style.width : 100);
  for (const auto* mark : all_marks) {
    if (std::ranges::find(used, mark) == used.end()) continue;
    const auto text = fmt::format("{} {}", mark->glyph, mark->meaning);
    if (!line.empty() && display_width(line) + display_width(text) + 3 > width) {
      out += toned(line, Tone::dim, style) + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : "   ") + text;
  }
  return line.empty() ? out : out + toned(line, Tone::dim, style) + "\n";
}

std::string thousands(std::size_t count) {
  auto out = fmt::format("{}", count);
  for (auto i = static_cast<std::ptrdiff_t>(out.size()) - 3; i > 0; i -= 3) {
    out.insert(static_cast<std::size_t>(i), ",");
  }
  return out;
}

}  // namespace

std::string chart_text(const Picture& picture, const Style& style, Fold fold) {
  if (picture.tasks.empty()) return "";
  const auto shown = shown_of(picture, fold);
  const auto layout = layout_of(shown, picture.length, style);
  std::string out = axis_text(picture.length, layout, style);
  std::vector<const Mark*> used;
  for (const auto* task : shown) {
    const auto cells = cells_of(*task, layout);
    for (const auto* cell : cells) {
      if (cell != nullptr && std::ranges::find(used, cell) == used.end()) used.push_back(cell);
    }
    const auto remark = remarks(*task);
    const auto took = took_text(*task);
    auto line = padded(cut(name_of(*task), layout.name), layout.name) + "  " +
                bar_text(cells, style) + "  " +
                std::string(layout.took - std::min(layout.took, display_width(took)), ' ') + took;
    if (!remark.empty()) {
      const auto tone = task->state == "failed" ? Tone::bad : Tone::dim;
      const auto said = layout.rest > 0 ? cut(remark, layout.rest) : remark;
      line += "  " + toned(said, tone, style);
    }
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  if (shown.size() < picture.tasks.size()) {
    out += fmt::format("... {} tasks more; --all shows them, --html FILE draws them\n",
                       thousands(picture.tasks.size() - shown.size()));
  }
  return out + legend_text(used, style);
}

}  // namespace vigil::ctl
