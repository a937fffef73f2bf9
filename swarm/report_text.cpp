// A report for people: a few lines for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <cctype>

#include "core/log.hpp"
#include "swarm/report.hpp"

namespace vigil::swarm {
namespace {

constexpr std::size_t shown_max = 5;  // failed tasks

std::string_view plural(std::int64_t count) { return count == 1 ? "" : "s"; }

// Tasks name their costs themselves.
std::string unit_text(std::string_view name) {
  const bool is_plain = std::ranges::all_of(
      name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.'; });
  return is_plain ? std::string(name) : quoted(name);
}

std::string task_line(const TaskOutcome& outcome) {
  return fmt::format("  {} {} after {} ({} attempt{}): {}\n", outcome.name, to_text(outcome.state),
                     vigil::to_text(outcome.took), outcome.attempts, plural(outcome.attempts),
                     quoted(outcome.error));
}

std::string headline(const Report& report, std::int64_t done) {
  return fmt::format("{}: {}, {} of {} tasks done in {}\n",
                     report.title.empty() ? "swarm" : quoted(report.title),
                     report.ok ? "ok" : (report.cancelled ? "cancelled" : "not ok"), done,
                     report.tasks.size(), vigil::to_text(report.wall));
}

std::string times(const Report& report) {
  if (report.task_sum <= Duration{0} || report.wall <= Duration{0}) return "";
  std::string text = fmt::format(
      "  one worker would have needed {}: {:.1f} times faster on {} "
      "slot{}\n",
      vigil::to_text(report.task_sum), report.speedup(), report.slots, plural(report.slots));
  if (report.critical_results > report.critical_path) {
    text +=
        fmt::format("  longest chain {}: {} if everyone had waited for results\n",
                    vigil::to_text(report.critical_path), vigil::to_text(report.critical_results));
  } else {
    text += fmt::format("  longest chain {}\n", vigil::to_text(report.critical_path));
  }
  text += fmt::format("  no schedule can be shorter than {}: efficiency {:.0f} %\n",
                      vigil::to_text(report.lower_bound), report.efficiency() * 100);
  return text;
}

std::string correctness(const Report& report, std::int64_t done) {
  std::vector<std::string> said;
  const auto ran = done - report.reused;
  // Beside tasks that are not done, "right the first time: 5 of 5" would read as if all was well.
  if (ran > 0 && done < std::ssize(report.tasks)) {
    said.push_back(fmt::format(
        "{} of {} tasks done, {} of them right the first time", done, report.tasks.size(),
        report.first_time_right == ran ? std::string("all")
                                       : fmt::format("{}", report.first_time_right)));
  } else if (ran > 0) {
    said.push_back(fmt::format("right the first time: {} of {}", report.first_time_right, ran));
  }
  if (report.wasted > Duration{0}) {
    said.push_back(fmt::format("{} attempt{}, {} wasted", report.attempts, plural(report.attempts),
                               vigil::to_text(report.wasted)));
  }
  return said.empty() ? "" : fmt::format("  {}\n", fmt::join(said, "; "));
}

// What only some swarms do.
std::string extras(const Report& report) {
  std::vector<std::string> said;
  if (report.guesses_won + report.guesses_lost > 0) {
    said.push_back(fmt::format("guesses won {}, lost {}", report.guesses_won, report.guesses_lost));
  }
  if (report.hedges_won > 0) {
    said.push_back(fmt::format("{} second attempt{} beside a slow one ended first",
                               report.hedges_won, plural(report.hedges_won)));
  }
  if (report.reused > 0) {
    said.push_back(fmt::format("{} earlier result{} taken, {} saved", report.reused,
                               plural(report.reused), vigil::to_text(report.saved)));
  }
  std::string cost;
  for (const auto& [name, amount] : report.cost) {
    const std::string number =
        amount.is_double() ? fmt::format("{:.6g}", amount.get_double()) : vigil::to_text(amount);
    cost += fmt::format("{}{} {}", cost.empty() ? "cost " : ", ", number, unit_text(name));
  }
  if (!cost.empty()) said.push_back(std::move(cost));
  return said.empty() ? "" : fmt::format("  {}\n", fmt::join(said, "; "));
}

}  // namespace

std::string to_text(const Report& report) {
  const auto done = std::ranges::count(report.tasks, TaskState::done, &TaskOutcome::state);
  std::string text = headline(report, done) + times(report) + correctness(report, done);
  text += extras(report);
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
