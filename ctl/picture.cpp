#include "ctl/picture.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "ctl/pages.hpp"

namespace vigil::ctl {
namespace {

using namespace std::chrono_literals;

Duration us_at(const json::value& value, std::string_view path) {
  return std::max(Duration{0}, Duration{number_at(value, path)});
}

std::vector<std::string> names_at(const json::value& value, std::string_view path) {
  std::vector<std::string> out;
  for (const auto& name : array_at(value, path)) out.push_back(text_at(name, ""));
  return out;
}

std::string cost_of(const json::value& cost) {
  if (!cost.is_object()) return "";
  std::string out;
  for (const auto& [name, amount] : cost.get_object()) {
    if (!amount.is_number()) continue;
    const auto number =
        amount.is_double() ? fmt::format("{:.6g}", amount.get_double()) : vigil::to_text(amount);
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", safe(name), number);
  }
  return out;
}

// Tasks as they are read, with the wall time at which each began.
struct Rows {
  std::vector<PictureTask> tasks;
  std::vector<std::optional<TimePoint>> started;
  std::unordered_map<std::string, std::size_t> places;
};

// The report knows more than the list of tasks, and the list what was planned: both say what they
// know.
void read_task(const json::value& from, Rows& rows, TimePoint now) {
  const auto name = text_at(from, "name");
  const auto [place, fresh] = rows.places.try_emplace(name, rows.tasks.size());
  if (fresh) {
    rows.tasks.emplace_back().name = name;
    rows.started.emplace_back();
  }
  auto& task = rows.tasks[place->second];
  auto& started = rows.started[place->second];
  const auto take = [&](std::string_view key, std::string& into) {
    if (auto text = text_at(from, key); !text.empty()) into = std::move(text);
  };
  take("state", task.state);
  take("parent", task.parent);
  take("error", task.error);
  if (auto names = names_at(from, "needs"); !names.empty()) task.needs = std::move(names);
  if (auto names = names_at(from, "needs_interface"); !names.empty()) {
    task.needs_interface = std::move(names);
  }
  if (const auto us = find_integer(from, "started_us")) {
    started = from_unix_us(*us);
  } else if (const auto at = parse_rfc3339(find_text(from, "started").value_or("")); at) {
    started = *at;
  }
  task.took = std::max(task.took, us_at(from, "took_us"));
  if (task.state == "running" && started) task.took = std::max(Duration{0}, now - *started);
  task.wasted = std::max(task.wasted, us_at(from, "wasted_us"));
  task.interface_after = std::max(task.interface_after, us_at(from, "interface_after_us"));
  task.saved = std::max(task.saved, us_at(from, "saved_us"));
  task.attempts = std::max(task.attempts, number_at(from, "attempts"));
  if (const auto code = find_integer(from, "exit_code")) task.exit_code = *code;
  if (const auto* cost = find_path(from, "cost")) task.cost = cost_of(*cost);
  task.critical = task.critical || find_bool(from, "critical").value_or(false);
}

// Sets the common axis: it begins with the swarm or its first task, whichever came first.
void place_in_time(Rows& rows, const json::value& swarm, TimePoint now, Picture& out) {
  std::optional<TimePoint> first;
  if (const auto us = find_integer(swarm, "report.started_us")) first = from_unix_us(*us);
  for (const auto& at : rows.started) {
    if (at && (!first || *at < *first)) first = *at;
  }
  out.from = first.value_or(now);
  out.length = us_at(swarm, "report.wall_us");
  for (std::size_t i = 0; i < rows.tasks.size(); ++i) {
    if (!rows.started[i]) continue;
    rows.tasks[i].from = *rows.started[i] - out.from;
    out.length = std::max(out.length, rows.tasks[i].to());
  }
}

// Who began before an upstream of interfaces had ended worked on a guess until then.
void find_guesses(Rows& rows) {
  for (auto& task : rows.tasks) {
    if (!task.has_run()) continue;
    for (const auto& name : task.needs_interface) {
      const auto upstream = rows.places.find(name);
      if (upstream == rows.places.end() || !rows.tasks[upstream->second].has_run()) continue;
      const auto known = rows.tasks[upstream->second].to();
      task.guess = std::max(task.guess, std::min(known, task.to()) - task.from);
    }
  }
}

std::vector<PictureTask> in_order(Rows rows) {
  constexpr auto nobody = static_cast<std::size_t>(-1);
  std::unordered_map<std::size_t, std::vector<std::size_t>> children;
  for (std::size_t i = 0; i < rows.tasks.size(); ++i) {
    const auto parent = rows.places.find(rows.tasks[i].parent);
    const bool known = parent != rows.places.end() && parent->second != i;
    children[known ? parent->second : nobody].push_back(i);
  }
  for (auto& [parent, list] : children) {
    std::ranges::sort(list, {}, [&](std::size_t i) {
      const auto& task = rows.tasks[i];
      return std::tuple(task.has_run() ? 0 : 1, task.from, i);
    });
  }
  std::vector<PictureTask> out;
  out.reserve(rows.tasks.size());
  std::vector<std::pair<std::size_t, int>> open;  // with their depths; the last comes next
  const auto push_children = [&](std::size_t parent, int depth) {
    const auto found = children.find(parent);
    if (found == children.end()) return;
    for (auto i = found->second.rbegin(); i != found->second.rend(); ++i) {
      open.emplace_back(*i, depth);
    }
  };
  push_children(nobody, 0);
  while (!open.empty()) {
    const auto [i, depth] = open.back();
    open.pop_back();
    rows.tasks[i].depth = depth;
    out.push_back(std::move(rows.tasks[i]));
    push_children(i, depth + 1);
  }
  return out;
}

std::string percent(double share) { return fmt::format("{:.0f} %", share * 100); }

double real_at(const json::value& value, std::string_view path) {
  const auto* found = find_path(value, path);
  return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}

void say_times(const json::value& report, std::vector<std::string>& said) {
  const auto slots = number_at(report, "slots");
  said.push_back(
      fmt::format("one worker would have needed {}; it took {} on {}: {:.1f} times faster",
                  duration_at(report, "task_sum_us"), duration_at(report, "wall_us"),
                  count_text(slots, "slot"), real_at(report, "speedup")));
  auto chain = "the longest chain of tasks takes " + duration_at(report, "critical_path_us");
  if (number_at(report, "critical_results_us") > number_at(report, "critical_path_us")) {
    chain += fmt::format(", and would {} if everyone waited for results instead of interfaces",
                         duration_at(report, "critical_results_us"));
  }
  said.push_back(std::move(chain));
  said.push_back(fmt::format("no schedule on {} can be shorter than {}: efficiency {}",
                             count_text(slots, "slot"), duration_at(report, "lower_bound_us"),
                             percent(real_at(report, "efficiency"))));
}

void say_correctness(const json::value& report, std::vector<std::string>& said) {
  auto text = count_text(number_at(report, "attempts"), "attempt");
  const auto wasted = number_at(report, "wasted_us");
  text += wasted > 0 ? fmt::format(", {} of work wasted", duration_at(report, "wasted_us"))
                     : ", nothing wasted";
  const auto right = number_at(report, "first_time_right");
  const auto correct = real_at(report, "correctness");
  const auto& tasks = array_at(report, "tasks");
  const auto is_done = [](const json::value& task) { return text_at(task, "state") == "done"; };
  const auto done = std::ranges::count_if(tasks, is_done);
  // Beside tasks that are not done, "all right the first time" alone would say too much.
  if (done < std::ssize(tasks)) {
    text += fmt::format("; {} of {} done", done, count_text(std::ssize(tasks), "task"));
    if (correct > 0) {
      text += fmt::format(", {} of them right the first time",
                          correct < 1 ? fmt::format("{}", right) : std::string("all"));
    }
  } else if (correct > 0) {
    text +=
        fmt::format("; {} right the first time ({})", count_text(right, "task"), percent(correct));
  }
  said.push_back(std::move(text));
}

}  // namespace

Picture picture_of(const json::value& swarm, TimePoint now) {
  Picture out;
  out.id = text_at(swarm, "id");
  out.title = text_at(swarm, "title");
  out.state = text_at(swarm, "state");
  out.place = place_of(swarm);
  out.error = text_at(swarm, "report.error");
  Rows rows;
  for (const auto& task : array_at(swarm, "tasks")) read_task(task, rows, now);
  for (const auto& task : array_at(swarm, "report.tasks")) read_task(task, rows, now);
  place_in_time(rows, swarm, now, out);
  find_guesses(rows);
  const auto count = rows.tasks.size();
  auto ordered = in_order(rows);
  if (ordered.size() < count) {  // parents in a circle: drawn flat
    for (auto& task : rows.tasks) task.parent.clear();
    ordered = in_order(std::move(rows));
  }
  out.tasks = std::move(ordered);
  return out;
}

bool is_unfinished(const Picture& picture) {
  return picture.state == "planned" || picture.state == "running";
}

std::vector<Duration> ticks(Duration length, int count_max) {
  constexpr std::array<Duration, 40> steps{
      1us,   2us,   5us,   10us,  20us, 50us, 100us, 200us, 500us, 1ms,  2ms,  5ms,  10ms, 20ms,
      50ms,  100ms, 200ms, 500ms, 1s,   2s,   5s,    10s,   15s,   30s,  1min, 2min, 5min, 10min,
      15min, 30min, 1h,    2h,    3h,   6h,   12h,   24h,   48h,   168h, 336h, 720h};
  Duration step = steps.back();
  for (const auto candidate : steps) {
    if (length / candidate > std::max(count_max, 2)) continue;
    step = candidate;
    break;
  }
  while (length / step > std::max(count_max, 2)) step *= 2;
  std::vector<Duration> out;
  for (Duration at{0}; at <= length; at += step) out.push_back(at);
  return out;
}

std::string tick_text(Duration at) {
  if (at == Duration{0}) return "0";
  if (at < 10ms && at % 1ms == Duration{0}) return fmt::format("{}ms", at / 1ms);
  return vigil::to_text(at);
}

std::string took_text(const PictureTask& task) {
  if (!task.has_run()) return "-";
  return task.took == Duration{0} ? "0" : vigil::to_text(task.took);
}

std::string remarks(const PictureTask& task) {
  std::vector<std::string> said;
  if (task.is_reused()) {
    said.push_back(fmt::format("earlier result taken, saves {}", vigil::to_text(task.saved)));
  }
  if (task.attempts > 1) said.push_back(count_text(task.attempts, "attempt"));
  if (task.wasted > Duration{0}) {
    said.push_back(fmt::format("{} wasted", vigil::to_text(task.wasted)));
  }
  if (task.guess > Duration{0}) {
    said.push_back(fmt::format("on a guess for {}", vigil::to_text(task.guess)));
  }
  if (task.state != "done" && task.state != "running" && task.state != "waiting") {
    said.push_back(task.state + (task.error.empty() ? "" : ": " + task.error));
  }
  if (task.state == "waiting") {
    auto all = task.needs;
    all.insert(all.end(), task.needs_interface.begin(), task.needs_interface.end());
    said.push_back(all.empty() ? "waiting" : fmt::format("waits for {}", fmt::join(all, ", ")));
  }
  return fmt::format("{}", fmt::join(said, ", "));
}

std::vector<std::string> numbers_in_words(const json::value& report) {
  std::vector<std::string> said;
  say_times(report, said);
  say_correctness(report, said);
  const auto won = number_at(report, "guesses_won");
  const auto lost = number_at(report, "guesses_lost");
  if (won + lost > 0) {
    said.push_back(
        fmt::format("guesses on interfaces: {} stood, {} had to be repeated", won, lost));
  }
  if (const auto hedges = number_at(report, "hedges_won"); hedges > 0) {
    said.push_back(count_text(hedges, "second attempt") + " beside a slow one ended first");
  }
  if (const auto reused = number_at(report, "reused"); reused > 0) {
    said.push_back(fmt::format("{} taken, {} saved", count_text(reused, "earlier result"),
                               duration_at(report, "saved_us")));
  }
  if (const auto* cost = find_path(report, "cost")) {
    if (auto text = cost_of(*cost); !text.empty()) said.push_back("cost: " + text);
  }
  const auto speed = real_at(report, "speed");
  const auto correct = real_at(report, "correctness");
  const auto side_by_side = real_at(report, "speedup");
  if (speed > 0 && correct > 0 && side_by_side > 0) {
    said.push_back(fmt::format(
        "throughput: {:.3g} tasks a second for one worker, times {:.1f} side by side, times {} "
        "correct = {:.3g} right the first time a second",
        speed, side_by_side, percent(correct), speed * side_by_side * correct));
  }
  return said;
}

}  // namespace vigil::ctl
