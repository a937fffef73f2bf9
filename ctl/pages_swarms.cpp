#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "ctl/pages.hpp"

namespace vigil::ctl {
namespace {

constexpr std::size_t gantt_tasks_max = 60;

std::string speedup_text(const json::value& row) {
  const auto* speedup = find_path(row, "speedup");
  if (speedup == nullptr || !speedup->is_number()) return "";
  return fmt::format("{:.1f}x", speedup->to_number<double>());
}

std::vector<Span> spans_of(const json::value& swarm, const Style& style) {
  std::vector<Span> out;
  for (const auto& task : array_at(swarm, "tasks")) {
    const auto started = find_text(task, "started");
    const auto from = parse_rfc3339(started.value_or(""));
    if (!from) continue;
    const auto state = text_at(task, "state");
    const auto to = state == "running" ? std::max(style.now, *from)
                                       : *from + Duration{number_at(task, "took_us")};
    out.push_back({text_at(task, "name"), *from, to, tone_of(state)});
  }
  std::ranges::sort(out, {}, [](const Span& span) { return std::pair(span.from, span.name); });
  if (out.size() > gantt_tasks_max) out.resize(gantt_tasks_max);
  return out;
}

std::string numbers(const json::value& report) {
  const auto* efficiency = find_path(report, "efficiency");
  std::string out =
      fmt::format("one worker would have needed {}; it took {} on {}: {}\n",
                  duration_at(report, "task_sum_us"), duration_at(report, "wall_us"),
                  count_text(number_at(report, "slots"), "slot"), speedup_text(report));
  out +=
      fmt::format("longest chain {}, no schedule can be shorter than {}",
                  duration_at(report, "critical_path_us"), duration_at(report, "lower_bound_us"));
  if (efficiency != nullptr && efficiency->is_number()) {
    out += fmt::format(" (efficiency {:.0f} %)", efficiency->to_number<double>() * 100);
  }
  out += fmt::format("; {}, {} wasted\n", count_text(number_at(report, "attempts"), "attempt"),
                     duration_at(report, "wasted_us"));
  return out;
}

std::string title_of(const json::value& swarm, const Style& style) {
  const auto state = text_at(swarm, "state");
  return toned("swarm " + text_at(swarm, "id"), Tone::title, style) + " " +
         toned(state, tone_of(state), style) + ": " + text_at(swarm, "title") + " for " +
         place_of(swarm) + "\n";
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
  std::string out = title_of(answer, style);
  if (const auto error = text_at(answer, "report.error"); !error.empty()) {
    out += toned(error, Tone::bad, style) + "\n";
  }
  Table table({{"TASK", Align::left, 40},
               {"STATE"},
               {"ATTEMPTS", Align::right},
               {"TOOK", Align::right},
               {"NEEDS", Align::left, 30},
               {"ERROR"}});
  for (const auto& task : array_at(answer, "tasks")) {
    const auto state = text_at(task, "state");
    std::string needs;
    for (const auto& need : array_at(task, "needs")) {
      needs += (needs.empty() ? "" : ", ") + text_at(need, "");
    }
    table.row({text_at(task, "name"),
               {state, tone_of(state)},
               text_at(task, "attempts"),
               number_at(task, "took_us") > 0 ? duration_at(task, "took_us") : "",
               needs,
               text_at(task, "error")});
  }
  out += "\n" + table.text(style);
  if (const auto spans = spans_of(answer, style); !spans.empty()) {
    const int columns = std::clamp((style.width > 0 ? style.width : 100) - 42, 20, 80);
    out += "\n" + gantt(spans, columns, style);
  }
  const auto* report = find_path(answer, "report");
  if (report != nullptr && report->is_object()) return out + "\n" + numbers(*report);
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
