#include "entities/ops/ops.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "entities/case_key.hpp"
#include "entities/ops/changes.hpp"
#include "entities/ops/grouping.hpp"
#include "entities/ops/incident_course.hpp"
#include "entities/ops/ops_lists.hpp"
#include "entities/ops/ping_course.hpp"
#include "entities/ops/sources.hpp"
#include "entities/ops/subscriptions.hpp"
#include "entities/ops/watch_course.hpp"

namespace vigil::entities {
namespace {

using namespace ops;

constexpr std::string_view silences_case = "ops:silences";
constexpr std::string_view changes_case = "ops:changes";
constexpr std::string_view checks_case = "ops:checks";
constexpr std::string_view subscriptions_case = "ops:subscriptions";

class OpsGuardian final : public Guardian {
 public:
  explicit OpsGuardian(OpsSetup setup) : setup_(std::move(setup)) {}

  Interest interest(const Event& event) const override {
    if (event.type == "ops.command") return command_case(event);
    if (const auto ping = read_ping(event)) {
      if (find_check(setup_.settings, ping->id) != nullptr) {
        return Interest::in(case_key_of(std::string(check_prefix) + ping->id));
      }
      return Interest::none(fmt::format("no check is called {}", vigil::quoted(ping->id)));
    }
    if (is_subscription(event)) return Interest::in(std::string(subscriptions_case));
    if (is_change(event)) return Interest::in(std::string(changes_case));
    if (event.type == "schedule.due") {
      if (!setup_.settings.checks.empty()) return Interest::in(std::string(checks_case));
      return Interest::none("there are no checks to look after");
    }
    const auto delivery = read_alerts(event);
    if (!delivery) return Interest::none(delivery.error().message);
    return Interest::in(case_of(*delivery, setup_.settings.group_by));
  }

  std::vector<std::string> standing_cases() const override { return watch_cases(setup_); }

  Decision decide(const Wake& wake, const Recollection& memory) const override {
    if (wake.case_key == silences_case) return decide_on_silences(wake, memory);
    if (wake.case_key == changes_case) return decide_on_changes(wake, memory);
    if (wake.case_key == subscriptions_case) {
      return decide_on_subscriptions(setup_.settings.report_sink, wake);
    }
    if (wake.case_key == checks_case) return decide_on_checks(setup_.settings, wake, memory);
    Course course{setup_, wake, memory, incident_from_json(memory.case_state()), {}, {}};
    std::string rule = "nothing";
    if (const auto* events = std::get_if<EventsArrived>(&wake.because)) {
      rule = on_events(course, *events);
    } else if (const auto* ended = std::get_if<SwarmEnded>(&wake.because)) {
      rule = on_report(course, ended->report);
    } else if (const auto* due = std::get_if<TimerDue>(&wake.because)) {
      rule = on_timer(course, *due);
    } else if (const auto* settled = std::get_if<ActionSettled>(&wake.because)) {
      rule = on_action(course, *settled);
    } else {
      course.remarks.emplace_back("the answer was taken note of");
      rule = "feedback";
    }
    return finish(std::move(course), std::move(rule));
  }

 private:
  static Interest command_case(const Event& event) {
    if (!is_command(event)) return Interest::none("who gives commands must be trusted");
    const auto command = parse_command(text_at(event.data, "text", 4000));
    if (!command) return Interest::none(command.error().message);
    if (command->verb == "silence" || command->verb == "unsilence") {
      return Interest::in(std::string(silences_case));
    }
    auto about = find_text(event.data, "case").value_or("");
    if (about.empty()) return Interest::none("say which case: { case = \"...\", text = \"ack\" }");
    return Interest::in(case_key_of(std::string(about)));
  }

  static Decision finish(Course course, std::string rule) {
    auto& decision = course.decision;
    std::string why = course.incident.name(course.wake.case_key);
    std::string told;
    for (const auto& remark : course.remarks) told += (told.empty() ? "" : "; ") + remark;
    decision.why = plain(why + ": " + (told.empty() ? "nothing new" : told), 1000);
    decision.rule = std::move(rule);
    const bool asked = !decision.plans.empty() || !decision.actions.empty();
    decision.verdict = asked                    ? Verdict::acted
                       : course.remarks.empty() ? Verdict::ignored
                                                : Verdict::noted;
    decision.state = to_json(course.incident);
    keep_watch(course, *decision.state);
    return std::move(decision);
  }

  std::string on_events(Course& course, const EventsArrived& events) const {
    std::string rule = "duplicate";
    auto tell = Tell::if_changed;
    for (const auto& event : events.events) {
      if (is_command(*event)) {
        rule = "command";
        if (on_command(course, *event)) tell = Tell::always;
      } else if (const auto ping = read_ping(*event)) {
        rule = on_ping(course, *ping);
      } else if (const auto delivery = read_alerts(*event)) {
        if (on_delivery(course, *delivery)) rule = "alerts";
      }
    }
    if (rule == "duplicate") {
      return rule;
    }
    follow(course, tell);
    return rule;
  }

  // Whether it says anything new.
  bool on_delivery(Course& course, const Delivery& delivery) const {
    auto& incident = course.incident;
    const auto digest = state_digest(delivery);
    // A repeated "acknowledged" or "firing" of one alert still may undo what was said between.
    const bool same = digest == incident.last_digest && incident.phase != Phase::closed;
    incident.last_digest = digest;
    incident.truncated = delivery.truncated;
    int fired = 0;
    int resolved = 0;
    int late = 0;
    for (const auto& alert : delivery.alerts) {
      const auto change = take(incident, alert, course.wake.now);
      fired += change == Change::fired ? 1 : 0;
      resolved += change == Change::resolved ? 1 : 0;
      late += change == Change::late ? 1 : 0;
      if (change == Change::acknowledged && incident.acked_by.empty()) {
        incident.acknowledge(delivery.who.empty() ? delivery.source : delivery.who,
                             course.wake.now);
        course.say("acknowledged by " + incident.acked_by);
      }
    }
    const auto& first = delivery.alerts.front();
    incident.title = title_of(delivery, setup_.settings.group_by);
    incident.nature = nature_of(first);
    incident.shared = shared_labels(delivery.alerts);
    const bool begins = incident.firing() > 0 && incident.phase != Phase::firing;
    if (fired > 0 && !begins) course.say(fmt::format("{} more fire", fired));
    if (resolved > 0 && incident.firing() > 0) {
      course.say(fmt::format("{} resolved, {} still fire", resolved, incident.firing()));
    }
    if (late > 0) {
      course.say(fmt::format("{} came late: they had resolved already", late));
    }
    if (delivery.truncated > 0 && !same) {
      course.say(fmt::format("the sender left out {} alerts", delivery.truncated));
    }
    return !same || fired + resolved + late > 0 || begins;
  }

  static bool on_command(Course& course, const Event& event) {
    const auto command = parse_command(text_at(event.data, "text", 4000));
    if (!command) return false;
    auto& incident = course.incident;
    auto who = text_at(event.data, "by", 100);
    if (who.empty()) who = "an operator";
    const auto note = command->note.empty() ? "" : ": " + command->note;
    if (command->verb == "ack" && incident.phase != Phase::firing) {
      course.remarks.emplace_back("nothing fires here that could be acknowledged");
      return false;
    }
    incident.hear(who, command->note);
    if (command->verb == "ack") {
      incident.acknowledge(who, course.wake.now);
      course.say(fmt::format("acknowledged by {}{}", who, note));
    } else if (command->verb == "unack") {
      incident.acked_by.clear();
      course.say(fmt::format("{} took the acknowledgement back", who));
    } else if (command->verb == "resolve") {
      for (auto& [fingerprint, known] : incident.alerts) {
        if (known.status != Status::firing) continue;
        known.status = Status::resolved;
        known.since = course.wake.now;
      }
      incident.ended_by = plain(who + note, 200);
      course.say(fmt::format("{} says it is resolved{}", who, note));
    } else {
      course.say(fmt::format("{} notes{}", who, note));
    }
    return true;
  }

  std::string on_report(Course& course, const swarm::Report& report) const {
    auto& incident = course.incident;
    if (report.title == fmt::format("evidence {}", incident.number)) {
      std::vector<std::string> recalled;
      for (const auto& line : incident.evidence)
        recalled.push_back(line.substr(line.find(' ') + 1));
      auto bundle = bundle_of(report, recalled);
      incident.evidence = std::move(bundle.lines);
      course.say(fmt::format("{} pieces of evidence in {}", incident.evidence.size(),
                             vigil::to_text(report.wall)));
      course.decision.documents.push_back(
          {fmt::format("evidence:{}@{}", course.wake.case_key, to_rfc3339(incident.opened)),
           "Evidence of " + incident.name(course.wake.case_key), std::move(bundle.document)});
      if (incident.told) tell_again(course);
      return "evidence";
    }
    if (report.title.starts_with("watch ") && is_watch_case(course.wake.case_key)) {
      return on_look(course, report);
    }
    if (!report.title.starts_with("runbook ")) {
      course.remarks.emplace_back("that incident is over: what was found is not told");
      return "late-report";
    }
    after_step(course,
               runbook_report(setup_.runbooks, incident, report, course.wake.now, course.decision));
    return "runbook";
  }

  static void after_step(Course& course, const Step& step) {
    if (step.why.empty()) return;
    course.say(step.why);
    if (!step.call.empty()) call_somebody(course, step.call);
    if (course.incident.told) tell_again(course);
  }

  std::string on_action(Course& course, const ActionSettled& settled) const {
    on_scale_settled(course, settled);
    after_step(course, runbook_settled(setup_.runbooks, course.incident, settled, course.wake.now,
                                       course.decision));
    if (course.remarks.empty()) {
      course.remarks.push_back(fmt::format("its {} was {}{}{}", settled.kind, settled.outcome,
                                           settled.error.empty() ? "" : ": ",
                                           plain(settled.error, 200)));
    }
    return "action";
  }

  std::string on_timer(Course& course, const TimerDue& due) const {
    const auto& name = due.name;
    auto& incident = course.incident;
    const auto now = course.wake.now;
    if (is_watch_case(course.wake.case_key) && is_watch_timer(name)) {
      on_watch_timer(course, due);
    } else if (name == "settle") {
      if (is_verifying(setup_.runbooks, incident)) {
        course.remarks.emplace_back("it is over once its runbook is verified");
        course.decision.timers.push_back({"settle", now + setup_.settings.settle, {}});
      } else if (incident.firing() == 0) {
        close_incident(course);
      }
    } else if (name == "escalate") {
      incident.waits_for_somebody = false;
      if (incident.phase == Phase::firing && incident.acked_by.empty() &&
          quiet_of(course).why.empty()) {
        ++incident.escalations;
        call_somebody(course, fmt::format("nobody has acknowledged it, call {} of {}",
                                          incident.escalations, setup_.settings.escalations_max));
      }
      follow(course, Tell::if_changed);
    } else if (name == "remind" && incident.phase == Phase::firing) {
      course.say("it still fires");
      course.decision.timers.push_back({"remind", now + setup_.settings.remind_every, {}});
      follow(course, Tell::if_changed);
    } else if (name == "quiet" && incident.phase == Phase::firing) {
      follow(course, incident.told ? Tell::if_changed : Tell::always);
    } else if (name == "verify") {
      after_step(course, runbook_verify(setup_.runbooks, incident, now, course.decision));
    } else if (is_absence(name)) {
      on_absence(course, name);
    }
    return name;
  }

  OpsSetup setup_;
};

// What the settings say, compiled; the error names the key.
Result<OpsSetup> setup_of(const config::Ops& settings) {
  OpsSetup out{settings, severity_from(settings.tell_from), {}, {}, {}, {}, {}};
  const auto wrong = [](std::string_view key, std::size_t at, const Error& error) {
    return fail(error.code, fmt::format("ops.{}[{}]: {}", key, at, error.message));
  };
  // The error begins with a key below.
  const auto below = [](std::string_view key, std::size_t at, const Error& error) {
    return fail(error.code, fmt::format("ops.{}[{}].{}", key, at, error.message));
  };
  for (std::size_t i = 0; i < settings.silences.size(); ++i) {
    const auto& from = settings.silences[i];
    auto match = parse_matchers(from.match);
    if (!match) return wrong("silence", i, match.error());
    out.silences.push_back({{}, std::move(*match), from.from, from.until, from.why, {}});
  }
  for (std::size_t i = 0; i < settings.inhibits.size(); ++i) {
    const auto& from = settings.inhibits[i];
    auto source = parse_matchers(from.source);
    auto target = parse_matchers(from.target);
    if (!source) return wrong("inhibit", i, source.error());
    if (!target) return wrong("inhibit", i, target.error());
    out.inhibits.push_back({std::move(*source), std::move(*target), from.equal});
  }
  for (std::size_t i = 0; i < settings.runbooks.size(); ++i) {
    auto runbook = make_runbook(settings.runbooks[i]);
    if (!runbook) return wrong("runbook", i, runbook.error());
    out.runbooks.push_back(std::move(*runbook));
  }
  for (std::size_t i = 0; i < settings.watches.size(); ++i) {
    auto watch = make_watch(settings.watches[i]);
    if (!watch) return below("watch", i, watch.error());
    out.watches.push_back(std::move(*watch));
  }
  for (std::size_t i = 0; i < settings.scales.size(); ++i) {
    auto scale = make_scale(settings.scales[i]);
    if (!scale) return below("scale", i, scale.error());
    out.scales.push_back(std::move(*scale));
  }
  for (std::size_t i = 0; i < settings.evidence.size(); ++i) {
    if (auto match = parse_matchers(settings.evidence[i].match); !match) {
      return wrong("evidence", i, match.error());
    }
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Guardian>> make_ops(const config::Entity& entity) {
  const auto* settings = config::find_kind<config::Ops>(entity);
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::invalid_input,
                fmt::format("entity {}: {}", vigil::quoted(entity.name), why));
  };
  if (settings == nullptr) return refuse("kind \"ops\" needs an [ops] table");
  auto setup = setup_of(*settings);
  if (!setup) return refuse(setup.error().message);
  // Whatever else a plan could refuse shows now, not at the first incident.
  Incident trial;
  trial.shared["unit"] = "trial.service";
  const auto plan = plan_evidence(*settings, trial, TimePoint{}, "trial");
  if (auto valid = plan.tasks.empty() ? Result<void>{} : swarm::validate(plan); !valid) {
    return refuse("ops.evidence: " + valid.error().message);
  }
  setup->advice = *entity.advice;
  return std::make_unique<OpsGuardian>(std::move(*setup));
}

}  // namespace vigil::entities
