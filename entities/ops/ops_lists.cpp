#include "entities/ops/ops_lists.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "entities/ops/silence.hpp"
#include "entities/ops/sources.hpp"

namespace vigil::entities::ops {
namespace {

using namespace std::chrono_literals;

Decision answer(Verdict verdict, std::string rule, std::string why) {
  Decision decision;
  decision.verdict = verdict;
  decision.rule = std::move(rule);
  decision.why = std::move(why);
  return decision;
}

constexpr std::string_view never_prefix = "never:";

}  // namespace

bool is_command(const Event& event) {
  return event.type == "ops.command" && event.taint == Taint::trusted;
}

Decision decide_on_silences(const Wake& wake, const Recollection& memory) {
  auto decision = answer(Verdict::noted, "silence", "");
  const auto* events = std::get_if<EventsArrived>(&wake.because);
  if (events == nullptr) return answer(Verdict::ignored, "silence", "nothing follows from it");
  int number = 0;
  for (const auto& event : events->events) {
    const auto command = parse_command(text_at(event->data, "text", 4000));
    if (!command || !is_command(*event)) continue;
    if (command->verb == "unsilence") {
      const auto key = "silence:" + command->note;
      decision.why +=
          fmt::format("{}silence {} {}", decision.why.empty() ? "" : "; ",
                      vigil::quoted(command->note), memory.fact(key) ? "is over" : "is not there");
      decision.facts.push_back({key, nullptr, 1.0, {}});
      continue;
    }
    Silence silence;
    silence.id =
        digest_of({std::to_string(to_unix_us(wake.now)), std::to_string(number++)}).substr(0, 8);
    if (auto match = parse_matchers(command->matchers)) silence.match = std::move(*match);
    silence.from = wake.now;
    silence.until = wake.now + *command->lasts;
    silence.why = command->note;
    silence.by = text_at(event->data, "by", 100);
    decision.why += fmt::format("{}silence {} until {}", decision.why.empty() ? "" : "; ",
                                silence.id, to_rfc3339(*silence.until));
    decision.facts.push_back({"silence:" + silence.id, to_json(silence), 1.0, silence.by});
  }
  // Those that are over are forgotten here, where somebody changes the list anyway.
  for (const auto& fact : memory.facts("silence:", 200)) {
    const auto old = silence_from_json(fact.value);
    if (!old || *old->until <= wake.now) decision.facts.push_back({fact.key, nullptr, 1.0, {}});
  }
  if (decision.why.empty()) decision.why = "no silence was changed";
  return decision;
}

Decision decide_on_checks(const config::Ops& settings, const Wake& wake,
                          const Recollection& memory) {
  auto state = memory.case_state();
  if (const auto* due = std::get_if<TimerDue>(&wake.because)) {
    const auto id = due->name.substr(std::min(never_prefix.size(), due->name.size()));
    if (memory.fact("ping:" + id)) return answer(Verdict::ignored, "check", id + " reports by now");
    auto decision = answer(Verdict::noted, "check", fmt::format("{} has never reported", id));
    if (settings.report_sink.empty()) return decision;
    Action action;
    action.sink = settings.report_sink;
    action.sticky_key = "never:" + id;
    action.payload = {
        {"check", id},
        {"text", fmt::format("check {} has never reported: is its ping set up?", id)}};
    decision.actions.push_back(std::move(action));
    decision.verdict = Verdict::acted;
    return decision;
  }
  auto decision = answer(Verdict::ignored, "check", "all checks are known");
  if (!std::holds_alternative<EventsArrived>(wake.because)) return decision;
  for (const auto& check : settings.checks) {
    if (memory.fact("ping:" + check.id) || state.contains(check.id)) continue;
    state[check.id] = to_rfc3339(wake.now);
    decision.timers.push_back(
        {std::string(never_prefix) + check.id, wake.now + check.every + check.grace, {}});
    decision.verdict = Verdict::noted;
    decision.why = "a first ping is waited for";
  }
  decision.state = std::move(state);
  return decision;
}

}  // namespace vigil::entities::ops
