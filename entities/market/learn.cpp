// What a watch learns: which rules told things worth telling. One that is mostly noise is said to
// be, and another threshold is proposed with its back-test; a person decides.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/market/candles.hpp"
#include "entities/market/watch_course.hpp"
#include "entities/ops/alert.hpp"

namespace vigil::entities::market {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view tune_prefix = "tune ";
constexpr std::size_t bars_least = 200;

std::string tune_key(const std::string& rule) { return "tune:" + rule; }

// Once for a rule, and again when it has told twice as much since.
bool is_time_to_tune(Course& course, const std::string& rule, const RuleScore& score) {
  if (!is_noisy(course, score)) return false;
  const auto before = find_integer(member(course.state, "tuned"), rule).value_or(0);
  return static_cast<std::int64_t>(score.known) >= 2 * before;
}

void plan_tuning(Course& course, const std::string& rule, const RuleScore& score) {
  const auto past = past_bars(course);
  member(course.state, "tuned")[rule] = score.known;
  course.remarks.push_back(fmt::format("{} is noisy: {:.0f}% of {} alerts led nowhere", rule,
                                       100 * score.noise_share(), score.known));
  course.decision.facts.push_back({fmt::format("noisy:{}:{}", rule, course.watch.name),
                                   score.noise_share(), 1, "what followed its alerts"});
  const auto rules = rules_of(course);
  const auto found =
      std::ranges::find_if(rules, [&](const Rule& one) { return one.settings.name == rule; });
  if (past.size() < bars_least || found == rules.end()) return;
  json::array bars;
  for (auto bar : past) {
    Archive archive;
    keep(bar, archive);
    bars.emplace_back(std::move(archive).written());
  }
  swarm::Task task;
  task.name = "tune";
  task.builtin = "market.tune";
  task.timeout = 1min;
  json::array when;
  for (const auto& condition : found->settings.when) when.emplace_back(condition);
  task.input = {{"watch", course.watch.name},
                {"session", course.watch.session},
                {"rule", rule},
                {"when", std::move(when)},
                {"clear", found->settings.clear},
                {"again", found->settings.again},
                {"for", found->settings.bars},
                {"cooldown", vigil::to_text(found->settings.cooldown)},
                {"outside_session", true},
                {"worth", course.setup.settings.worth},
                {"bars", std::move(bars)}};
  swarm::Plan plan;
  plan.title = std::string(tune_prefix) + rule;
  plan.timeout = 2min;
  plan.tasks.push_back(std::move(task));
  course.decision.plans.push_back(std::move(plan));
}

}  // namespace

bool is_noisy(const Course& course, const RuleScore& score) {
  const auto& settings = course.setup.settings;
  return score.known >= static_cast<std::size_t>(settings.propose_after) &&
         score.noise_share() >= settings.noise_share;
}

void on_outcomes(Course& course, const std::vector<Outcome>& outcomes) {
  const double worth = course.setup.settings.worth;
  for (const auto& outcome : outcomes) {
    const auto& rule = outcome.alert.rule;
    auto& kept = member(member(course.state, "scores"), rule);
    auto score = score_from_json(json::value(kept));
    score.add(outcome, worth);
    kept = to_json(score);
    const auto text = fmt::format("{}: {} after an hour, {} after a day{}", outcome.alert.id,
                                  move_text(outcome.after_hour), move_text(outcome.after_day),
                                  outcome.is_noise(worth) ? ", not worth telling" : "");
    course.remarks.push_back(text);
    course.decision.episodes.push_back({"outcome", text, to_json(outcome.alert)});
    if (is_time_to_tune(course, rule, score)) plan_tuning(course, rule, score);
  }
}

std::string on_tuned(Course& course, const swarm::Report& report) {
  const auto rule = report.title.substr(tune_prefix.size());
  const auto* task = report.tasks.empty() ? nullptr : &report.tasks.front();
  const bool good = task != nullptr && task->state == swarm::TaskState::done;
  const auto* when = good ? find_path(task->result, "when") : nullptr;
  if (when == nullptr || !when->is_array()) {
    course.remarks.push_back(good ? fmt::format("no other threshold of {} does better", rule)
                                  : fmt::format("{} could not be tried: {}", rule,
                                                task == nullptr ? report.error : task->error));
    return "tune";
  }
  member(course.state, "proposed")[rule] = *when;
  course.remarks.push_back("another threshold of " + rule + " is proposed");
  if (course.setup.settings.report_sink.empty()) return "tune";
  json::object payload{{"text", std::string(find_text(task->result, "text").value_or(""))},
                       {"watch", course.watch.name},
                       {"rule", rule},
                       {"when", *when}};
  for (const auto* figures : {"bars", "before", "after"}) {
    if (const auto* found = find_path(task->result, figures)) payload[figures] = *found;
  }
  // What a guardian tells is not for it alone to change, whatever its autonomy.
  course.decision.actions.push_back({.kind = std::string(tune_kind),
                                     .sink = course.setup.settings.report_sink,
                                     .payload = std::move(payload),
                                     .sticky_key = tune_key(rule),
                                     .expires = course.wake.now + 7 * 24h,
                                     .ask_first = true});
  return "tune";
}

std::string on_settled(Course& course, const ActionSettled& settled) {
  if (settled.kind != tune_kind || !settled.sticky_key.starts_with("tune:")) {
    course.remarks.push_back(fmt::format("its {} was {}", settled.kind, settled.outcome));
    return "action";
  }
  const auto rule = settled.sticky_key.substr(5);
  const auto& proposed = member(course.state, "proposed");
  const auto* found = proposed.if_contains(rule);
  const auto when = found == nullptr ? json::value() : *found;
  if (settled.outcome == "delivered" && when.is_array()) {
    course.decision.preferences.push_back({fmt::format("threshold:{}:{}", rule, course.watch.name),
                                           json::object{{"when", when}},
                                           "approved: the rule was noisy"});
    // What the old threshold told says nothing about the new one.
    member(course.state, "scores").erase(rule);
    member(course.state, "tuned").erase(rule);
    course.remarks.push_back("the threshold of " + rule + " is the approved one now");
  } else {
    course.remarks.push_back(
        fmt::format("the threshold of {} stays: the proposal was {}", rule, settled.outcome));
  }
  member(course.state, "proposed").erase(rule);
  return "tune";
}

std::string on_feedback(Course& course, const FeedbackGiven& feedback) {
  const auto rule = find_text(feedback.about, "alert.rule");
  if (!rule) {
    course.remarks.emplace_back("the answer was taken note of");
    return "feedback";
  }
  auto& kept = member(member(course.state, "scores"), *rule);
  auto score = score_from_json(json::value(kept));
  ++score.known;
  (feedback.verdict == "noise" ? score.noise : score.hits) += 1;
  kept = to_json(score);
  course.remarks.push_back(fmt::format("an alert of {} was {}", *rule, feedback.verdict));
  if (is_time_to_tune(course, std::string(*rule), score)) {
    plan_tuning(course, std::string(*rule), score);
  }
  return "feedback";
}

}  // namespace vigil::entities::market
