// What the tasks of a swarm answered.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "ctl/pages.hpp"
#include "ctl/picture.hpp"

namespace vigil::ctl {
namespace {

constexpr std::size_t tasks_max = 40;  // unless everything is asked for
constexpr std::size_t lines_max = 6;   // of one answer, the same

// A text as it is, a small value on one line, a large one with a member on each.
std::string written(const json::value& result, const Style& style) {
  if (result.is_string()) return safe_lines(result.get_string());
  const auto brief = to_text(result);
  const auto room = style.width > 0 ? static_cast<std::size_t>(style.width) : 100;
  if (brief.size() + 4 <= room) return safe(brief);
  return safe_lines(to_pretty_text(result));
}

std::string block(std::string text, const Style& style, Fold fold) {
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty()) return toned("    (nothing)", Tone::dim, style) + "\n";
  std::string out;
  std::size_t count = 0;
  std::size_t hidden = 0;
  for (std::size_t from = 0; from <= text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    if (fold == Fold::nothing || count < lines_max) {
      const auto line = "    " + text.substr(from, end - from);
      out += (style.width > 0 ? cut(line, static_cast<std::size_t>(style.width)) : line) + "\n";
      ++count;
    } else {
      ++hidden;
    }
    from = end + 1;
  }
  if (hidden > 0) {
    out += toned(fmt::format("    and {} (--all)",
                             count_text(static_cast<std::int64_t>(hidden), "line")),
                 Tone::dim, style) +
           "\n";
  }
  return out;
}

}  // namespace

std::string results_page(const json::value& swarm, const Style& style, Fold fold) {
  std::string out;
  std::size_t shown = 0;
  std::size_t hidden = 0;
  for (const auto& task : array_at(swarm, "tasks")) {
    const auto* result = find_path(task, "result");
    const bool answered = result != nullptr && !result->is_null();
    if (!answered) continue;
    if (fold == Fold::long_lists && shown >= tasks_max) {
      ++hidden;
      continue;
    }
    ++shown;
    auto name = text_at(task, "name");
    if (const auto state = text_at(task, "state"); state != "done") name += " (" + state + ")";
    if (const auto lost = number_at(task, "output_cut_bytes"); lost > 0) {
      name += fmt::format(" ({} of its output not kept)", bytes_text(lost));
    }
    out +=
        toned("  " + name, Tone::title, style) + "\n" + block(written(*result, style), style, fold);
  }
  if (hidden > 0) {
    out += toned(fmt::format("  and {} more (--all)", hidden), Tone::dim, style) + "\n";
  }
  if (out.empty()) {
    return toned("no task has answered anything", Tone::dim, style) + "\n";
  }
  return toned("what the tasks answered", Tone::title, style) + "\n" + out;
}

}  // namespace vigil::ctl
