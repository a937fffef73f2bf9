#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "ctl/pages.hpp"
#include "ctl/picture.hpp"

namespace vigil::ctl {
namespace {

std::string speedup_text(const json::value& row) {
  const auto* speedup = find_path(row, "speedup");
  if (speedup == nullptr || !speedup->is_number()) return "";
  return fmt::format("{:.1f}x", speedup->to_number<double>());
}

std::string title_of(const json::value& swarm, const Style& style) {
  const auto state = text_at(swarm, "state");
  const auto place = place_of(swarm);
  return toned("swarm " + text_at(swarm, "id"), Tone::title, style) + " " +
         toned(state, tone_of(state), style) + ": " + text_at(swarm, "title") +
         (place.empty() ? "" : " for " + place) + "\n";
}

}  // namespace

std::string swarms_page(const json::value& answer, const Style& style) {
  Table table({{"ID", Align::right},
               {"STATE"},
               {"ENTITY/CASE", Align::left, 40},
               {"TASKS", Align::right},
               {"TOOK", Align::right},
               {"SPEED-UP", Align::right},
               {"CREATED"},
               {"TITLE"}});
  for (const auto& row : array_at(answer, "swarms")) {
    const auto state = text_at(row, "state");
    table.row({text_at(row, "id"),
               {state, tone_of(state)},
               place_of(row),
               text_at(row, "tasks_planned"),
               duration_at(row, "wall_us"),
               speedup_text(row),
               relative_at(row, "created", style),
               text_at(row, "title")});
  }
  if (table.empty()) {
    return "no swarms: an entity starts one when an event needs real work (`vigilctl explain "
           "EVENT` says why it did not)\n";
  }
  std::string out = table.text(style);
  if (const auto next = text_at(answer, "next_before"); !next.empty()) {
    out += toned("older ones: --before " + next, Tone::dim, style) + "\n";
  }
  return out;
}

std::string swarm_page(const json::value& answer, const Style& style) {
  return swarm_chart_page(answer, style, Fold::long_lists);
}

std::string swarm_chart_page(const json::value& answer, const Style& style, Fold fold) {
  const auto picture = picture_of(answer, style.now);
  std::string out = title_of(answer, style);
  if (!picture.error.empty()) out += toned(picture.error, Tone::bad, style) + "\n";
  out += "\n" + chart_text(picture, style, fold);
  const auto* report = find_path(answer, "report");
  if (report != nullptr && report->is_object()) {
    out += "\n";
    for (const auto& sentence : numbers_in_words(*report)) out += sentence + "\n";
    return out;
  }
  if (!is_unfinished(picture)) return out;
  return out +
         toned("\nit has not ended: vigilctl swarms watch " + text_at(answer, "id"), Tone::dim,
               style) +
         "\n";
}

std::string watch_page(const json::value& swarm, const Style& style) {
  std::map<std::string, int> counts;
  for (const auto& task : array_at(swarm, "tasks")) ++counts[text_at(task, "state")];
  const auto all = static_cast<double>(std::max<std::size_t>(array_at(swarm, "tasks").size(), 1));
  const int over = counts["done"] + counts["failed"] + counts["cancelled"] + counts["skipped"];
  constexpr int columns = 30;
  std::string out = title_of(swarm, style);
  out += fmt::format("{} {}/{} over, {} running, {} waiting", bar(over / all, columns), over,
                     array_at(swarm, "tasks").size(), counts["running"], counts["waiting"]);
  if (counts["failed"] > 0) {
    out += ", " + toned(fmt::format("{} failed", counts["failed"]), Tone::bad, style);
  }
  out += "\n";
  constexpr int shown_max = 15;
  int shown = 0;
  for (const auto& task : array_at(swarm, "tasks")) {
    const auto state = text_at(task, "state");
    if (state != "running" && state != "failed") continue;
    if (++shown > shown_max) continue;
    const auto* progress = find_path(task, "progress");
    const auto since = relative_at(task, "started", style);
    const auto name = cut(text_at(task, "name"), 40);
    out += "  " + toned(state == "failed" ? "✗ " : "▸ ", tone_of(state), style) + name +
           (progress != nullptr && progress->is_number()
                ? "  " + bar(progress->to_number<double>(), 10)
                : "") +
           (since.empty() ? "" : toned("  started " + since, Tone::dim, style)) + "\n";
  }
  if (shown > shown_max) out += fmt::format("  and {} more\n", shown - shown_max);
  return out;
}

}  // namespace vigil::ctl
