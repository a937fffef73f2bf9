#include "entities/ops/watch_course.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "entities/case_key.hpp"
#include "entities/ops/grouping.hpp"
#include "entities/ops/watch_judge.hpp"
#include "entities/ops/watch_plan.hpp"
#include "entities/ops/watch_scale.hpp"

namespace vigil::entities::ops {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view look_timer = "look";
constexpr Duration grace = 1min;  // for a look to end after its time
constexpr int failures_told = 2;  // in a row
constexpr std::size_t alerts_said = 5;

WatchState state_of(const Course& course) {
  if (course.watch) return watch_state_from_json(*course.watch);
  const auto state = course.memory.case_state();
  const auto* found = state.if_contains("watch");
  return found == nullptr ? WatchState{} : watch_state_from_json(*found);
}

void keep(Course& course, const WatchState& state) { course.watch = to_json(state); }

// The alerts become those of the case. What is the same as before is not told again.
void take_all(Course& course, const Watch& watch, std::vector<Alert> alerts) {
  auto& incident = course.incident;
  incident.title = watch.settings.name;
  std::size_t said = 0;
  std::size_t news = 0;
  std::vector<Alert> firing;
  for (auto& alert : alerts) {
    const bool known = incident.alerts.contains(alert.fingerprint);
    if (alert.status == Status::resolved && !known) continue;
    const auto change = take(incident, alert, course.wake.now);
    if (change == Change::fired || change == Change::resolved) {
      ++news;
      const auto what = alert.status == Status::firing ? "fires" : "resolved";
      if (said++ < alerts_said) {
        course.say(fmt::format("{} {}: {}", alert.name, what, alert.summary));
      }
    }
    if (alert.status == Status::firing) firing.push_back(std::move(alert));
  }
  if (said > alerts_said) course.say(fmt::format("and {} more", said - alerts_said));
  if (!firing.empty()) {
    incident.nature = nature_of(firing.front());
    incident.shared = shared_labels(firing);
  }
  if (news > 0) follow(course, Tell::if_changed);
}

Alert failing_alert(const Watch& watch, Status status, std::string summary) {
  return alert_about(watch, "watch-failing", "failing", status, watch.settings.failing,
                     std::move(summary));
}

void could_not_look(Course& course, const Watch& watch, WatchState& state, std::string_view why) {
  ++state.failures;
  const auto text = fmt::format("could not look{}: {}",
                                state.failures > 1 ? fmt::format(", {} times", state.failures) : "",
                                plain(why, 300));
  if (state.failures >= failures_told) {
    take_all(course, watch, {failing_alert(watch, Status::firing, text)});
  }
  course.remarks.push_back(text);
}

// What has to be known of a look beside its alerts, once and not at each of them.
void say_notes(Course& course, WatchState& state, const Look& look, const Judged& judged) {
  std::string notes;
  for (const auto* list : {&judged.notes, &look.problems}) {
    for (const auto& note : *list) notes += (notes.empty() ? "" : "; ") + note;
  }
  if (notes == state.notes) return;
  state.notes = plain(notes, 500);
  if (!notes.empty()) course.remarks.push_back(state.notes);
}

void scale_all(Course& course, const Watch& watch, WatchState& state, const Look& look,
               const swarm::Report& report) {
  std::erase_if(state.scales, [&](const auto& entry) {
    return std::ranges::none_of(course.setup.scales, [&](const auto& scale) {
      return scale.settings.name == entry.first && scale.settings.watch == watch.settings.name;
    });
  });
  for (const auto& scale : course.setup.scales) {
    if (scale.settings.watch != watch.settings.name) continue;
    const auto printed = size_printed(report, scale.settings.name);
    for (auto& said : rescale(scale, look, printed, state, course.wake.now, course.decision)) {
      course.say(std::move(said));
    }
  }
}

void plan_look(Course& course, const Watch& watch, WatchState& state) {
  ++state.number;
  state.running = course.wake.now;
  course.decision.plans.push_back(
      plan_of(watch, course.setup.scales, look_title(watch, state.number)));
}

// On its own raster, so that a late wake does not move it; the next one in the future.
TimePoint next_after(TimePoint due, TimePoint now, Duration every) {
  if (due > now || now - due > every * 1000) return now + every;
  return due + every * ((now - due) / every + 1);
}

void look(Course& course, const Watch& watch, WatchState& state, TimePoint due) {
  const auto now = course.wake.now;
  state.next = next_after(due, now, watch.settings.every);
  course.decision.timers.push_back({std::string(look_timer), *state.next, {}});
  if (state.running && *state.running <= now) {
    const auto since = now - *state.running;
    if (since <= look_time(watch) + grace) {
      course.remarks.push_back(fmt::format("not looked at: the look that began {} ago still runs",
                                           vigil::to_text(since)));
      return;
    }
    could_not_look(course, watch, state, "the look before did not end, or was never begun");
  }
  plan_look(course, watch, state);
}

// What fired is over, as nobody looks any more.
void end_watch(Course& course) {
  auto& incident = course.incident;
  course.decision.timers.push_back({std::string(look_timer), std::nullopt, {}});
  course.watch = json::object{};
  const bool fired = incident.firing() > 0;
  for (auto& [fingerprint, known] : incident.alerts) {
    if (known.status != Status::firing) continue;
    known.status = Status::resolved;
    known.since = course.wake.now;
  }
  course.say("the watch was taken out of the configuration");
  if (fired) {
    incident.ended_by = "a change of the configuration";
    follow(course, Tell::if_changed);
  } else if (incident.phase != Phase::resolved) {
    course.decision.close_case = true;
  }
}

}  // namespace

bool is_watch_case(std::string_view case_key) { return case_key.starts_with(watch_prefix); }

std::vector<std::string> watch_cases(const OpsSetup& setup) {
  std::vector<std::string> out;
  for (const auto& watch : setup.watches) {
    out.push_back(case_key_of(std::string(watch_prefix) + watch.settings.name));
  }
  return out;
}

const Watch* watch_of(const OpsSetup& setup, std::string_view case_key) {
  const auto found = std::ranges::find_if(setup.watches, [&](const auto& watch) {
    return case_key_of(std::string(watch_prefix) + watch.settings.name) == case_key;
  });
  return found == setup.watches.end() ? nullptr : &*found;
}

bool is_watch_timer(std::string_view timer) {
  return timer == look_timer || timer == settings_timer;
}

void on_watch_timer(Course& course, const TimerDue& due) {
  const auto* watch = watch_of(course.setup, course.wake.case_key);
  if (watch == nullptr) return end_watch(course);
  auto state = state_of(course);
  const auto now = course.wake.now;
  const auto every = watch->settings.every;
  // The timer is already set, and neither too far off nor lost.
  const bool on_its_way = state.next && *state.next <= now + every && *state.next > now - every;
  if (due.name == look_timer) {
    look(course, *watch, state, due.due);
  } else if (on_its_way) {
    course.remarks.push_back("it looks every " + vigil::to_text(every));
  } else {
    look(course, *watch, state, now);
  }
  keep(course, state);
}

std::string on_look(Course& course, const swarm::Report& report) {
  const auto* watch = watch_of(course.setup, course.wake.case_key);
  if (watch == nullptr) {
    course.remarks.emplace_back("the watch was taken out of the configuration");
    return "late-look";
  }
  auto state = state_of(course);
  if (report.title != look_title(*watch, state.number) || !state.running) {
    course.remarks.emplace_back("a look that was given up ended late");
    return "late-look";
  }
  state.running.reset();
  const auto found = look_of(*watch, report);
  if (!found) {
    could_not_look(course, *watch, state, found.error().message);
    keep(course, state);
    return "could-not-look";
  }
  auto judged = judge(*watch, found->look, state, course.wake.now);
  if (state.failures > 0) {
    judged.alerts.push_back(failing_alert(*watch, Status::resolved, "it looks again"));
    state.failures = 0;
  }
  if (found->state) judged.alerts.push_back(*found->state);
  take_all(course, *watch, std::move(judged.alerts));
  scale_all(course, *watch, state, found->look, report);
  say_notes(course, state, found->look, judged);
  keep(course, state);
  return "look";
}

void on_scale_settled(Course& course, const ActionSettled& settled) {
  if (settled.kind != scale_kind) return;
  auto state = state_of(course);
  auto said = scale_settled(settled, course.setup.scales, state, course.wake.now);
  if (said.empty()) return;
  course.say(std::move(said));
  keep(course, state);
}

void keep_watch(const Course& course, json::object& state) {
  if (!is_watch_case(course.wake.case_key)) return;
  if (course.watch) {
    state["watch"] = *course.watch;
    return;
  }
  auto before = course.memory.case_state();
  if (auto* kept = before.if_contains("watch"); kept != nullptr) state["watch"] = std::move(*kept);
}

}  // namespace vigil::entities::ops
