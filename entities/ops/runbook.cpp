#include "entities/ops/runbook.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <boost/json/object.hpp>

namespace vigil::entities::ops {
namespace {

using namespace std::chrono_literals;

std::optional<Fillings> arguments_of(const Runbook& book, const Incident& incident) {
  Fillings out;
  for (const auto& name : book.settings.arguments) {
    const auto found = incident.shared.find(name);
    if (found == incident.shared.end() || !is_plain_argument(found->second) ||
        !re2::RE2::FullMatch(found->second, *book.pattern)) {
      return std::nullopt;
    }
    out["label:" + name] = found->second;
  }
  return out;
}

const Runbook* current(const std::vector<Runbook>& all, const Incident& incident) {
  const auto found = std::ranges::find_if(
      all, [&](const auto& book) { return book.settings.name == incident.runbook; });
  return found == all.end() || incident.runbook.empty() ? nullptr : &*found;
}

std::string title_for(const Incident& incident, std::string_view step) {
  return fmt::format("runbook {} {} {}", incident.runbook, step, incident.number);
}

bool plan_step(const Runbook& book, const Incident& incident, const std::vector<std::string>& argv,
               std::string_view step, Decision& decision) {
  const auto arguments = arguments_of(book, incident);
  auto command = arguments ? filled(argv, *arguments) : std::nullopt;
  if (!command) return false;
  swarm::Task task;
  task.name = step;
  task.argv = std::move(*command);
  task.timeout = book.settings.timeout;
  if (book.settings.sandbox == "none") task.containment = swarm::Containment::none;
  if (book.settings.sandbox == "net") task.containment = swarm::Containment::net;
  swarm::Plan plan;
  plan.title = title_for(incident, step);
  plan.tasks.push_back(std::move(task));
  decision.plans.push_back(std::move(plan));
  return true;
}

void act(const Runbook& book, Incident& incident, const std::string& sink, std::string_view step,
         TimePoint now, Decision& decision) {
  Action action;
  action.kind = "run";
  action.sink = sink;
  action.expires = now + 1h;  // an answer to an old incident would do harm
  json::object arguments;
  if (const auto values = arguments_of(book, incident)) {
    for (const auto& [name, value] : *values) arguments[name.substr(6)] = value;
  }
  action.payload = {
      {"runbook", book.settings.name},
      {"step", step},
      {"incident", incident.number},
      {"arguments", std::move(arguments)},
      {"text", fmt::format("{}: runbook {} for {}", step, book.settings.name, incident.title)}};
  decision.actions.push_back(std::move(action));
  incident.runbook_step = step;
  if (step == "act") incident.runs.push_back(now);
}

void end(Incident& incident, Decision& decision) {
  incident.runbook.clear();
  incident.runbook_step.clear();
  decision.timers.push_back({"verify", std::nullopt, {}});
}

Step not_verified(const Runbook& book, Incident& incident, std::string_view reason, TimePoint now,
                  Decision& decision) {
  const auto why = fmt::format("runbook {} did not help: {}", book.settings.name, reason);
  if (!book.settings.rollback_sink.empty()) {
    act(book, incident, book.settings.rollback_sink, "roll-back", now, decision);
    return {why + "; it is rolled back", why};
  }
  end(incident, decision);
  return {why, why};
}

}  // namespace

Result<Runbook> make_runbook(const config::OpsRunbook& settings) {
  auto match = parse_matchers(settings.match);
  if (!match) return std::unexpected(std::move(match.error()));
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto pattern = std::make_shared<const re2::RE2>(settings.argument_pattern, options);
  if (!pattern->ok()) {
    return fail(ErrorCode::invalid_input,
                fmt::format("argument_pattern holds a mistake: {}", pattern->error()));
  }
  if (settings.match.empty()) return fail(ErrorCode::invalid_input, "it has no match");
  return Runbook{settings, std::move(*match), std::move(pattern)};
}

Step begin_runbook(const std::vector<Runbook>& all, Incident& incident, TimePoint now,
                   Decision& decision) {
  if (!incident.runbook.empty()) return {};
  std::erase_if(incident.runs, [&](TimePoint at) { return at <= now - 1h || at > now; });
  for (const auto& book : all) {
    if (!all_match(book.match, incident.shared)) continue;
    const auto& name = book.settings.name;
    if (!arguments_of(book, incident)) {
      return {fmt::format("runbook {} was not begun: its arguments are not there, or do not look "
                          "as they should",
                          name),
              {}};
    }
    if (incident.runs.size() >= static_cast<std::size_t>(book.settings.per_hour_max)) {
      const auto why =
          fmt::format("runbook {} ran {} times within an hour", name, incident.runs.size());
      return {why, why};
    }
    incident.runbook = name;
    if (book.settings.check.empty()) {
      act(book, incident, book.settings.sink, "act", now, decision);
      return {fmt::format("runbook {} is asked for", name), {}};
    }
    incident.runbook_step = "check";
    if (!plan_step(book, incident, book.settings.check, "check", decision)) {
      end(incident, decision);
      return {fmt::format("runbook {} was not begun: its check lacks a label", name), {}};
    }
    return {fmt::format("runbook {} checks first", name), {}};
  }
  return {};
}

Step runbook_report(const std::vector<Runbook>& all, Incident& incident,
                    const swarm::Report& report, TimePoint now, Decision& decision) {
  const auto* book = current(all, incident);
  if (book == nullptr || report.title != title_for(incident, incident.runbook_step)) return {};
  const auto& name = book->settings.name;
  const auto reason = report.tasks.empty() ? report.error : report.tasks.front().error;
  if (incident.runbook_step == "check") {
    if (report.ok && incident.firing() > 0) {
      act(*book, incident, book->settings.sink, "act", now, decision);
      return {fmt::format("runbook {} is asked for: its check was passed", name), {}};
    }
    end(incident, decision);
    const auto why = report.ok ? std::string("it is over already") : "its check said no: " + reason;
    return {fmt::format("runbook {} does not act: {}", name, why), {}};
  }
  if (!report.ok) return not_verified(*book, incident, reason, now, decision);
  incident.ended_by = "runbook " + name;
  end(incident, decision);
  return {fmt::format("runbook {} helped: it was verified", name), {}};
}

Step runbook_verify(const std::vector<Runbook>& all, Incident& incident, TimePoint now,
                    Decision& decision) {
  const auto* book = current(all, incident);
  if (book == nullptr || incident.runbook_step != "verify") return {};
  if (book->settings.verify.empty()) {
    if (incident.firing() > 0) {
      return not_verified(*book, incident, "the alerts still fire", now, decision);
    }
    incident.ended_by = "runbook " + book->settings.name;
    end(incident, decision);
    return {fmt::format("runbook {} helped: the alerts have resolved", book->settings.name), {}};
  }
  if (plan_step(*book, incident, book->settings.verify, "verify", decision)) {
    return {fmt::format("runbook {} is being verified", book->settings.name), {}};
  }
  return not_verified(*book, incident, "its verification lacks a label", now, decision);
}

Step runbook_settled(const std::vector<Runbook>& all, Incident& incident,
                     const ActionSettled& settled, TimePoint now, Decision& decision) {
  const auto* book = current(all, incident);
  if (book == nullptr || settled.kind != "run") return {};
  const auto name = book->settings.name;
  const bool there = settled.outcome == "delivered";
  if (incident.runbook_step == "act" && there) {
    incident.runbook_step = "verify";
    decision.timers.push_back({"verify", now + book->settings.verify_after, {}});
    return {fmt::format("runbook {} has acted; it is verified in {}", name,
                        vigil::to_text(book->settings.verify_after)),
            {}};
  }
  const auto step = incident.runbook_step;
  end(incident, decision);
  if (there) return {fmt::format("runbook {} was rolled back", name), {}};
  const auto why = fmt::format("runbook {}: {} was {}{}{}", name, step, settled.outcome,
                               settled.error.empty() ? "" : ": ", plain(settled.error, 200));
  const bool refused = settled.outcome == "denied";
  return {why, refused ? "" : why};
}

bool is_verifying(const std::vector<Runbook>& all, const Incident& incident) {
  return incident.runbook_step == "verify" && current(all, incident) != nullptr;
}

}  // namespace vigil::entities::ops
