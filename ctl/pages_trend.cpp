// How swarms do over the days, and what their tasks answered.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "ctl/pages.hpp"

namespace vigil::ctl {
namespace {

constexpr int bar_columns = 8;
// Below these widths what says least is left out.
constexpr int width_for_bars = 80;
constexpr int width_for_counts = 68;

double real_at(const json::value& value, std::string_view path) {
  const auto* found = find_path(value, path);
  return found != nullptr && found->is_number() ? found->to_number<double>() : 0.0;
}

// Three digits that matter, never an exponent in what is usual.
std::string digits(double value) {
  if (value <= 0) return "0";
  if (value >= 99.95) return fmt::format("{:.0f}", value);
  if (value >= 9.995) return fmt::format("{:.1f}", value);
  if (value >= 0.0995) return fmt::format("{:.2f}", value);
  return fmt::format("{:.3g}", value);
}

// "3.2/s", and for slow work "12/min" or "4.1/h".
std::string rate(double per_second) {
  if (per_second <= 0) return "-";
  if (per_second >= 0.1) return digits(per_second) + "/s";
  if (per_second * 60 >= 0.1) return digits(per_second * 60) + "/min";
  return digits(per_second * 3'600) + "/h";
}

std::string percent(double share) {
  // What is not all is never rounded up to it.
  const auto shown = share < 1 ? std::min(share * 100, 99.0) : 100.0;
  return fmt::format("{:.0f} %", shown);
}

enum class Columns { few, counted, all };
Columns columns_for(const Style& style) {
  if (style.width == 0 || style.width >= width_for_bars) return Columns::all;
  return style.width >= width_for_counts ? Columns::counted : Columns::few;
}

std::vector<Table::Column> titles(Columns columns) {
  std::vector<Table::Column> out{{"DAY"}};
  if (columns != Columns::few) out.push_back({"SWARMS", Align::right});
  out.push_back({"DONE", Align::right});
  out.push_back({"SPEED", Align::right});
  out.push_back({"CORRECT", Align::right});
  out.push_back({"PARALLEL", Align::right});
  out.push_back({"RIGHT", Align::right});
  if (columns != Columns::few) out.push_back({"WASTED", Align::right});
  if (columns == Columns::all) out.push_back({""});
  return out;
}

std::vector<Cell> cells_of(const json::value& row, const std::string& day, Columns columns,
                           double best) {
  const bool any = number_at(row, "done") > 0;
  const auto right = real_at(row, "right_per_second");
  const auto correct = real_at(row, "correctness");
  std::vector<Cell> out{day};
  if (columns != Columns::few) {
    const auto swarms = number_at(row, "swarms");
    out.emplace_back(fmt::format("{}", swarms),
                     number_at(row, "ok") < swarms ? Tone::warn : Tone::plain);
  }
  out.emplace_back(fmt::format("{}", number_at(row, "done")));
  out.emplace_back(rate(real_at(row, "speed")));
  out.emplace_back(any ? percent(correct) : "-", any && correct < 1 ? Tone::warn : Tone::plain);
  out.emplace_back(any ? digits(real_at(row, "parallelism")) + "x" : "-");
  out.emplace_back(rate(right));
  if (columns != Columns::few) {
    const auto wasted = real_at(row, "wasted_share");
    out.emplace_back(wasted > 0 ? percent(wasted) : "-", wasted > 0.1 ? Tone::warn : Tone::plain);
  }
  if (columns == Columns::all) {
    out.emplace_back(best > 0 ? bar(right / best, bar_columns) : "", Tone::good);
  }
  return out;
}

std::string nothing_yet(const json::value& answer) {
  const auto entity = text_at(answer, "entity");
  const auto days = number_at(answer, "days");
  const auto when = days > 1    ? "in the last " + count_text(days, "day")
                    : days == 1 ? std::string("today (UTC)")
                                : std::string("yet");
  return fmt::format(
      "no swarms{} ended {}. An entity\n"
      "starts one when an event needs real work; or run your own:\n"
      "  vigilctl swarms run plan.json --entity {}\n",
      entity.empty() ? "" : " of " + entity, when, entity.empty() ? "NAME" : entity);
}

std::string legend(const Style& style) {
  const std::string text =
      "SPEED done per second of one worker's work, CORRECT of them right the first\n"
      "time, PARALLEL workers side by side, RIGHT the product of the three: tasks\n"
      "right the first time per second of running swarms. Days are UTC.\n";
  const std::string narrow =
      "SPEED done per second of one worker's work\n"
      "CORRECT of them right the first time\n"
      "PARALLEL workers side by side\n"
      "RIGHT the product: right the first time per second\n";
  return toned(style.width == 0 || style.width >= width_for_bars ? text : narrow, Tone::dim, style);
}

}  // namespace

std::string trend_page(const json::value& answer, const Style& style) {
  const auto& days = array_at(answer, "by_day");
  if (days.empty()) return nothing_yet(answer);
  const auto columns = columns_for(style);
  double best = 0;
  for (const auto& day : days) best = std::max(best, real_at(day, "right_per_second"));
  Table table(titles(columns));
  for (const auto& day : days) table.row(cells_of(day, text_at(day, "day"), columns, best));
  const auto* total = find_path(answer, "total");
  const bool summed = total != nullptr && days.size() > 1;
  if (summed) table.row(cells_of(*total, "all", columns, 0));
  std::string out = table.text(style);
  const auto reused = total != nullptr ? number_at(*total, "reused") : 0;
  if (reused > 0) {
    out += fmt::format("{} taken, {} saved\n", count_text(reused, "earlier result"),
                       duration_at(*total, "saved_us"));
  }
  const auto swarms = total != nullptr ? number_at(*total, "swarms") : 0;
  const auto ended_badly = total != nullptr ? swarms - number_at(*total, "ok") : 0;
  if (ended_badly > 0) {
    out += fmt::format("{} of {} ended badly: vigilctl swarms list\n", ended_badly,
                       count_text(swarms, "swarm"));
  }
  // Else "100 % correct" would read as if all was well.
  const auto tasks = total != nullptr ? number_at(*total, "tasks") : 0;
  const auto missing = total != nullptr ? tasks - number_at(*total, "done") - reused : 0;
  if (missing > 0) {
    out += fmt::format("{} of {} not done: CORRECT is of those done\n", missing,
                       count_text(tasks, "task"));
  }
  if (find_bool(answer, "cut").value_or(false)) {
    out += "only the newest swarms are counted: ask for fewer --days\n";
  }
  return out + "\n" + legend(style);
}

}  // namespace vigil::ctl
