#include "entities/ops/ping_course.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "entities/ops/grouping.hpp"
#include "entities/ops/sources.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::string_view run_timer = "run";

std::string timer_of(const Ping& ping) {
  return ping.run.empty() ? std::string(run_timer) : fmt::format("{}:{}", run_timer, ping.run);
}

void check_says(Course& course, const config::OpsCheck& check, Status status,
                const std::string& said) {
  const auto alert = alert_of(check, status, plain(said, 300));
  course.incident.title = check.id;
  course.incident.nature = nature_of(alert);
  course.incident.shared = alert.labels;
  take(course.incident, alert, course.wake.now);
  course.remarks.push_back(said);
  if (status == Status::firing) course.incident.note(course.wake.now, said);
}

std::string fact_key(const config::OpsCheck& check) { return "ping-start:" + check.id; }

void begin_run(Course& course, const config::OpsCheck& check, const Ping& ping) {
  const auto now = course.wake.now;
  course.remarks.emplace_back("the run has started");
  course.decision.facts.push_back(
      {fact_key(check), json::object{{"at", to_rfc3339(now)}, {"run", ping.run}}, 1.0, "ping"});
  if (check.run_max > Duration{0}) {
    course.decision.timers.push_back({timer_of(ping), now + check.run_max, {}});
  }
}

// ", after 3m": of the run that was the last to start, if it is this one.
std::string how_long(const Course& course, const config::OpsCheck& check, const Ping& ping) {
  const auto started = course.memory.fact(fact_key(check));
  if (!started || text_at(started->value, "run", 64) != ping.run) return {};
  const auto at = time_at(started->value, "at");
  return at ? fmt::format(", after {}", vigil::to_text(course.wake.now - *at)) : "";
}

// What a job wrote is kept with the failure, as far as it was sent.
void keep_words(Course& course, const config::OpsCheck& check, const Ping& ping) {
  if (ping.body.empty()) return;
  course.decision.documents.push_back(
      {fmt::format("ping:{}@{}", check.id, to_rfc3339(course.wake.now)),
       fmt::format("What {} said when it failed", check.id), ping.body});
}

}  // namespace

std::string on_ping(Course& course, const Ping& ping) {
  const auto* check = find_check(course.setup.settings, ping.id);
  if (check == nullptr) return "ping";
  const auto now = course.wake.now;
  course.incident.title = check->id;
  if (ping.kind == Ping::Kind::log) {
    course.remarks.push_back("the job says" + (ping.said.empty() ? " nothing" : ": " + ping.said));
    if (course.incident.phase == Phase::firing) course.incident.note(now, course.remarks.back());
    return "ping-log";
  }
  course.decision.facts.push_back(
      {"ping:" + check->id, json::object{{"at", to_rfc3339(now)}}, 1.0, "ping"});
  if (ping.kind == Ping::Kind::start) {
    begin_run(course, *check, ping);
    return "ping-start";
  }
  auto& timers = course.decision.timers;
  timers.push_back({"late", now + check->every + check->grace, {}});
  timers.push_back({timer_of(ping), std::nullopt, {}});
  const auto took = how_long(course, *check, ping);
  if (!took.empty()) course.decision.facts.push_back({fact_key(*check), nullptr, 1.0, "ping"});
  if (ping.kind == Ping::Kind::fail) {
    keep_words(course, *check, ping);
    check_says(course, *check, Status::firing,
               "the run failed" + took + (ping.said.empty() ? "" : ": " + ping.said));
    return "ping-failed";
  }
  check_says(course, *check, Status::resolved, "in time" + took);
  return "ping";
}

bool is_absence(std::string_view timer) {
  return timer == "late" || timer == run_timer || timer.starts_with("run:");
}

void on_absence(Course& course, std::string_view timer) {
  const auto id = std::string_view(course.wake.case_key).substr(check_prefix.size());
  const auto* check = find_check(course.setup.settings, id);
  if (check == nullptr) return;
  check_says(course, *check, Status::firing,
             timer == "late"
                 ? fmt::format("no ping for {}", vigil::to_text(check->every + check->grace))
                 : fmt::format("it runs for more than {}", vigil::to_text(check->run_max)));
  follow(course, Tell::always);
}

}  // namespace vigil::entities::ops
