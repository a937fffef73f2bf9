#include "entities/ops/watch_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "entities/ops/watch_judge.hpp"

namespace vigil::entities::ops {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view look_task = "look";
constexpr std::string_view readings_task = "readings";
constexpr std::string_view size_prefix = "size/";
constexpr Duration reading_timeout = 20s;
constexpr std::size_t output_bytes_max = 4 * 1024 * 1024;

swarm::Containment containment_of(std::string_view sandbox) {
  if (sandbox == "none") return swarm::Containment::none;
  return sandbox == "net" ? swarm::Containment::net : swarm::Containment::strict;
}

const swarm::TaskOutcome* outcome_of(const swarm::Report& report, std::string_view name) {
  const auto found = std::ranges::find(report.tasks, name, &swarm::TaskOutcome::name);
  return found == report.tasks.end() ? nullptr : &*found;
}

std::string why_not(const swarm::Report& report, const swarm::TaskOutcome* task) {
  if (task != nullptr && !task->error.empty()) return task->error;
  return report.error.empty() ? "it did not end" : report.error;
}

}  // namespace

std::string look_title(const Watch& watch, std::int64_t number) {
  return fmt::format("watch {} {}", watch.settings.name, number);
}

Duration look_time(const Watch& watch) { return watch.settings.timeout + reading_timeout; }

swarm::Plan plan_of(const Watch& watch, const std::vector<Scale>& scales, std::string title) {
  const auto& settings = watch.settings;
  swarm::Plan plan;
  plan.title = std::move(title);
  plan.timeout = look_time(watch);
  swarm::Task task;
  task.name = look_task;
  task.timeout = settings.timeout;
  task.read_paths = settings.read_paths;
  task.containment = containment_of(settings.sandbox);
  task.output_bytes_max = output_bytes_max;
  if (settings.argv.empty()) {
    task.builtin = settings.analyser;
    task.input = settings.input;
    plan.tasks.push_back(std::move(task));
  } else {
    task.argv = settings.argv;
    task.exit_ok = {0, 1, 2, 3};
    plan.tasks.push_back(std::move(task));
    swarm::Task reading;
    reading.name = readings_task;
    reading.builtin = settings.analyser.empty() ? "ops.readings" : settings.analyser;
    reading.input = settings.input;
    reading.needs = {std::string(look_task)};
    reading.timeout = reading_timeout;
    reading.output_bytes_max = output_bytes_max * 2;
    plan.tasks.push_back(std::move(reading));
  }
  for (const auto& scale : scales) {
    if (scale.settings.watch != settings.name || scale.settings.argv.empty()) continue;
    swarm::Task size;
    size.name = std::string(size_prefix) + scale.settings.name;
    size.argv = scale.settings.argv;
    size.timeout = settings.timeout;
    size.containment = containment_of(scale.settings.sandbox);
    size.optional = true;
    plan.tasks.push_back(std::move(size));
  }
  return plan;
}

Result<Looked> look_of(const Watch& watch, const swarm::Report& report) {
  const auto refuse = [](std::string why) { return fail(ErrorCode::unavailable, std::move(why)); };
  const auto* task = outcome_of(report, look_task);
  if (task == nullptr || task->state != swarm::TaskState::done) {
    return refuse(why_not(report, task));
  }
  Looked out;
  if (watch.settings.argv.empty()) {
    if (find_path(task->result, "readings") == nullptr) {
      return refuse(fmt::format("{} gives no readings{}", watch.settings.analyser,
                                task->output_cut_bytes > 0 ? ", or more than is kept" : ""));
    }
    out.look = read_look(task->result);
    return out;
  }
  const auto code = task->exit_code;
  const auto* reading = outcome_of(report, readings_task);
  if (reading == nullptr || reading->state != swarm::TaskState::done) {
    return refuse(
        code == 0 ? why_not(report, reading)
                  : fmt::format("it ended with exit code {}: {}", code, why_not(report, reading)));
  }
  if (find_path(reading->result, "readings") == nullptr) {
    return refuse(
        fmt::format("{} gives no readings, or more than is kept", watch.settings.analyser));
  }
  out.look = read_look(reading->result);
  if (task->output_cut_bytes > 0) {
    out.look.problems.push_back("the program printed more than 4 MiB: the rest was not read");
  }
  if (!out.look.is_plugin) {
    if (code != 0) return refuse(fmt::format("it ended with exit code {}", code));
    return out;
  }
  if (code > 2) return refuse("its state is unknown: " + out.look.text);
  const auto severity = code == 2 ? Severity::critical : Severity::warning;
  out.state =
      alert_about(watch, watch.settings.name, "state",
                  code == 0 ? Status::resolved : Status::firing, to_text(severity), out.look.text);
  return out;
}

json::value size_printed(const swarm::Report& report, const std::string& scale) {
  const auto* task = outcome_of(report, std::string(size_prefix) + scale);
  if (task == nullptr || task->state != swarm::TaskState::done) return nullptr;
  return task->result;
}

}  // namespace vigil::entities::ops
