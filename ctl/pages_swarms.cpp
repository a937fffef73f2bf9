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

// Broken between words where the terminal ends; what follows is indented.
std::string folded(const std::string& sentence, const Style& style) {
  if (style.width <= 0) return sentence + "\n";
  const auto width = static_cast<std::size_t>(style.width);
  std::string out;
  std::string line;
  for (std::size_t from = 0; from < sentence.size();) {
    const auto end = std::min(sentence.find(' ', from), sentence.size());
    const auto word = sentence.substr(from, end - from);
    if (!line.empty() && display_width(line) + 1 + display_width(word) > width) {
      out += line + "\n";
      line = "  " + word;
    } else {
      line += (line.empty() ? "" : " ") + word;
    }
    from = end + 1;
  }
  return out + line + "\n";
}

std::string cents_at(const json::value& value, std::string_view path) {
  constexpr double micros_a_cent = 10'000;
  const auto* found = find_path(value, path);
  if (found == nullptr || !found->is_number()) return "";
  return fmt::format("{:.2f}", found->to_number<double>() / micros_a_cent);
}

// "3 tasks, 4.2s": how many, and how long they usually take.
std::string row_of(const json::value& plan) {
  const auto tasks = count_text(number_at(plan, "predicted.depth"), "task");
  const auto usual = duration_at(plan, "predicted.critical_path_us");
  return usual.empty() ? tasks : tasks + ", " + usual;
}

// Plans that models wrote: what each was to take, and below it what it took.
std::string plans_text(const json::value& swarm, const Style& style) {
  Table table({{"PLAN OF", Align::left, 40},
               {""},
               {"TASKS", Align::right},
               {"FAILED", Align::right},
               {"AT ONCE", Align::right},
               {"LONGEST ROW", Align::right},
               {"TOOK", Align::right},
               {"TOKENS", Align::right},
               {"CENTS", Align::right}});
  for (const auto& plan : array_at(swarm, "plans")) {
    table.row({text_at(plan, "task"), "at most", text_at(plan, "predicted.tasks"), "",
               text_at(plan, "predicted.width"), row_of(plan), "",
               text_at(plan, "predicted.tokens"), cents_at(plan, "predicted.money_micros")});
    const auto* actual = find_path(plan, "actual");
    if (actual == nullptr || !actual->is_object()) continue;
    const bool ok = find_bool(plan, "ok").value_or(false);
    table.row({"",
               {ok ? "took" : "took, failed", ok ? Tone::plain : Tone::bad},
               text_at(plan, "actual.tasks"),
               text_at(plan, "actual.failed"),
               text_at(plan, "actual.width"),
               duration_at(plan, "actual.critical_path_us"),
               duration_at(plan, "actual.wall_us"),
               text_at(plan, "actual.tokens"),
               cents_at(plan, "actual.money_micros")});
  }
  return table.empty() ? "" : "\n" + table.text(style);
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
    for (const auto& sentence : numbers_in_words(*report)) out += folded(sentence, style);
    return out + plans_text(answer, style);
  }
  out += plans_text(answer, style);
  if (!is_unfinished(picture)) return out;
  return out +
         toned("\nit has not ended: vigilctl swarms watch " + text_at(answer, "id"), Tone::dim,
               style) +
         "\n";
}

std::string swarm_end_page(const json::value& swarm, const Style& style) {
  const auto* text = find_path(swarm, "report.text");
  const bool said = text != nullptr && text->is_string() && !text->get_string().empty();
  auto out = title_of(swarm, style);
  if (said) out += safe_lines(text->get_string());
  if (!out.ends_with('\n')) out += '\n';
  return out;
}

}  // namespace vigil::ctl
