// The course of a search for the first bad commit: what follows from each of its swarms.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "core/log.hpp"
#include "entities/codebase/announce.hpp"
#include "entities/codebase/build_memory.hpp"
#include "entities/codebase/builds.hpp"
#include "entities/codebase/red_builds.hpp"
#include "entities/codebase/search_plan.hpp"

namespace vigil::entities::codebase {
namespace {

std::string brief(std::string_view hash) { return std::string(hash.substr(0, 9)); }

Decision answer(Verdict verdict, std::string why) {
  Decision decision;
  decision.verdict = verdict;
  decision.rule = "bisect";
  decision.why = std::move(why);
  return decision;
}

std::string reason_of(const swarm::Report& report) {
  for (const auto& task : report.tasks) {
    if (task.state == swarm::TaskState::failed) return one_line(task.error, 300);
  }
  return report.error.empty() ? "its swarm gave no result" : one_line(report.error, 300);
}

class Course {
 public:
  Course(const ReviewSetup& setup, const Wake& wake, const swarm::Report& report,
         const Recollection& memory)
      : setup_(setup),
        wake_(wake),
        report_(report),
        past_(memory, wake.now),
        state_(case_state_from_json(memory.case_state())) {}

  Decision decide() {
    for (auto& [task, search] : state_.searches) {
      if (search.title == report_.title && search.step != SearchStep::interrupted) {
        task_ = task;
      }
    }
    if (task_.empty()) {
      return answer(Verdict::noted,
                    fmt::format("nobody waits for {} any more", one_line(report_.title, 200)));
    }
    auto decision = go_on(state_.searches[task_]);
    past_.write(decision);
    decision.state = to_json(state_);
    return decision;
  }

 private:
  Decision go_on(Search& search) {
    if (report_.cancelled) {
      search.step = SearchStep::interrupted;
      return answer(Verdict::noted,
                    fmt::format("{} was cancelled: what it learned is kept for the next red build",
                                one_line(report_.title, 200)));
    }
    if (search.step == SearchStep::listing) return on_history(search);
    return on_round(search);
  }

  Decision give_up(const Search& search, std::string_view why) {
    auto decision =
        answer(Verdict::noted,
               fmt::format("the first bad commit of {} was not found: {}", search.command, why));
    decision.episodes.push_back({"bisect", decision.why + ".", json::object{}});
    state_.searches.erase(task_);
    return decision;
  }

  Decision on_history(Search& search) {
    if (!report_.ok) return give_up(search, reason_of(report_));
    if (auto taken = take_history(search, report_.result); !taken) {
      return give_up(search, taken.error().message);
    }
    search.step = SearchStep::testing;
    const auto next = next_of(search);
    if (!next) return give_up(search, next.error().message);
    return begin_round(search, *next,
                       fmt::format("{} commits may be the first bad one of {}",
                                   search.candidates.size(), search.command));
  }

  Decision begin_round(Search& search, const SearchNext& next, const std::string& because) {
    ++search.round;
    auto plan = plan_round(setup_, search, next.test);
    if (plan.tasks.empty())
      return give_up(search, "it is no command of the configuration any more");
    auto decision =
        answer(Verdict::acted,
               fmt::format("{}: round {} of {} tests {} side by side", because, search.round,
                           std::max(search.round, search.rounds_max), next.test.size()));
    decision.plans.push_back(std::move(plan));
    return decision;
  }

  Decision on_round(Search& search) {
    std::size_t answers = 0;
    std::optional<Build> again;
    bool good_is_bad = false;
    for (const auto& task : report_.tasks) {
      if (task.state != swarm::TaskState::done) continue;
      ++answers;
      const auto verdict = verdict_from(find_text(task.result, "verdict").value_or(""));
      if (task.name.starts_with(probe_prefix)) {
        take_probe(search, task.name.substr(probe_prefix.size()), task.result);
      } else if (task.name.starts_with(again_prefix)) {
        if (verdict == ci::Verdict::good) again = build_from(task.result);
      } else if (verdict == ci::Verdict::bad) {
        good_is_bad = true;
      }
    }
    if (answers == 0) return give_up(search, reason_of(report_));
    mark_untested(search);
    if (again) return on_flaky(search, *again);
    if (good_is_bad) {
      return give_up(search, fmt::format("it fails at {} already, as far back as was looked",
                                         brief(search.good)));
    }
    const auto next = next_of(search);
    if (!next) return give_up(search, next.error().message);
    if (next->test.empty()) return conclude(search, *next);
    return begin_round(search, *next,
                       fmt::format("the first bad commit of {} is one of {}", search.command,
                                   next->last - next->first + 1));
  }

  // A task that came to nothing tested nothing, and is not asked again.
  void mark_untested(Search& search) {
    for (const auto& task : report_.tasks) {
      if (!task.name.starts_with(probe_prefix) || task.state == swarm::TaskState::done) continue;
      take_probe(search, task.name.substr(probe_prefix.size()),
                 json::object{{"why", one_line(task.error, 200)}});
    }
  }

  // It passed where it had failed: no commit is to blame.
  Decision on_flaky(const Search& search, const Build& again) {
    const auto failing = again.names();
    for (const auto& test : search.sought.tests) {
      if (std::ranges::find(failing, test) == failing.end()) {
        past_.saw_both(search.command, test, search.bad);
      }
    }
    if (search.sought.tests.empty()) past_.saw_both(search.command, "", search.bad);
    auto decision = answer(
        Verdict::acted, fmt::format("{} is flaky: it failed at {} and passed there when it was run "
                                    "again; no commit is blamed",
                                    search.command, brief(search.bad)));
    auto past = past_.command(search.command);
    past.red_since.clear();
    past.red_us = 0;
    past.fingerprints.clear();
    past_.keep(search.command, past);
    decision.episodes.push_back(
        {"flaky", decision.why + ".",
         json::object{{"command", search.command}, {"commit", search.bad}}});
    forgive(search, decision);
    state_.searches.erase(task_);
    return decision;
  }

  // The status of the commit, if nothing else is wrong with it.
  void forgive(const Search& search, Decision& decision) {
    if (state_.looked_head != search.bad || setup_.settings.red_builds.flaky_fails) return;
    for (auto& finding : state_.findings) {
      const bool of_it = finding.analyser == "command" && finding.rule == search.command;
      if (of_it && finding.severity > Severity::low) finding.severity = Severity::low;
    }
    const bool red = std::ranges::any_of(
        state_.findings, [](const Finding& finding) { return finding.severity >= Severity::high; });
    if (red || is_quiet() || !has_status(setup_, state_)) return;
    decision.actions.push_back(
        status_action(setup_, state_, "success",
                      fmt::format("{} is flaky: it passed when run again", search.command)));
  }

  bool is_quiet() const { return state_.held || wake_.now < state_.quiet_until; }

  Decision conclude(const Search& search, const SearchNext& next) {
    const auto cause = cause_of(search, next);
    const auto sentence = to_sentence(search, cause);
    auto decision =
        answer(Verdict::acted, fmt::format("{}, found in {} rounds of at most {}", sentence,
                                           search.round, std::max(1, search.rounds_max)));
    auto past = past_.command(search.command);
    past.cause = cause.commit;
    past.cause_text = sentence;
    for (const auto& fingerprint : past.fingerprints) {
      if (auto known = past_.failure(fingerprint)) {
        known->cause = sentence;
        past_.keep_failure(fingerprint, *known);
      }
    }
    past_.keep(search.command, past);
    decision.episodes.push_back({"cause", sentence + ".",
                                 json::object{{"command", search.command},
                                              {"commit", cause.commit},
                                              {"sure", cause.sure},
                                              {"rounds", search.round},
                                              {"tested", search.tested.size()},
                                              {"commits", search.candidates.size()}}});
    decision.documents.push_back({fmt::format("cause:{}:{}", wake_.case_key, search.command),
                                  sentence, to_markdown(search, cause)});
    tell(search, cause, sentence, decision);
    if (decision.actions.empty()) decision.verdict = Verdict::noted;
    state_.searches.erase(task_);
    return decision;
  }

  void tell(const Search& search, const Cause& cause, const std::string& sentence,
            Decision& decision) {
    if (is_quiet()) return;
    if (!setup_.settings.report_sink.empty()) {
      Action action;
      action.kind = "comment";
      action.sink = setup_.settings.report_sink;
      action.sticky_key = "cause:" + task_;
      action.payload = {{"repository", state_.repository},
                        {"branch", state_.branch},
                        {"sha", cause.commit},
                        {"state", "failure"},
                        {"context", "vigild/first-bad"},
                        {"description", one_line(sentence, 136)},
                        {"body", to_markdown(search, cause)},
                        {"text", fmt::format("{}: {}", state_.name(), sentence)}};
      decision.actions.push_back(std::move(action));
    }
    if (state_.head == search.bad && has_status(setup_, state_)) {
      decision.actions.push_back(status_action(setup_, state_, "failure", sentence));
    }
  }

  const ReviewSetup& setup_;
  const Wake& wake_;
  const swarm::Report& report_;
  BuildMemory past_;
  CaseState state_;
  std::string task_;
};

}  // namespace

std::optional<Decision> decide_on_search(const ReviewSetup& setup, const Wake& wake,
                                         const Recollection& memory) {
  const auto* ended = std::get_if<SwarmEnded>(&wake.because);
  if (ended == nullptr || !ended->report.title.starts_with(search_title)) return std::nullopt;
  return Course(setup, wake, ended->report, memory).decide();
}

}  // namespace vigil::entities::codebase
