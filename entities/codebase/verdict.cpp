#include "entities/codebase/verdict.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <iterator>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "entities/codebase/announce.hpp"
#include "entities/codebase/red_builds.hpp"
#include "entities/codebase/review.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::string_view dismissed_prefix = "dismissed:";
constexpr int dismissed_max = 1000;
constexpr std::size_t places_in_words = 8;

std::string brief(std::string_view hash) { return std::string(hash.substr(0, 9)); }

Decision noted(std::string rule, std::string why) {
  Decision decision;
  decision.verdict = Verdict::noted;
  decision.rule = std::move(rule);
  decision.why = std::move(why);
  return decision;
}

std::vector<Finding> carried_from(const CaseState& state) {
  std::vector<Finding> carried;
  std::ranges::copy_if(state.findings, std::back_inserter(carried),
                       [](const Finding& finding) { return looks_at_each_file(finding.analyser); });
  return carried;
}

// The review itself; if it could not run because an analyser failed, what the others found.
std::optional<Review> review_of(const ReviewSetup& setup, const swarm::Report& report,
                                const CaseState& state) {
  if (auto review = review_from_json(report.result)) return std::move(*review);
  json::object results;
  for (const auto& task : report.tasks) {
    if (task.state == swarm::TaskState::done) results[task.name] = task.result;
  }
  if (!results.contains("changes")) return std::nullopt;
  return merge_results(results, looking_tasks(setup),
                       {setup.settings.ignore_paths, {}, carried_from(state)});
}

// Somebody may have called a finding noise while the swarm was running, or muted its rule.
void drop_dismissed(Review& review, const Recollection& memory) {
  const auto is_known = [&](std::string_view prefix, const std::string& name) {
    return !name.empty() && memory.preference(std::string(prefix) + name).has_value();
  };
  const auto dropped = std::erase_if(review.findings, [&](const Finding& finding) {
    return is_known(dismissed_prefix, finding.key) || is_known(muted_prefix, finding.rule) ||
           is_known(muted_prefix, finding.analyser);
  });
  review.dismissed += dropped;
}

std::string reason_of(const swarm::Report& report) {
  for (const auto& task : report.tasks) {
    if (task.state != swarm::TaskState::failed || task.name != "changes") continue;
    return one_line(task.error, 400);
  }
  return report.error.empty() ? "no analyser gave a result" : one_line(report.error, 400);
}

std::string progress_text(const Progress& progress) {
  if (progress.first) return "";
  return fmt::format(", {} new and {} no longer there since the last review",
                     progress.new_keys.size(), progress.fixed.size());
}

Episode episode_of(const CaseState& state, const Review& review, const Progress& progress,
                   const swarm::Report& report) {
  Episode episode;
  episode.kind = "review";
  episode.text = fmt::format("Reviewed {} at {}: {}{}. {}.", state.name(), brief(review.head),
                             counts_text(review.findings), progress_text(progress), review.why);
  std::size_t told = 0;
  for (const auto& finding : review.findings) {
    if (++told > places_in_words) break;
    episode.text += fmt::format(" {} {}: {}.", to_text(finding.severity), place_of(finding),
                                one_line(finding.title));
  }
  if (review.findings.size() > places_in_words) {
    episode.text += fmt::format(" And {} more.", review.findings.size() - places_in_words);
  }
  for (const auto& name : review.not_done) episode.text += fmt::format(" {} gave no result.", name);
  json::array keys;
  for (const auto& finding : review.findings) keys.emplace_back(finding.key);
  episode.data = json::object{{"head", review.head},
                              {"asked_head", review.asked_head},
                              {"swarm", report.swarm.value},
                              {"tasks", report.tasks.size()},
                              {"wall_us", report.wall.count()},
                              {"task_sum_us", report.task_sum.count()},
                              {"findings", std::move(keys)}};
  return episode;
}

Document document_of(const std::string& case_key, const CaseState& state, const Review& review,
                     const Progress& progress) {
  Document document;
  document.key = "review:" + case_key;
  document.title =
      fmt::format("Review of {}{}{}", state.name(), state.title.empty() ? "" : ": ", state.title);
  document.body = to_markdown(review, progress);
  for (const auto& note : review.notes) document.body += "\n" + note;
  return document;
}

// What is known about the repository from all its reviews.
Fact fact_of(const CaseState& state, const Review& review, const swarm::Report& report,
             const Recollection& memory) {
  Fact fact;
  fact.key = "repository:" + state.repository;
  const auto before = memory.fact(fact.key);
  const json::value old = before ? before->value : json::value(json::object{});
  const auto reviews = find_integer(old, "reviews").value_or(0) + 1;
  const auto mean = find_integer(old, "mean_wall_us").value_or(0);
  fact.value = json::object{{"last_case", state.name()},
                            {"last_head", review.head},
                            {"last_wall_us", report.wall.count()},
                            {"mean_wall_us", mean + (report.wall.count() - mean) / reviews},
                            {"reviews", reviews},
                            {"findings", find_integer(old, "findings").value_or(0) +
                                             static_cast<std::int64_t>(review.findings.size())}};
  fact.provenance = fmt::format("swarm {}", report.swarm.value);
  return fact;
}

// Only what a person should act on is worth a comment; later ones keep it up to date, to the end.
bool is_worth_telling(const CaseState& state, const Review& review) {
  return state.comment != Told::nothing || count_of(review, Severity::low) > 0;
}

void ask_for_actions(const ReviewSetup& setup, CaseState& state, const Review& review,
                     const Progress& progress, Decision& decision) {
  if (!setup.settings.report_sink.empty() && is_worth_telling(state, review)) {
    decision.actions.push_back(comment_action(setup, state, review, progress));
    if (state.comment == Told::nothing) state.comment = Told::asked;
  }
  if (!has_status(setup, state)) return;
  auto description = counts_text(review.findings);
  if (!review.not_done.empty()) {
    description += fmt::format("; {} did not end", review.not_done.size());
  }
  if (!review.as_asked) {
    description = "this commit is not in the local clone, so it was not reviewed";
  }
  decision.actions.push_back(
      status_action(setup, state, verdict_of(review), std::move(description)));
}

void remember_look(CaseState& state, const Review& review) {
  const bool not_all_read = std::ranges::any_of(
      review.findings, [](const Finding& finding) { return finding.analyser == "changes"; });
  const bool whole =
      review.as_asked && review.not_done.empty() && review.left_off == 0 && !not_all_read;
  state.looked_head = review.head;
  state.looked_base = review.base;
  state.looked_with = whole ? state.asked_with : "";
  state.passed = review.passed;
}

Decision failed(const ReviewSetup& setup, CaseState state, const swarm::Report& report) {
  const auto reason = reason_of(report);
  auto decision = noted("review-failed",
                        fmt::format("the review of {} came to nothing: {}", state.name(), reason));
  state.pending = false;
  decision.episodes.push_back({"review-failed", decision.why, json::object{}});
  if (has_status(setup, state)) {
    decision.verdict = Verdict::acted;
    decision.actions.push_back(
        status_action(setup, state, "error", "the review could not be done"));
  }
  decision.state = to_json(state);
  return decision;
}

std::string why_of(const CaseState& state, const Review& review, const Progress& progress,
                   const Decision& decision) {
  auto why = fmt::format("the review of {} found {}{}", state.name(), counts_text(review.findings),
                         progress_text(progress));
  if (!review.as_asked) {
    why += fmt::format("; commit {} is not in the local clone, {} was looked at instead",
                       brief(review.asked_head), brief(review.head));
  }
  const auto told = [&](std::string_view kind) {
    return std::ranges::any_of(decision.actions,
                               [&](const Action& action) { return action.kind == kind; });
  };
  if (told("comment")) {
    why += review.findings.empty() ? "; the comment says so now" : "; a comment tells it";
  } else {
    why += review.findings.empty() ? "; nothing to tell" : "; nothing of it is worth a comment";
  }
  return why;
}

bool looks_like_key(std::string_view text) {
  const auto digits = text.find_first_not_of("0123456789abcdef");
  const auto end = digits == std::string_view::npos ? text.size() : digits;
  return end == 12 && (end == text.size() || text[end] == '-');
}

// Which finding the feedback is about: the key in its note, or the only one that was told. A note
// may be somebody's words as well; those name none.
std::string meant_key(const FeedbackGiven& feedback, const CaseState& state,
                      const Recollection& memory) {
  std::vector<std::string> told;
  const auto* keys = find_path(feedback.about, "findings");
  if (keys != nullptr && keys->is_array()) {
    for (const auto& key : keys->get_array()) {
      if (key.is_string()) told.emplace_back(std::string_view(key.get_string()));
    }
  }
  const auto& note = feedback.note;
  const bool known = std::ranges::find(told, note) != told.end() ||
                     std::ranges::find(state.findings, note, &Finding::key) != state.findings.end();
  const bool dismissed = memory.preference(std::string(dismissed_prefix) + note).has_value();
  if (known || dismissed || looks_like_key(note)) return one_line(note, 40);
  return told.size() == 1 ? told.front() : std::string();
}

}  // namespace

std::string look_digest(const ReviewSetup& setup, const Recollection& memory) {
  std::string all = fmt::format("{}\n{}\n", VIGIL_VERSION, setup.settings.large_file_bytes);
  for (const auto& name : looking_tasks(setup)) all += name + "\n";
  for (const auto& path : setup.settings.ignore_paths) all += path + "\n";
  for (const auto& command : setup.settings.commands) {
    all += fmt::format("{}\n{}\n{}\n{}\n", command.name, fmt::join(command.argv, "\n"),
                       fmt::join(command.paths, "\n"), fmt::join(command.reports, "\n"));
  }
  for (const auto prefix : {dismissed_prefix, muted_prefix}) {
    for (const auto& one : memory.preferences(std::string(prefix), dismissed_max)) {
      all += one.key + "\n";
    }
  }
  return to_hex(as_bytes(sha256(all))).substr(0, 16);
}

std::optional<LastLook> last_look(const ReviewSetup& setup, const CaseState& state,
                                  const Recollection& memory) {
  if (state.looked_with.empty() || state.looked_with != look_digest(setup, memory)) {
    return std::nullopt;
  }
  return LastLook{state.looked_base, state.looked_head, carried_from(state), state.passed};
}

std::vector<std::string> dismissed_keys(const Recollection& memory) {
  std::vector<std::string> keys;
  for (const auto& one : memory.preferences(std::string(dismissed_prefix), dismissed_max)) {
    if (one.key.size() > dismissed_prefix.size()) {
      keys.push_back(one.key.substr(dismissed_prefix.size()));
    }
  }
  return keys;
}

Decision decide_on_report(const ReviewSetup& setup, const Wake& wake, const swarm::Report& report,
                          const Recollection& memory) {
  auto state = case_state_from_json(memory.case_state());
  if (state.closed) {
    return noted("closed", fmt::format("{} was closed while it was reviewed: nobody needs the "
                                       "result any more",
                                       state.name()));
  }
  const bool newest = report.title == state.swarm_title();
  if (report.cancelled) {
    auto decision = noted("cancelled", fmt::format("{} was cancelled: something newer came, or a "
                                                   "person asked for it",
                                                   one_line(report.title, 200)));
    if (newest) {
      state.pending = false;
      decision.state = to_json(state);
      if (has_status(setup, state)) {
        decision.actions.push_back(
            status_action(setup, state, "error", "the review was cancelled"));
      }
    }
    return decision;
  }
  auto review = review_of(setup, report, state);
  if (!newest || (review && review->asked_head != state.head)) {
    return noted("stale",
                 fmt::format("this was to {}, and {} is at {} by now: it is not told",
                             one_line(report.title, 200), state.name(), brief(state.head)));
  }
  if (!review) return failed(setup, std::move(state), report);
  drop_dismissed(*review, memory);
  Decision decision;
  const auto builds = look_into_builds(setup, wake, report, memory, state, *review, decision);
  const auto progress = state.reviews == 0 ? Progress{} : compare(state.findings, review->findings);
  decision.verdict = Verdict::acted;
  decision.rule = "review";
  state.pending = false;
  state.reviews += 1;
  state.reviewed_head = state.head;
  remember_look(state, *review);
  const bool quiet = state.held || wake.now < state.quiet_until;
  state.untold = quiet;
  if (!quiet) ask_for_actions(setup, state, *review, progress, decision);
  if (decision.actions.empty() && decision.plans.empty()) decision.verdict = Verdict::noted;
  decision.why = why_of(state, *review, progress, decision);
  if (!builds.empty()) decision.why += "; " + builds;
  if (quiet) decision.why += state.held ? "; it is on hold" : "; it is snoozed";
  decision.episodes.push_back(episode_of(state, *review, progress, report));
  decision.documents.push_back(document_of(wake.case_key, state, *review, progress));
  decision.facts.push_back(fact_of(state, *review, report, memory));
  state.findings = std::move(review->findings);
  decision.state = to_json(state);
  return decision;
}

Decision decide_on_feedback(const FeedbackGiven& feedback, const Recollection& memory) {
  auto state = case_state_from_json(memory.case_state());
  const auto key = meant_key(feedback, state, memory);
  const auto known = std::ranges::find(state.findings, key, &Finding::key);
  const auto subject = known == state.findings.end()
                           ? fmt::format("finding {}", quoted(key))
                           : fmt::format("{}: {}", place_of(*known), one_line(known->title));
  if (feedback.verdict == "useful") {
    auto decision =
        noted("useful", key.empty() ? "somebody found the review useful"
                                    : fmt::format("somebody found this useful: {}", subject));
    const auto name = std::string(dismissed_prefix) + key;
    if (!key.empty() && memory.preference(name)) {
      decision.preferences.push_back({name, nullptr, "somebody found it useful after all"});
      decision.why += "; it is told again from now on";
    }
    return decision;
  }
  if (key.empty()) {
    auto decision = noted("noise",
                          "somebody called the review noise without saying which finding: "
                          "give its key, and it is not told again");
    decision.episodes.push_back(
        {"feedback", fmt::format("A review was called noise: {}.", one_line(feedback.note, 200)),
         json::object{}});
    return decision;
  }
  auto decision = noted(
      "noise", fmt::format("somebody called this noise, so it is not told again: {}", subject));
  decision.preferences.push_back(
      {std::string(dismissed_prefix) + key, json::value(json::string(subject)),
       fmt::format("called noise in {} (action {})", state.name(), feedback.action.value)});
  decision.episodes.push_back(
      {"feedback", fmt::format("Dismissed {}.", subject), json::object{{"key", key}}});
  if (known != state.findings.end()) {
    state.findings.erase(known);
    decision.state = to_json(state);
  }
  return decision;
}

}  // namespace vigil::entities::codebase
