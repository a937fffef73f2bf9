#include "entities/codebase/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/log.hpp"
#include "entities/ci/fingerprint.hpp"
#include "entities/codebase/build_memory.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t checks_max = 50;  // of one case

std::string brief(std::string_view hash) { return std::string(hash.substr(0, 9)); }

// Nothing while it is not decided: queued, skipped, cancelled by a person.
std::optional<bool> outcome_of(const ForgeEvent& event) {
  constexpr std::array bad{"failure", "failed", "timed_out", "error", "FAILED", "FAILURE"};
  constexpr std::array good{"success", "passed", "successful", "SUCCESSFUL", "SUCCESS"};
  if (std::ranges::find(bad, event.verb) != bad.end()) return false;
  if (std::ranges::find(good, event.verb) != good.end()) return true;
  return std::nullopt;
}

class Checks {
 public:
  Checks(CaseState state, const Recollection& memory, TimePoint now)
      : state_(std::move(state)), past_(memory, now) {}

  Decision decide(const std::vector<ForgeEvent>& events) {
    for (const auto& event : events) {
      if (event.subject != Subject::check) continue;
      last_ = &event;
      if (const auto ok = outcome_of(event)) take_in(event, *ok);
    }
    decision_.verdict = Verdict::noted;
    decision_.rule = "check";
    decision_.why = fmt::format("check {} of {} says {}{}", vigil::quoted(last_->check),
                                state_.name(), vigil::quoted(last_->verb), words_);
    past_.write(decision_);
    if (changed_) decision_.state = to_json(state_);
    return std::move(decision_);
  }

 private:
  void take_in(const ForgeEvent& event, bool ok) {
    const auto known = state_.checks.find(event.check);
    const auto before = known == state_.checks.end() ? Checked{} : known->second;
    if (!before.commit.empty() && before.commit == event.head && before.ok != ok) {
      past_.saw_both("check " + event.check, "", event.head);
      words_ +=
          fmt::format("; it said otherwise of the same commit {}: it is flaky", brief(event.head));
    }
    std::string fingerprint;
    if (ok) {
      if (!before.ok && !before.fingerprint.empty()) end(before.fingerprint, event);
    } else {
      fingerprint = ci::failure_fingerprint(event.check + "\n" + event.said, "");
      fail(fingerprint, event, before);
    }
    changed_ = true;
    if (known == state_.checks.end() && state_.checks.size() >= checks_max) {
      state_.checks.erase(state_.checks.begin());
    }
    state_.checks[event.check] = {event.head, ok, fingerprint};
  }

  void fail(const std::string& fingerprint, const ForgeEvent& event, const Checked& before) {
    auto past = past_.failure(fingerprint).value_or(FailurePast{});
    const bool goes_on = before.fingerprint == fingerprint;
    std::string seen;
    if (past.count > 0 && !goes_on) {
      seen = fmt::format("; the same failure was seen in {} at {}", past.last_case,
                         brief(past.last_commit));
      if (!past.ended_commit.empty()) {
        seen += fmt::format(" and ended with {}", brief(past.ended_commit));
      }
      words_ += seen;
    }
    if (past.count == 0) {
      past.command = "check " + event.check;
      past.title = one_line(event.said.find_first_not_of('\n') == std::string::npos
                                ? event.check
                                : event.said.substr(event.said.find_first_not_of('\n')),
                            160);
      past.first_case = state_.name();
      past.first_us = past_.now_us();
    }
    if (past.last_commit != event.head) ++past.count;
    past.last_case = state_.name();
    past.last_commit = event.head;
    past.last_us = past_.now_us();
    past_.keep_failure(fingerprint, past);
    decision_.episodes.push_back(
        {"check",
         fmt::format("Check {} of {} at {}: {}{}.", vigil::quoted(event.check), state_.name(),
                     brief(event.head), event.verb, seen),
         json::object{{"check", event.check}, {"head", event.head}, {"fingerprint", fingerprint}}});
  }

  void end(const std::string& fingerprint, const ForgeEvent& event) {
    auto past = past_.failure(fingerprint);
    if (!past) return;
    past->ended_case = state_.name();
    past->ended_commit = event.head;
    past->ended_us = past_.now_us();
    past_.keep_failure(fingerprint, *past);
    words_ += fmt::format("; it failed at {} before", brief(past->last_commit));
  }

  CaseState state_;
  BuildMemory past_;
  Decision decision_;
  std::string words_;
  const ForgeEvent* last_ = nullptr;
  bool changed_ = false;
};

}  // namespace

Decision decide_on_checks(const std::vector<ForgeEvent>& events, CaseState state,
                          const Recollection& memory, TimePoint now) {
  return Checks(std::move(state), memory, now).decide(events);
}

}  // namespace vigil::entities::codebase
