// The chart as a page: what is foreign is escaped, nothing is fetched, no script runs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <queue>

#include "ctl/pages.hpp"
#include "ctl/picture.hpp"
#include "ctl/picture_style.hpp"

namespace vigil::ctl {
namespace {

constexpr std::size_t rows_max = 2'000;  // beyond, tasks share lanes
constexpr std::size_t listed_max = 500;  // in the table below the chart
constexpr int ticks_max = 8;

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

double share(Duration at, const Picture& picture) {
  const auto whole = std::max<std::int64_t>(picture.length.count(), 1);
  return std::clamp(100.0 * static_cast<double>(at.count()) / static_cast<double>(whole), 0.0,
                    100.0);
}

// All that is known of a task, for whoever points at it.
std::string hover_text(const PictureTask& task, const Picture& picture) {
  std::vector<std::string> said{task.name + ": " + task.state};
  if (task.has_run()) {
    said.push_back(fmt::format("from {} to {}, took {}", tick_text(task.from), tick_text(task.to()),
                               vigil::to_text(task.took)));
    said.push_back("started " + to_rfc3339(picture.from + task.from));
  }
  if (task.critical) said.push_back("on the longest chain");
  if (task.attempts > 0) said.push_back(count_text(task.attempts, "attempt"));
  if (task.wasted > Duration{0}) said.push_back(vigil::to_text(task.wasted) + " wasted");
  if (task.interface_after > Duration{0}) {
    said.push_back("interface after " + vigil::to_text(task.interface_after));
  }
  if (task.guess > Duration{0}) said.push_back("on a guess for " + vigil::to_text(task.guess));
  if (task.is_reused()) {
    said.push_back("earlier result taken, saves " + vigil::to_text(task.saved));
  }
  if (!task.cost.empty()) said.push_back("cost: " + task.cost);
  if (!task.parent.empty()) said.push_back("spawned by " + task.parent);
  if (!task.needs.empty()) said.push_back(fmt::format("needs {}", fmt::join(task.needs, ", ")));
  if (!task.needs_interface.empty()) {
    said.push_back(fmt::format("needs the interface of {}", fmt::join(task.needs_interface, ", ")));
  }
  if (task.exit_code > 0) said.push_back(fmt::format("exit code {}", task.exit_code));
  if (!task.error.empty()) said.push_back(task.error);
  return escaped(fmt::format("{}", fmt::join(said, "\n")));
}

std::string_view class_of(const PictureTask& task) {
  if (task.is_reused()) return "reused";
  if (task.state == "failed" || task.state == "cancelled" || task.state == "running") {
    return task.state;
  }
  return "done";
}

// Where bars are and how thick.
struct Scale {
  int row = 20;
  int bar = 12;
  int y(std::size_t place) const { return static_cast<int>(place) * row + (row - bar) / 2; }
};

void rect(std::string& out, std::string_view kind, Duration from, Duration to, int y,
          const Picture& picture, int height) {
  const auto x = share(from, picture);
  fmt::format_to(std::back_inserter(out),
                 R"(<rect class="{}" x="{:.3f}%" y="{}" width="{:.3f}%" height="{}" rx="2"/>)",
                 kind, x, y, std::max(share(to, picture) - x, 0.05), height);
}

// A mark of fixed size at a place that moves with the width of the page.
void mark(std::string& out, std::string_view kind, Duration at, int y, const Picture& picture,
          int height) {
  const auto half = height / 2;
  fmt::format_to(
      std::back_inserter(out),
      R"(<svg class="at" x="{:.3f}%" y="{}"><path class="{}" d="M0 0 l{} {} l-{} {} l-{} -{} z"/></svg>)",
      share(at, picture), y, kind, half, half, half, half, half, half);
}

void draw_task(std::string& out, const PictureTask& task, std::size_t place, const Scale& scale,
               const Picture& picture) {
  const auto y = scale.y(place);
  out += "<g><title>" + hover_text(task, picture) + "</title>";
  if (task.wasted > Duration{0}) {
    rect(out, "wasted", std::max(Duration{0}, task.from - task.wasted), task.from, y, picture,
         scale.bar);
  }
  const std::string kind = std::string(class_of(task)) + (task.critical ? " critical" : "");
  rect(out, kind, task.from, task.to(), y, picture, scale.bar);
  if (task.guess > Duration{0}) {
    rect(out, "guess", task.from, task.from + task.guess, y, picture, scale.bar);
  }
  if (task.is_reused()) mark(out, "reuse-mark", task.from, y, picture, scale.bar);
  if (task.interface_after > Duration{0}) {
    mark(out, "interface", task.from + task.interface_after, y, picture, scale.bar);
  }
  out += "</g>\n";
}

std::string grid(const Picture& picture) {
  std::string out;
  for (const auto at : ticks(picture.length, ticks_max)) {
    const auto x = share(at, picture);
    out += fmt::format(R"(<line class="grid" x1="{0:.3f}%" x2="{0:.3f}%" y1="0" y2="100%"/>)", x);
  }
  return out;
}

std::string axis(const Picture& picture) {
  std::string out = R"(<svg class="axis" width="100%" height="24" aria-hidden="true">)";
  for (const auto at : ticks(picture.length, ticks_max)) {
    const auto x = share(at, picture);
    const auto* anchor = at == Duration{0} ? "start" : (x > 95 ? "end" : "middle");
    out += fmt::format(
        R"(<text x="{0:.3f}%" y="14" text-anchor="{1}">{2}</text><line class="tick" x1="{0:.3f}%" x2="{0:.3f}%" y1="18" y2="24"/>)",
        x, anchor, tick_text(at));
  }
  return out + "</svg>";
}

// First fit in time: as many lanes as ran side by side.
std::vector<std::size_t> lanes_of(const Picture& picture, std::size_t& count) {
  std::vector<std::size_t> by_start;
  for (std::size_t i = 0; i < picture.tasks.size(); ++i) {
    if (picture.tasks[i].has_run()) by_start.push_back(i);
  }
  std::ranges::sort(by_start, {},
                    [&](std::size_t i) { return std::pair(picture.tasks[i].from, i); });
  using Free = std::pair<Duration, std::size_t>;
  std::priority_queue<Free, std::vector<Free>, std::greater<>> busy;
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> idle;
  std::vector<std::size_t> out(picture.tasks.size());
  count = 0;
  for (const auto i : by_start) {
    while (!busy.empty() && busy.top().first <= picture.tasks[i].from) {
      idle.push(busy.top().second);
      busy.pop();
    }
    if (idle.empty()) idle.push(count++);
    out[i] = idle.top();
    idle.pop();
    busy.emplace(picture.tasks[i].to(), out[i]);
  }
  return out;
}

std::string chart_of_lanes(const Picture& picture) {
  std::size_t count = 0;
  const auto lanes = lanes_of(picture, count);
  const Scale scale{.row = count > 64 ? 10 : 22, .bar = count > 64 ? 8 : 16};
  const auto height = std::max<std::size_t>(count, 1) * static_cast<std::size_t>(scale.row);
  std::string out =
      R"(<p class="note">Too many tasks for a row each: every row is a lane of tasks )"
      "that ran one after the other. Point at one to see which it is.</p>\n";
  out += R"(<div class="chart lanes"><div class="plot">)" + axis(picture);
  out += fmt::format(
      R"(<svg class="bars" width="100%" height="{}" role="img" aria-label="tasks over time">)",
      height);
  out += grid(picture) + "\n";
  for (std::size_t i = 0; i < picture.tasks.size(); ++i) {
    if (picture.tasks[i].has_run()) draw_task(out, picture.tasks[i], lanes[i], scale, picture);
  }
  return out + "</svg></div></div>\n";
}

std::string label(const PictureTask& task, std::size_t place, const Scale& scale) {
  constexpr std::size_t columns = 30;
  const auto indent = 2 * static_cast<std::size_t>(std::min(task.depth, 5));
  std::string_view name = task.name;
  if (task.depth > 0 && name.starts_with(task.parent + "/")) {
    name.remove_prefix(task.parent.size());
  }
  const auto y = static_cast<int>(place) * scale.row + scale.row / 2 + 4;
  const auto state = task.has_run() ? took_text(task) : task.state;
  const auto room = columns - indent - std::min(display_width(state), columns / 2) - 2;
  const std::string kind = task.state == "failed" ? "failed" : (task.critical ? "critical" : "");
  const std::string_view sign = task.state == "failed" ? "✗ " : (task.critical ? "★ " : "");
  return fmt::format(R"(<g class="{}"><title>{}</title><text x="{}" y="{}">{}{}</text>)", kind,
                     escaped(task.name), 4 + indent * 6, y, sign,
                     escaped(cut(name, room - (sign.empty() ? 0 : 2)))) +
         fmt::format(R"(<text class="took" x="252" y="{}">{}</text></g>)", y, escaped(state)) +
         "\n";
}

std::string chart_of_rows(const Picture& picture) {
  const Scale scale{.row = picture.tasks.size() > 200 ? 16 : 22,
                    .bar = picture.tasks.size() > 200 ? 10 : 14};
  const auto height = picture.tasks.size() * static_cast<std::size_t>(scale.row);
  std::string labels;
  std::string stripes;
  std::string bars;
  for (std::size_t i = 0; i < picture.tasks.size(); ++i) {
    const auto& task = picture.tasks[i];
    const auto stripe =
        fmt::format(R"(<rect class="stripe" x="0" y="{}" width="100%" height="{}"/>)",
                    static_cast<int>(i) * scale.row, scale.row);
    if (i % 2 == 1) {
      labels += stripe;
      stripes += stripe;
    }
    labels += label(task, i, scale);
    if (task.has_run()) draw_task(bars, task, i, scale, picture);
  }
  return fmt::format(R"(<div class="chart"><svg class="names" width="260" height="{}">{}</svg>)"
                     "\n"
                     R"(<div class="plot">)",
                     height, labels) +
         axis(picture) +
         fmt::format(
             R"(<svg class="bars" width="100%" height="{}" role="img" aria-label="tasks over time">)",
             height) +
         stripes + grid(picture) + bars + "</svg></div></div>\n";
}

std::string legend() {
  constexpr std::pair<std::string_view, std::string_view> kinds[]{
      {"done", "done"},         {"done critical", "on the longest chain (★)"},
      {"guess", "on a guess"},  {"wasted", "wasted attempts (how long)"},
      {"failed", "failed (✗)"}, {"cancelled", "cancelled"},
      {"running", "running"}};
  std::string out = R"(<p class="legend">)";
  for (const auto& [kind, meaning] : kinds) {
    const std::string under =
        kind == "guess" ? R"(<rect class="done" x="1" y="1" width="26" height="12" rx="2"/>)" : "";
    out += fmt::format(
        R"(<span><svg width="28" height="14">{}<rect class="{}" x="1" y="1" width="26" height="12" rx="2"/></svg>{}</span> )",
        under, kind, meaning);
  }
  constexpr std::pair<std::string_view, std::string_view> marks[]{
      {"interface", "interface published"}, {"reuse-mark", "took an earlier result"}};
  for (const auto& [kind, meaning] : marks) {
    out += fmt::format(
        R"(<span><svg width="16" height="14"><path class="{}" d="M8 1 l6 6 l-6 6 l-6 -6 z"/></svg>{}</span> )",
        kind, meaning);
  }
  return out + "</p>\n";
}

std::string tiles(const json::value& report) {
  const auto real = [&](std::string_view path) {
    const auto* found = find_path(report, path);
    return found != nullptr && found->is_number() ? found->to_number<double>() : 0.0;
  };
  const auto tile = [](std::string_view value, std::string_view what) {
    return fmt::format("<div><b>{}</b><span>{}</span></div>", escaped(value), what);
  };
  std::string out = R"(<div class="tiles">)";
  out += tile(duration_at(report, "wall_us"), "wall time");
  out += tile(duration_at(report, "task_sum_us"), "for one worker");
  out += tile(fmt::format("{:.1f}×", real("speedup")), "times faster");
  out += tile(fmt::format("{:.0f} %", real("efficiency") * 100), "efficiency");
  out += tile(duration_at(report, "critical_path_us"), "longest chain");
  const auto is_done = [](const json::value& task) { return text_at(task, "state") == "done"; };
  const bool all_done = std::ranges::all_of(array_at(report, "tasks"), is_done);
  out += tile(fmt::format("{:.0f} %", real("correctness") * 100),
              all_done ? "right the first time" : "of those done right the first time");
  out += tile(duration_at(report, "wasted_us"), "wasted");
  return out + "</div>\n";
}

std::string task_table(const Picture& picture) {
  std::string rows;
  std::size_t shown = 0;
  for (const auto& task : picture.tasks) {
    if (++shown > listed_max) break;
    rows += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        escaped(task.name), escaped(task.state), task.has_run() ? tick_text(task.from) : "",
        task.has_run() ? vigil::to_text(task.took) : "", task.attempts, escaped(remarks(task)));
  }
  const auto more = picture.tasks.size() > listed_max
                        ? fmt::format("<p>and {} more</p>", picture.tasks.size() - listed_max)
                        : "";
  return "<details><summary>All tasks as a table</summary><div class=\"wide\"><table><thead><tr>"
         "<th>task</th><th>state</th><th>from</th><th>took</th><th>attempts</th><th>remarks</th>"
         "</tr></thead><tbody>\n" +
         rows + "</tbody></table></div>" + more + "</details>\n";
}

}  // namespace

std::string picture_html(const json::value& swarm, TimePoint now) {
  const auto picture = picture_of(swarm, now);
  const auto name = escaped(picture.title.empty() ? "swarm " + picture.id : picture.title);
  std::string out = std::string(page_before_title) + name + std::string(page_after_title);
  out += fmt::format(
      "<h1>{}</h1>\n<p class=\"where\">swarm {} <b class=\"state {}\">{}</b>{}{}, {}"
      "</p>\n",
      name, escaped(picture.id), escaped(picture.state), escaped(picture.state),
      picture.place.empty() ? "" : " for ", escaped(picture.place), to_rfc3339(picture.from));
  if (!picture.error.empty()) out += "<p class=\"error\">" + escaped(picture.error) + "</p>\n";
  const auto* report = find_path(swarm, "report");
  const bool ended = report != nullptr && report->is_object();
  if (ended) out += tiles(*report);
  out += legend();
  out += picture.tasks.size() > rows_max ? chart_of_lanes(picture) : chart_of_rows(picture);
  if (ended) {
    out += "<ul>\n";
    for (const auto& sentence : numbers_in_words(*report)) {
      out += "<li>" + escaped(sentence) + "</li>\n";
    }
    out += "</ul>\n";
  } else if (is_unfinished(picture)) {
    out += "<p>It has not ended: this is what was known when the page was made.</p>\n";
  }
  return out + task_table(picture) + std::string(page_end);
}

}  // namespace vigil::ctl
