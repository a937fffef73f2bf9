#include "entities/codebase/codebase.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "core/log.hpp"
#include "entities/codebase/analysers.hpp"
#include "entities/codebase/announce.hpp"
#include "entities/codebase/checks.hpp"
#include "entities/codebase/digest.hpp"
#include "entities/codebase/git.hpp"
#include "entities/codebase/model_failure.hpp"
#include "entities/codebase/obedience.hpp"
#include "entities/codebase/orders.hpp"
#include "entities/codebase/places.hpp"
#include "entities/codebase/red_builds.hpp"
#include "entities/codebase/upgrade_guard.hpp"
#include "entities/codebase/verdict.hpp"

namespace vigil::entities {
namespace {

using namespace codebase;
namespace fs = std::filesystem;

std::string brief(std::string_view hash) { return std::string(hash.substr(0, 9)); }

Decision answer(Verdict verdict, std::string rule, std::string why) {
  Decision decision;
  decision.verdict = verdict;
  decision.rule = std::move(rule);
  decision.why = std::move(why);
  return decision;
}

// What a batch of events comes to: the newest change counts, an end undoes the changes before it.
struct Batch {
  std::optional<ForgeEvent> change;
  std::optional<ForgeEvent> end;
  std::vector<ForgeEvent> others;
  std::vector<Orders> orders;  // of people, in comments
};

class CodebaseGuardian final : public Guardian {
 public:
  CodebaseGuardian(ReviewSetup setup, std::optional<UpgradeSetup> upgrades)
      : setup_(std::move(setup)), upgrades_(std::move(upgrades)) {}

  Interest interest(const Event& event) const override {
    if (asks_for_digest(event)) return Interest::in(std::string(digest_case));
    if (upgrades_ && asks_for_upgrades(event)) return Interest::in(std::string(upgrades_case));
    const auto heard = read(event);
    if (heard.subject == Subject::nothing) {
      const auto orders = read_orders(event, setup_.settings.orders_from);
      if (!orders.case_key.empty()) return Interest::in(orders.case_key);
      return Interest::none(heard.why_not);
    }
    return Interest::in(case_key_of(heard));
  }

  Decision decide(const Wake& wake, const Recollection& memory) const override {
    if (auto decision = decide_on_digest(setup_, wake, memory)) return *decision;
    if (upgrades_) {
      if (auto decision = decide_on_upgrades(*upgrades_, wake, memory)) return *decision;
    }
    if (const auto* events = std::get_if<EventsArrived>(&wake.because)) {
      return on_events(*events, memory, wake.now);
    }
    if (auto decision = decide_on_search(setup_, wake, memory)) return *decision;
    if (auto decision = decide_on_failure(wake, memory)) return *decision;
    if (const auto* ended = std::get_if<SwarmEnded>(&wake.because)) {
      auto decision = decide_on_report(setup_, wake, ended->report, memory);
      if (upgrades_) scan_after_review(*upgrades_, ended->report, memory, decision);
      return decision;
    }
    if (const auto* settled = std::get_if<ActionSettled>(&wake.because)) {
      return on_action(*settled, memory);
    }
    if (const auto* feedback = std::get_if<FeedbackGiven>(&wake.because)) {
      return decide_on_feedback(*feedback, memory);
    }
    return on_timer(memory);
  }

 private:
  // A schedule is about the clone itself.
  ForgeEvent read(const Event& event) const {
    auto heard = read_forge_event(event);
    if (heard.subject == Subject::schedule) {
      heard.repository = fs::path(setup_.settings.repository).filename().string();
      heard.branch = setup_.settings.branch.empty() ? "HEAD" : setup_.settings.branch;
    }
    return heard;
  }

  Batch gather(const EventsArrived& events) const {
    Batch batch;
    for (const auto& event : events.events) {
      auto heard = read(*event);
      if (heard.subject == Subject::nothing) {
        auto orders = read_orders(*event, setup_.settings.orders_from);
        if (!orders.case_key.empty()) batch.orders.push_back(std::move(orders));
        continue;
      }
      if (heard.subject == Subject::check || heard.step == Step::other) {
        batch.others.push_back(std::move(heard));
      } else if (heard.step == Step::closed) {
        batch.change.reset();
        batch.end = std::move(heard);
      } else {
        batch.end.reset();
        batch.change = std::move(heard);
      }
    }
    return batch;
  }

  Decision on_events(const EventsArrived& events, const Recollection& memory, TimePoint now) const {
    auto state = case_state_from_json(memory.case_state());
    const auto batch = gather(events);
    if (!batch.orders.empty()) return on_orders(batch, std::move(state), memory, now);
    return on_news(batch, std::move(state), memory, now);
  }

  Decision on_news(const Batch& batch, CaseState state, const Recollection& memory,
                   TimePoint now) const {
    if (batch.end) return on_end(*batch.end, std::move(state));
    if (batch.change) return on_change(*batch.change, std::move(state), memory);
    if (!batch.others.empty()) return on_others(batch.others, std::move(state), memory, now);
    return answer(Verdict::ignored, "nothing", "these events say nothing about code");
  }

  Decision on_change(const ForgeEvent& event, CaseState state, const Recollection& memory) const {
    const bool again = event.verb == "reopened" || event.verb == "reopen" || event.verb == "edited";
    const bool same = !event.head.empty() && event.head == state.head && !again && !state.closed;
    if (same && state.pending) {
      return answer(Verdict::ignored, "same-commit",
                    fmt::format("{} is under review already", brief(event.head)));
    }
    // What was looked at in its place does not count: it may have been fetched since.
    const bool itself = state.looked_head.starts_with(event.head);
    if (same && itself && state.reviewed_head == event.head) {
      return answer(Verdict::ignored, "same-commit",
                    fmt::format("{} was reviewed already, with {} findings", brief(event.head),
                                state.findings.size()));
    }
    take(state, event);
    const auto overtaken = state.pending ? brief(state.head) : std::string();
    state.head = event.head;
    state.pending = true;
    state.closed = false;
    const auto at = event.head.empty() ? std::string("its latest commits") : brief(event.head);
    // What a person asked for once more is looked at whole.
    const auto last = again ? std::nullopt : last_look(setup_, state, memory);
    auto plan = plan_review(setup_, event, state.swarm_title(), dismissed_keys(memory), last);
    state.asked_with = look_digest(setup_, memory);
    auto decision =
        answer(Verdict::acted, event.subject == Subject::pull_request ? "pull-request" : "push",
               fmt::format("{} ({}) is at {}: {} tasks look at it side by side", state.name(),
                           event.verb.empty() ? "changed" : event.verb, at, plan.tasks.size() - 2));
    if (event.subject == Subject::schedule) decision.rule = "schedule";
    if (!overtaken.empty()) {
      decision.why += fmt::format("; the review of {} that still runs is not told", overtaken);
    }
    begin(std::move(plan), state, decision);
    return decision;
  }

  // The swarm is asked for; who waits for the commit's status sees that it comes.
  void begin(swarm::Plan plan, const CaseState& state, Decision& decision) const {
    const bool quiet = state.held || state.quiet_until != TimePoint{};
    if (has_status(setup_, state) && !quiet) {
      decision.actions.push_back(status_action(
          setup_, state, "pending", fmt::format("{} tasks look at it", plan.tasks.size() - 2)));
    }
    decision.plans.push_back(std::move(plan));
    decision.state = to_json(state);
  }

  // What people ordered, then what else came with it.
  Decision on_orders(const Batch& batch, CaseState state, const Recollection& memory,
                     TimePoint now) const {
    auto obeyed = obey(batch.orders, state, now);
    const bool has_news = batch.end || batch.change || !batch.others.empty();
    Decision decision;
    if (has_news) {
      decision = on_news(batch, state, memory, now);
      decision.why += "; " + obeyed.why;
    } else if (obeyed.again) {
      decision = look_again(state, memory, obeyed.why);
    } else {
      decision = answer(Verdict::noted, "order", obeyed.why);
    }
    if (!decision.state) decision.state = to_json(state);
    std::ranges::move(obeyed.preferences, std::back_inserter(decision.preferences));
    std::ranges::move(obeyed.timers, std::back_inserter(decision.timers));
    std::ranges::move(obeyed.episodes, std::back_inserter(decision.episodes));
    return decision;
  }

  // The newest commit once more, asked for by a person or by the end of a silence.
  Decision look_again(CaseState& state, const Recollection& memory, std::string why) const {
    if (state.head.empty() || state.closed) {
      return answer(Verdict::noted, "order",
                    why + (state.closed ? "; it is closed" : "; no commit of it is known yet"));
    }
    if (state.pending) return answer(Verdict::noted, "order", why + "; a review runs already");
    ForgeEvent event;
    event.subject = state.number > 0 ? Subject::pull_request : Subject::push;
    event.repository = state.repository;
    event.number = state.number;
    event.branch = state.branch;
    event.base_ref = state.base_ref;
    event.head = state.head;
    state.pending = true;
    state.asked_with = look_digest(setup_, memory);
    auto decision = answer(Verdict::acted, "order", std::move(why));
    begin(plan_review(setup_, event, state.swarm_title(), dismissed_keys(memory)), state, decision);
    return decision;
  }

  // The silence is over.
  Decision on_timer(const Recollection& memory) const {
    auto state = case_state_from_json(memory.case_state());
    state.quiet_until = TimePoint{};
    if (!state.untold || state.held) {
      auto decision = answer(Verdict::noted, "snooze", "the snooze is over; there is nothing new");
      decision.state = to_json(state);
      return decision;
    }
    return look_again(state, memory,
                      fmt::format("the snooze of {} is over: it is looked at again", state.name()));
  }

  Decision on_end(const ForgeEvent& event, CaseState state) const {
    take(state, event);
    const auto* how = event.subject == Subject::push ? "removed"
                      : event.merged                 ? "merged"
                                                     : "closed";
    auto why = fmt::format("{} was {}", state.name(), how);
    if (state.reviews == 0) {
      why += " before a review ended";
    } else {
      why += fmt::format(" with {} open findings after {} reviews", state.findings.size(),
                         state.reviews);
    }
    auto decision = answer(Verdict::noted, "closed", why);
    decision.close_case = true;
    if (state.quiet_until != TimePoint{})
      decision.timers.push_back({std::string(snooze_timer), std::nullopt, nullptr});
    state.closed = true;
    state.pending = false;
    decision.episodes.push_back({"closed", why + ".", json::object{{"merged", event.merged}}});
    decision.state = to_json(state);
    return decision;
  }

  Decision on_others(const std::vector<ForgeEvent>& events, CaseState state,
                     const Recollection& memory, TimePoint now) const {
    const auto& last = events.back();
    take(state, last);
    if (std::ranges::any_of(
            events, [](const ForgeEvent& event) { return event.subject == Subject::check; })) {
      return decide_on_checks(events, std::move(state), memory, now);
    }
    return answer(
        Verdict::ignored, "same-code",
        fmt::format("{} was {}: its code is the same", state.name(), vigil::quoted(last.verb)));
  }

  static Decision on_action(const ActionSettled& settled, const Recollection& memory) {
    auto state = case_state_from_json(memory.case_state());
    const bool there = settled.outcome == "delivered";
    auto decision = answer(Verdict::noted, "action",
                           fmt::format("the {} of {} was {}", settled.kind, state.name(),
                                       settled.outcome.empty() ? "settled" : settled.outcome));
    if (!settled.error.empty()) decision.why += ": " + one_line(settled.error, 200);
    if (settled.kind != "comment") return decision;
    // What was sent and never answered may be there all the same.
    const bool lost =
        settled.outcome == "denied" || settled.outcome == "expired" || settled.outcome == "failed";
    if (there) state.comment = Told::delivered;
    if (lost && state.comment == Told::asked) state.comment = Told::nothing;
    decision.state = to_json(state);
    return decision;
  }

  ReviewSetup setup_;
  std::optional<UpgradeSetup> upgrades_;
};

Result<std::vector<std::string>> chosen_analysers(const config::Codebase& settings) {
  std::vector<std::string> chosen;
  for (const auto& name : settings.analysers) {
    const auto* analyser = find_analyser(name);
    if (analyser == nullptr || !finds_something(*analyser)) {
      std::string known;
      for (const auto& one : analysers()) {
        if (finds_something(one))
          known += fmt::format("{}{}", known.empty() ? "" : ", ", short_name(one));
      }
      return fail(
          ErrorCode::invalid_input,
          fmt::format("there is no analyser {}: expected some of {}", vigil::quoted(name), known));
    }
  }
  for (const auto& analyser : analysers()) {
    const auto is_it = [&](const std::string& name) { return find_analyser(name) == &analyser; };
    if (!finds_something(analyser)) continue;
    if (settings.analysers.empty() || std::ranges::any_of(settings.analysers, is_it)) {
      chosen.emplace_back(analyser.name);
    }
  }
  return chosen;
}

}  // namespace

Result<std::unique_ptr<Guardian>> make_codebase(const config::Entity& entity) {
  const auto* settings = config::find_kind<config::Codebase>(entity);
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::invalid_input,
                fmt::format("entity {}: {}", vigil::quoted(entity.name), why));
  };
  if (settings == nullptr) return refuse("kind \"codebase\" needs a [codebase] table");
  if (settings->repository.empty()) {
    return refuse("codebase.repository is missing: give the path of a local clone");
  }
  if (!settings->branch.empty() && !is_safe_revision(settings->branch)) {
    return refuse(fmt::format("codebase.branch {} is no name git could have",
                              vigil::quoted(settings->branch)));
  }
  auto chosen = chosen_analysers(*settings);
  if (!chosen) return refuse("codebase.analysers: " + chosen.error().message);
  ReviewSetup setup{*settings, std::move(*chosen), {}, *entity.advice};
  std::error_code error;
  auto repository = fs::absolute(settings->repository, error).lexically_normal();
  if (!repository.has_filename()) repository = repository.parent_path();
  setup.settings.repository = repository.string();
  setup.read_paths = places_of(repository);
  for (const auto& command : settings->commands) {
    if (command.argv.empty() || command.argv.front().empty()) {
      return refuse(fmt::format("command {} has no argv", vigil::quoted(command.name)));
    }
  }
  // Whatever else a plan could refuse shows now, not at the first event.
  const auto plan = plan_review(setup, ForgeEvent{}, "trial", {});
  if (auto valid = swarm::validate(plan); !valid) return refuse(valid.error().message);
  std::optional<UpgradeSetup> upgrades;
  if (setup.settings.upgrades) {
    auto made = upgrade_setup(setup);
    if (!made) return refuse(made.error().message);
    upgrades = std::move(*made);
  }
  return std::make_unique<CodebaseGuardian>(std::move(setup), std::move(upgrades));
}

}  // namespace vigil::entities
