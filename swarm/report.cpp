#include "swarm/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "core/log.hpp"
#include "swarm/graph.hpp"

namespace vigil::swarm {
namespace {

constexpr std::size_t shown_max = 5;  // failed tasks in the text for a terminal

double ratio(Duration above, Duration below) {
  if (below <= Duration{0}) return 0;
  return static_cast<double>(above.count()) / static_cast<double>(below.count());
}

// The longest chain over `needs` alone, by the time each task took.
Duration longest_chain(const Plan& plan, const Graph& graph,
                       const std::unordered_map<std::string_view, Duration>& took) {
  std::vector<Duration> until(plan.tasks.size());
  Duration longest{0};
  for (const std::uint32_t task : graph.order) {
    Duration start{0};
    for (const Edge& edge : graph.needs[task]) {
      if (edge.kind == EdgeKind::result) start = std::max(start, until[edge.task]);
    }
    const auto known = took.find(plan.tasks[task].name);
    until[task] = start + (known == took.end() ? Duration{0} : known->second);
    longest = std::max(longest, until[task]);
  }
  return longest;
}

std::string task_line(const TaskOutcome& outcome) {
  return fmt::format("  {} {} after {} ({} attempt{}): {}\n", outcome.name, to_text(outcome.state),
                     vigil::to_text(outcome.took), outcome.attempts,
                     outcome.attempts == 1 ? "" : "s", quoted(outcome.error));
}

}  // namespace

std::string_view to_text(TaskState state) {
  switch (state) {
    case TaskState::waiting:
      return "waiting";
    case TaskState::running:
      return "running";
    case TaskState::done:
      return "done";
    case TaskState::failed:
      return "failed";
    case TaskState::cancelled:
      return "cancelled";
    case TaskState::skipped:
      return "skipped";
  }
  return "waiting";
}

Result<TaskState> task_state_from(std::string_view text) {
  for (const auto state : {TaskState::waiting, TaskState::running, TaskState::done,
                           TaskState::failed, TaskState::cancelled, TaskState::skipped}) {
    if (to_text(state) == text) return state;
  }
  return fail(ErrorCode::invalid_input, fmt::format("{} is no state of a task", quoted(text)));
}

double Report::speedup() const { return ratio(task_sum, wall); }
double Report::efficiency() const { return ratio(lower_bound, wall); }

void measure(Report& report, const Plan& plan) {
  report.task_sum = report.wasted = report.critical_path = Duration{0};
  report.attempts = 0;
  std::unordered_map<std::string_view, Duration> took;
  for (const TaskOutcome& outcome : report.tasks) {
    report.task_sum += outcome.took;
    report.wasted += outcome.wasted;
    report.attempts += outcome.attempts;
    took.emplace(outcome.name, outcome.took);
  }
  if (const auto graph = make_graph(plan)) report.critical_path = longest_chain(plan, *graph, took);
  report.lower_bound = report.critical_path;
  if (report.slots > 0) {
    report.lower_bound = std::max(report.lower_bound, report.task_sum / report.slots);
  }
}

std::string to_text(const Report& report) {
  int done = 0;
  for (const TaskOutcome& outcome : report.tasks) done += outcome.state == TaskState::done ? 1 : 0;
  std::string text = fmt::format("{}: {}, {} of {} tasks done in {}\n",
                                 report.title.empty() ? "swarm" : quoted(report.title),
                                 report.ok ? "ok" : (report.cancelled ? "cancelled" : "not ok"),
                                 done, report.tasks.size(), vigil::to_text(report.wall));
  text += fmt::format(
      "  one worker would have needed {}: {:.1f} times faster on {} slots; no schedule can be "
      "shorter than {} (efficiency {:.0f} %)\n",
      vigil::to_text(report.task_sum), report.speedup(), report.slots,
      vigil::to_text(report.lower_bound), report.efficiency() * 100);
  text += fmt::format("  longest chain {}, {} attempts, {} wasted\n",
                      vigil::to_text(report.critical_path), report.attempts,
                      vigil::to_text(report.wasted));
  if (!report.error.empty()) text += fmt::format("  {}\n", to_valid_utf8(report.error));
  std::size_t failed = 0;
  for (const TaskOutcome& outcome : report.tasks) {
    if (outcome.state != TaskState::failed) continue;
    if (++failed <= shown_max) text += task_line(outcome);
  }
  if (failed > shown_max) text += fmt::format("  and {} more failed\n", failed - shown_max);
  return text;
}

}  // namespace vigil::swarm
