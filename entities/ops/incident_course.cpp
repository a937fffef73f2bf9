#include "entities/ops/incident_course.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "entities/case_key.hpp"
#include "entities/ops/hypotheses.hpp"
#include "entities/ops/recall.hpp"
#include "entities/ops/watch_course.hpp"

namespace vigil::entities::ops {
namespace {

using namespace std::chrono_literals;

constexpr Duration look_again = 5min;
constexpr int facts_max = 200;

void set_timer(Course& course, std::string name, std::optional<TimePoint> due) {
  course.decision.timers.push_back({std::move(name), due, {}});
}

Labels labels_in(const json::value& from) {
  Labels out;
  const auto* found = find_path(from, "labels");
  if (found == nullptr || !found->is_object()) return out;
  for (const auto& [name, value] : found->get_object()) {
    if (value.is_string()) out[name] = value.get_string();
  }
  return out;
}

std::string open_key(const std::string& case_key) { return std::string(open_prefix) + case_key; }

void remember_open(Course& course) {
  json::object labels;
  for (const auto& [name, value] : course.incident.shared) labels[name] = value;
  Fact fact;
  fact.key = open_key(course.wake.case_key);
  fact.value = json::object{{"title", course.incident.title},
                            {"labels", std::move(labels)},
                            {"severity", to_text(course.incident.severity())},
                            {"since", to_rfc3339(course.incident.opened)}};
  fact.provenance = course.wake.case_key;
  course.decision.facts.push_back(std::move(fact));
}

void begin(Course& course) {
  auto& incident = course.incident;
  const auto before = std::move(incident);
  incident = Incident{};
  incident.number = before.number + 1;
  incident.title = before.title;
  incident.nature = before.nature;
  incident.shared = before.shared;
  incident.alerts = before.alerts;
  incident.truncated = before.truncated;
  incident.last_digest = before.last_digest;
  incident.runs = before.runs;
  if (before.phase == Phase::none) {
    incident.acked_by = before.acked_by;
    incident.first_acked_by = before.first_acked_by;
    incident.first_acked = before.first_acked;
  }
  std::erase_if(incident.alerts, [&](const auto& entry) {
    return entry.second.status == Status::resolved && before.phase == Phase::closed;
  });
  incident.phase = Phase::firing;
  incident.opened = course.wake.now;
  course.say(fmt::format("incident {} began with {} {}", incident.number, incident.firing(),
                         incident.firing() == 1 ? "alert" : "alerts"));
  incident.evidence = recalled(incident, course.wake.case_key, course.memory, course.wake.now);
  int number = 0;
  for (auto& line : incident.evidence) line = fmt::format("E{} {}", ++number, line);
  remember_open(course);
  const auto& settings = course.setup.settings;
  set_timer(course, "settle", std::nullopt);
  if (settings.remind_every > Duration{0}) {
    set_timer(course, "remind", course.wake.now + settings.remind_every);
  }
  if (!settings.investigate) return;
  auto plan = plan_evidence(settings, incident, course.wake.now,
                            fmt::format("evidence {}", incident.number));
  ask_for_hypotheses(course.setup.advice, incident, plan);
  if (!plan.tasks.empty()) course.decision.plans.push_back(std::move(plan));
}

void flip(Course& course) {
  auto& incident = course.incident;
  const auto now = course.wake.now;
  const auto& settings = course.setup.settings;
  std::erase_if(incident.flips,
                [&](TimePoint at) { return at <= now - settings.flap_window || at > now; });
  incident.flips.push_back(now);
  if (incident.flips.size() > 100) incident.flips.erase(incident.flips.begin());
  const bool flaps = incident.flips.size() >= static_cast<std::size_t>(settings.flap_changes);
  if (flaps && !incident.flapping) {
    course.say(fmt::format("it is flapping: {} changes in {}; changes are not told one by one",
                           incident.flips.size(), vigil::to_text(settings.flap_window)));
  }
  incident.flapping = incident.flapping || flaps;
}

void resolve(Course& course) {
  auto& incident = course.incident;
  incident.phase = Phase::resolved;
  incident.resolved = course.wake.now;
  course.say("all alerts have resolved");
  if (!incident.acked_by.empty()) course.say("the acknowledgement has expired with it");
  incident.acked_by.clear();
  incident.waits_for_somebody = false;
  set_timer(course, "escalate", std::nullopt);
  set_timer(course, "remind", std::nullopt);
  set_timer(course, "quiet", std::nullopt);
  set_timer(course, "settle", course.wake.now + course.setup.settings.settle);
}

void wait_for_somebody(Course& course) {
  auto& incident = course.incident;
  const auto& settings = course.setup.settings;
  const bool wanted = incident.phase == Phase::firing && incident.acked_by.empty() &&
                      incident.escalations < settings.escalations_max &&
                      settings.escalate_after > Duration{0};
  if (wanted && !incident.waits_for_somebody) {
    set_timer(course, "escalate", course.wake.now + settings.escalate_after);
  } else if (!wanted && incident.waits_for_somebody) {
    set_timer(course, "escalate", std::nullopt);
  }
  incident.waits_for_somebody = wanted;
}

Action message(const Course& course, std::string kind, const std::string& sink,
               std::string_view remark) {
  const auto& incident = course.incident;
  Action action;
  action.kind = std::move(kind);
  action.sink = sink;
  action.payload = {
      {"case", course.wake.case_key},
      {"incident", incident.number},
      {"title", headline(incident)},
      {"severity", to_text(incident.severity())},
      {"phase", to_text(incident.phase)},
      {"text",
       plain(headline(incident) + (remark.empty() ? "" : ". " + std::string(remark)), 1000)},
      {"body", message_of(incident, course.wake.now, remark)}};
  return action;
}

std::string joined(const std::vector<std::string>& remarks) {
  std::string out;
  for (const auto& remark : remarks) out += (out.empty() ? "" : "; ") + remark;
  return out;
}

}  // namespace

void Course::say(std::string remark) {
  incident.note(wake.now, remark);
  remarks.push_back(std::move(remark));
}

Quiet quiet_of(const Course& course) {
  const auto& incident = course.incident;
  const auto now = course.wake.now;
  if (incident.severity() < course.setup.tell_from) return {"its severity is only remembered", {}};
  auto silences = course.setup.silences;
  for (const auto& fact : course.memory.facts("silence:", facts_max)) {
    if (auto silence = silence_from_json(fact.value)) silences.push_back(std::move(*silence));
  }
  // Silent only when each alert that fires is; the first silence to end is when to look again.
  std::optional<TimePoint> until;
  bool all_silent = incident.firing() > 0;
  for (const auto& [fingerprint, known] : incident.alerts) {
    if (known.status != Status::firing) continue;
    const auto found = std::ranges::find_if(
        silences, [&](const auto& silence) { return silence.holds(known.labels, now); });
    all_silent = all_silent && found != silences.end();
    if (!all_silent) break;
    if (found->until && (!until || *found->until < *until)) until = found->until;
  }
  if (all_silent) return {"all that fires is silenced", until};
  for (const auto& fact : course.memory.facts(std::string(open_prefix), facts_max)) {
    if (fact.key == open_key(course.wake.case_key)) continue;
    const auto theirs = labels_in(fact.value);
    for (const auto& inhibit : course.setup.inhibits) {
      if (!all_match(inhibit.target, incident.shared) || !all_match(inhibit.source, theirs))
        continue;
      const bool same = std::ranges::all_of(inhibit.equal, [&](const auto& name) {
        const auto mine = incident.shared.find(name);
        const auto other = theirs.find(name);
        const bool here = mine != incident.shared.end();
        return here == (other != theirs.end()) && (!here || mine->second == other->second);
      });
      if (!same) continue;
      return {fmt::format("{} explains it", find_text(fact.value, "title").value_or("another one")),
              now + look_again};
    }
  }
  return {};
}

void call_somebody(Course& course, std::string_view why) {
  const auto& settings = course.setup.settings;
  const auto& sink =
      settings.escalation_sink.empty() ? settings.report_sink : settings.escalation_sink;
  course.say(fmt::format("called for help: {}", why));
  if (!sink.empty()) course.decision.actions.push_back(message(course, "escalate", sink, why));
}

void tell_again(Course& course) {
  course.incident.told = true;  // as far as it can be
  if (course.setup.settings.report_sink.empty()) return;
  auto action =
      message(course, "notify", course.setup.settings.report_sink, joined(course.remarks));
  action.sticky_key = fmt::format("incident:{}", to_unix_us(course.incident.opened) / 1000);
  course.decision.actions.push_back(std::move(action));
}

void follow(Course& course, Tell tell) {
  auto& incident = course.incident;
  const bool fires = incident.firing() > 0;
  const bool flapped = incident.flapping;
  const bool begins = fires && (incident.phase == Phase::none || incident.phase == Phase::closed);
  if (begins) {
    begin(course);
  } else if (fires && incident.phase == Phase::resolved) {
    incident.phase = Phase::firing;
    incident.resolved = std::nullopt;
    course.say("it fires again");
    flip(course);
    set_timer(course, "settle", std::nullopt);
    if (course.setup.settings.remind_every > Duration{0}) {
      set_timer(course, "remind", course.wake.now + course.setup.settings.remind_every);
    }
  } else if (!fires && incident.phase == Phase::firing) {
    resolve(course);
    flip(course);
  } else if (!fires && incident.phase != Phase::resolved) {
    set_timer(course, "settle", course.wake.now + course.setup.settings.settle);
    return;
  }
  const auto quiet = quiet_of(course);
  if (fires && !quiet.why.empty()) {
    course.remarks.push_back("nobody is told: " + quiet.why);
    if (quiet.until) set_timer(course, "quiet", *quiet.until);
    if (incident.waits_for_somebody) set_timer(course, "escalate", std::nullopt);
    incident.waits_for_somebody = false;
    return;
  }
  if (fires && (begins || !incident.told)) {
    const auto step =
        begin_runbook(course.setup.runbooks, incident, course.wake.now, course.decision);
    if (!step.why.empty()) course.say(step.why);
    if (!step.call.empty()) call_somebody(course, step.call);
  }
  wait_for_somebody(course);
  const bool dampened = flapped && incident.flapping;
  const bool worth = fires || incident.told;
  const bool news = !course.remarks.empty() || tell == Tell::always;
  if (worth && news && !dampened) tell_again(course);
}

void close_incident(Course& course) {
  auto& incident = course.incident;
  auto& decision = course.decision;
  // A check goes on waiting for its next ping, and a watch goes on looking.
  decision.close_case = !course.wake.case_key.starts_with("check:") &&
                        watch_of(course.setup, course.wake.case_key) == nullptr;
  if (incident.phase != Phase::resolved) {
    course.remarks.emplace_back("it never fired");
    return;
  }
  const auto end = incident.resolved.value_or(course.wake.now);
  const auto lasted = vigil::to_text(std::max(Duration{0}, end - incident.opened));
  incident.flapping = false;
  course.say(fmt::format("it is over after {}{}", lasted,
                         incident.ended_by.empty() ? "" : ", by " + incident.ended_by));
  incident.phase = Phase::closed;
  incident.runbook.clear();
  incident.runbook_step.clear();
  const auto body = post_mortem(incident, course.wake.case_key);
  const auto title = fmt::format("Incident {}: {}", incident.number, incident.title);
  const auto key = fmt::format("incident:{}@{}", course.wake.case_key, to_rfc3339(incident.opened));
  decision.documents.push_back({key, title, body});
  decision.episodes.push_back(
      {"incident", fmt::format("{} lasted {}.", title, lasted),
       json::object{{"number", incident.number}, {"ended_by", incident.ended_by}}});
  decision.facts.push_back({open_key(course.wake.case_key), nullptr, 1.0, {}});
  decision.facts.push_back(like_fact(incident, course.wake.case_key, course.memory, key));
  if (!incident.told) return;
  tell_again(course);
  if (!decision.actions.empty()) decision.actions.back().payload["post_mortem"] = body;
}

}  // namespace vigil::entities::ops
