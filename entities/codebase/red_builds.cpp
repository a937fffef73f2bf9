#include "entities/codebase/red_builds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/log.hpp"
#include "entities/ci/history.hpp"
#include "entities/codebase/build_memory.hpp"
#include "entities/codebase/builds.hpp"
#include "entities/codebase/model_failure.hpp"
#include "entities/codebase/search_plan.hpp"

namespace vigil::entities::codebase {
namespace {

using namespace std::chrono_literals;

constexpr int width_max = 64;
// Less is not worth a person's time, however unusual it is.
constexpr Duration slower_command_min = 1s;
constexpr Duration slower_test_min = 500ms;

std::string brief(std::string_view hash) { return std::string(hash.substr(0, 9)); }
std::string day(std::int64_t us) { return to_rfc3339(from_unix_us(us)).substr(0, 10); }

Duration as_duration(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

void add(std::string& text, const std::string& more) { text += (text.empty() ? "" : "; ") + more; }

class BuildLook {
 public:
  BuildLook(const ReviewSetup& setup, const Wake& wake, const swarm::Report& report,
            const Recollection& memory, CaseState& state, Review& review, Decision& decision)
      : setup_(setup),
        wake_(wake),
        slots_(report.slots),
        past_(memory, wake.now),
        state_(state),
        review_(review),
        decision_(decision) {}

  std::string look(const std::vector<Build>& builds) {
    for (const auto& build : builds) {
      learn_flaky(build);
      const bool excused = excuse(build);
      const bool is_news = state_.ran[build.task].commit != build.commit;
      if (!build.ok && !excused) tell_seen_before(build);
      if (is_watched(setup_, state_)) {
        if (build.ok) {
          on_green(build, is_news);
        } else if (!excused) {
          on_red(build);
        }
      }
      state_.ran[build.task] = {build.commit, build.ok, build.names()};
    }
    past_.write(decision_);
    return words_;
  }

 private:
  void learn_flaky(const Build& build) {
    std::set<std::string> both(build.tried_again.begin(), build.tried_again.end());
    const auto& last = state_.ran[build.task];
    const bool is_same = last.commit == build.commit;
    const auto names = build.names();
    const std::set<std::string> now(names.begin(), names.end());
    const std::set<std::string> before(last.failing.begin(), last.failing.end());
    if (is_same && (build.ok || build.has_report)) {
      std::ranges::set_difference(before, now, std::inserter(both, both.end()));
    }
    if (is_same && (last.ok || !before.empty())) {
      std::ranges::set_difference(now, before, std::inserter(both, both.end()));
    }
    // Without names of tests the command as a whole did both.
    if (is_same && last.ok != build.ok && both.empty()) both.insert("");
    for (auto known : past_.flaky_of(build.command)) {
      const bool fails = known.test.empty() ? !build.ok : now.contains(known.test);
      if (!fails && !build.ok && !build.has_report) continue;  // nobody knows
      (fails ? known.failed : known.passed) += 1;
      known.streak = fails ? known.streak + 1 : 0;
      past_.keep(known);
    }
    for (const auto& test : both) past_.saw_both(build.command, test, build.commit);
  }

  // Findings about what is flaky weigh less. True when nothing else failed.
  bool excuse(const Build& build) {
    if (build.ok) return false;
    bool all = true;
    const auto forgive = [&](const std::string& test, const std::string& key) {
      const auto known = past_.flaky(build.command, test);
      const bool excused = known && is_excused(*known, wake_.now);
      if (excused) soften(key, "it is flaky: " + to_sentence(*known));
      all = all && excused;
    };
    for (const auto& test : build.failing) forgive(test.name, test.key);
    if (build.failing.empty()) forgive("", build.verdict_key());
    if (!all) return false;
    soften(build.verdict_key(), "only flaky tests failed");
    add(words_, fmt::format("only flaky tests failed in {}", build.command));
    return true;
  }

  void soften(const std::string& key, const std::string& hint) {
    const auto found = std::ranges::find(review_.findings, key, &Finding::key);
    if (found == review_.findings.end()) return;
    found->hint = hint;
    if (!setup_.settings.red_builds.flaky_fails) found->severity = Severity::low;
  }

  void hint(const std::string& key, const std::string& text) {
    const auto found = std::ranges::find(review_.findings, key, &Finding::key);
    if (found == review_.findings.end()) return;
    found->hint += (found->hint.empty() ? "" : ". ") + text;
  }

  // What is known of the same failure, and that it came again.
  void tell_seen_before(const Build& build) {
    for (const auto& fingerprint : build.fingerprints()) {
      auto known = past_.failure(fingerprint);
      const auto& red = past_.command(build.command).fingerprints;
      const bool goes_on =
          is_watched(setup_, state_) && std::ranges::find(red, fingerprint) != red.end();
      if (known && !goes_on && known->last_commit != build.commit) {
        auto text = fmt::format("seen before in {} on {}, {} time{}", known->last_case,
                                day(known->last_us), known->count, known->count == 1 ? "" : "s");
        if (!known->cause.empty()) text += ": " + known->cause;
        if (!known->ended_commit.empty()) {
          text += fmt::format("; it ended with {} on {}", brief(known->ended_commit),
                              day(known->ended_us));
        }
        hint(key_of(build, fingerprint), text);
        add(words_, fmt::format("the same failure of {} was {}", build.command, text));
      }
      if (!known) {
        known.emplace();
        known->command = build.command;
        known->title = title_of(build, fingerprint);
        known->first_case = state_.name();
        known->first_us = past_.now_us();
      }
      if (known->last_commit != build.commit) ++known->count;
      known->last_case = state_.name();
      known->last_commit = build.commit;
      known->last_us = past_.now_us();
      past_.keep_failure(fingerprint, *known);
    }
  }

  static std::string key_of(const Build& build, const std::string& fingerprint) {
    const auto found = std::ranges::find(build.failing, fingerprint, &FailingTest::fingerprint);
    return found == build.failing.end() ? build.verdict_key() : found->key;
  }

  static std::string title_of(const Build& build, const std::string& fingerprint) {
    const auto found = std::ranges::find(build.failing, fingerprint, &FailingTest::fingerprint);
    return found == build.failing.end() ? build.headline : one_line(found->name, 200);
  }

  void on_green(const Build& build, bool is_news) {
    auto past = past_.command(build.command);
    if (!past.red_since.empty()) {
      for (const auto& fingerprint : past.fingerprints) {
        auto known = past_.failure(fingerprint);
        if (!known) continue;
        known->ended_case = state_.name();
        known->ended_commit = build.commit;
        known->ended_us = past_.now_us();
        past_.keep_failure(fingerprint, *known);
      }
      auto text = fmt::format("{} passes again at {}; it was red since {} ({})", build.command,
                              brief(build.commit), brief(past.red_since), day(past.red_us));
      add(words_, text);
      decision_.episodes.push_back(
          {"mended", text + ".",
           json::object{{"command", build.command}, {"commit", build.commit}}});
      state_.searches.erase(build.task);
    }
    past.red_since.clear();
    past.red_us = 0;
    past.fingerprints.clear();
    past.cause.clear();
    past.cause_text.clear();
    past.good = build.commit;
    past.good_us = past_.now_us();
    if (is_news) measure(build, past);
    past_.keep(build.command, past);
  }

  void measure(const Build& build, CommandPast& past) {
    time(build, "", build.seconds, slower_command_min, past);
    for (const auto& [test, seconds] : build.slow)
      time(build, test, seconds, slower_test_min, past);
    std::erase_if(past.timings, [&](const auto& one) {
      return !one.first.empty() && !build.slow.contains(one.first) && past.timings.size() > 40;
    });
  }

  // Told when it is slow the second time in a row: once may be the machine.
  void time(const Build& build, const std::string& test, double seconds, Duration least,
            CommandPast& past) {
    auto& timing = past.timings[test];
    std::vector<Duration> before;
    for (const auto one : timing.seconds) before.push_back(as_duration(one));
    const auto slower = ci::slower_than_before(before, as_duration(seconds));
    const bool is_slow = slower && slower->now - slower->median >= least;
    timing.seconds.push_back(seconds);
    if (!is_slow) {
      timing.slow_since.clear();
      timing.told = false;
      return;
    }
    if (timing.slow_since.empty()) {
      timing.slow_since = build.commit;
      return;
    }
    if (timing.told) return;
    timing.told = true;
    Finding finding;
    finding.analyser = "command";
    finding.rule = "slower";
    finding.severity = Severity::low;
    finding.title =
        fmt::format("{}{}{} took {}, {:.1f} times its usual {}, since {}", build.command,
                    test.empty() ? "" : ": ", one_line(test), vigil::to_text(slower->now),
                    slower->times, vigil::to_text(slower->median), brief(timing.slow_since));
    finding.key = finding_key("command", "slower", "", build.command + "\n" + test);
    add(words_, finding.title);
    decision_.episodes.push_back({"slower", finding.title + ".",
                                  json::object{{"command", build.command},
                                               {"test", test},
                                               {"times", slower->times},
                                               {"commit", timing.slow_since}}});
    review_.findings.push_back(std::move(finding));
  }

  void on_red(const Build& build) {
    auto past = past_.command(build.command);
    const auto now = build.fingerprints();
    const auto is_known = [&](const std::string& one) {
      return std::ranges::find(past.fingerprints, one) != past.fingerprints.end();
    };
    const bool other = !past.red_since.empty() && std::ranges::none_of(now, is_known);
    if (past.red_since.empty() || other) {
      if (auto plan = plan_failure_question(setup_, build, review_)) {
        decision_.plans.push_back(std::move(*plan));
        add(words_, fmt::format("a model is asked why {} failed", build.command));
      }
    }
    if (past.red_since.empty()) {
      past.red_since = build.commit;
      past.red_us = past_.now_us();
    }
    if (other) {  // broken in another way: what was found says nothing of it
      past.cause.clear();
      past.cause_text.clear();
      state_.searches.erase(build.task);
    }
    for (const auto& one : now) {
      if (!is_known(one) && past.fingerprints.size() < 40) past.fingerprints.push_back(one);
    }
    if (!past.cause_text.empty()) {
      hint(build.verdict_key(), past.cause_text);
      add(words_, past.cause_text);
    } else {
      search(build, other, past);
    }
    past_.keep(build.command, past);
  }

  void search(const Build& build, bool other, const CommandPast& past) {
    const auto& settings = setup_.settings.red_builds;
    if (!settings.bisect) return;
    const auto known = state_.searches.find(build.task);
    if (known != state_.searches.end() && known->second.step != SearchStep::interrupted) {
      add(words_,
          fmt::format("its first bad commit is looked for already ({})", known->second.title));
      return;
    }
    if (!past_.may_search(settings.per_hour)) {
      add(words_, fmt::format("the first bad commit of {} is not looked for: {} searches began "
                              "within the hour",
                              build.command, settings.per_hour));
      return;
    }
    Search search;
    if (known != state_.searches.end()) search.tested = known->second.tested;
    search.command = build.command;
    search.sought = sought_of(build);
    search.bad = build.commit;
    // In another way it was not broken when it failed in the first.
    search.good = other && build.has_report ? state_.ran[build.task].commit : past.good;
    search.width = settings.width > 0 ? settings.width : std::clamp(slots_, 1, width_max);
    search.began_us = past_.now_us();
    decision_.plans.push_back(plan_history(setup_, search));
    add(words_, fmt::format("the first bad commit of {} is looked for", build.command));
    state_.searches[build.task] = std::move(search);
  }

  const ReviewSetup& setup_;
  const Wake& wake_;
  int slots_;
  BuildMemory past_;
  CaseState& state_;
  Review& review_;
  Decision& decision_;
  std::string words_;
};

}  // namespace

bool is_watched(const ReviewSetup& setup, const CaseState& state) {
  if (state.number > 0) return false;
  const auto& branch = setup.settings.branch;
  if (!branch.empty()) return state.branch == branch;
  return state.branch == "main" || state.branch == "master" || state.branch == "HEAD";
}

std::string look_into_builds(const ReviewSetup& setup, const Wake& wake,
                             const swarm::Report& report, const Recollection& memory,
                             CaseState& state, Review& review, Decision& decision) {
  const auto builds = builds_of(report);
  if (builds.empty()) return {};
  BuildLook look(setup, wake, report, memory, state, review, decision);
  auto words = look.look(builds);
  sort_findings(review);
  return words;
}

}  // namespace vigil::entities::codebase
