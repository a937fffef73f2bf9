// An alert is told, investigated, and told anew with what was found, in place where the sink can.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/market/candles.hpp"
#include "entities/market/explanation.hpp"
#include "entities/market/watch_course.hpp"
#include "entities/ops/alert.hpp"

namespace vigil::entities::market {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t history_bars = 1500;
constexpr std::string_view report_prefix = "alert ";

swarm::Task task_of(std::string name, std::string builtin, json::object input,
                    std::vector<std::string> needs) {
  swarm::Task task;
  task.name = std::move(name);
  task.builtin = std::move(builtin);
  task.input = std::move(input);
  task.needs = std::move(needs);
  task.timeout = 20s;
  return task;
}

json::array peers_of(const Course& course) {
  json::array out;
  for (const auto& peer : course.watch.peers) {
    const auto last = course.memory.fact("last:" + peer);
    if (!last || !last->value.is_object()) continue;
    auto one = last->value.get_object();
    one["name"] = peer;
    out.emplace_back(std::move(one));
  }
  return out;
}

void send(Course& course, const Alert& alert, std::string text, const json::value& found) {
  const auto& sink = course.setup.settings.report_sink;
  if (sink.empty()) return;
  json::object payload{{"text", std::move(text)},
                       {"watch", course.watch.name},
                       {"severity", alert.severity},
                       {"alert", to_json(alert)}};
  if (!found.is_null()) payload["found"] = found;
  course.decision.actions.push_back(
      {"notify", sink, std::move(payload), course.watch.name + "/" + alert.id, {}});
}

}  // namespace

std::string headline(const std::string& watch, const Alert& alert) {
  return fmt::format("{} {}: {} ({})", watch, alert.rule, ops::marked(alert.what),
                     to_rfc3339(alert.at).substr(0, 16) + "Z");
}

void tell(Course& course, const Alert& alert) {
  auto text = headline(course.watch.name, alert);
  course.remarks.push_back(fmt::format("{}: {}", alert.rule, alert.what));
  auto& score = member(member(course.state, "scores"), alert.rule);
  auto counted = score_from_json(json::value(score));
  ++counted.told;
  score = to_json(counted);
  if (is_noisy(course, counted)) {
    text += fmt::format("; {:.0f}% of {} alerts led nowhere", 100 * counted.noise_share(),
                        counted.known);
  }
  send(course, alert, text, nullptr);
  course.decision.episodes.push_back({"alert", text, to_json(alert)});
  course.decision.timers.push_back({"score", alert.at + 26h, {}});
  if (!course.setup.settings.investigate) return;
  plan_investigation(course, alert);
  course.decision.timers.push_back(
      {"news " + alert.id, course.wake.now + course.setup.settings.news_after, to_json(alert)});
}

void plan_investigation(Course& course, const Alert& alert) {
  const auto& settings = course.setup.settings;
  const auto news = course.memory.fact("news:" + course.watch.name);
  json::array bars;
  auto past = past_bars(course);
  const auto from = past.size() > history_bars ? past.size() - history_bars : 0;
  for (auto i = from; i < past.size(); ++i) {
    Archive archive;
    keep(past[i], archive);
    bars.emplace_back(std::move(archive).written());
  }
  auto subject = to_json(alert);
  subject["watch"] = course.watch.name;
  swarm::Plan plan;
  plan.title = std::string(report_prefix) + alert.id;
  plan.timeout = 1min;
  json::object near{{"alert", subject},
                    {"items", news ? news->value : json::value(json::array{})},
                    {"before", vigil::to_text(settings.news_before)},
                    {"after", vigil::to_text(settings.news_after)}};
  ask_for_explanation(course.setup.advice, subject, near, plan);
  plan.tasks.push_back(task_of("news", "market.news", std::move(near), {}));
  plan.tasks.push_back(
      task_of("peers", "market.peers", {{"alert", subject}, {"peers", peers_of(course)}}, {}));
  plan.tasks.push_back(
      task_of("history", "market.history",
              {{"alert", subject}, {"bars", std::move(bars)}, {"worth", settings.worth}}, {}));
  const auto* scores = course.state.if_contains("scores");
  const auto* score = scores == nullptr || !scores->is_object()
                          ? nullptr
                          : scores->get_object().if_contains(alert.rule);
  plan.tasks.push_back(
      task_of("report", "market.report",
              {{"alert", subject}, {"score", score == nullptr ? json::value() : *score}},
              {"news", "peers", "history"}));
  course.decision.plans.push_back(std::move(plan));
}

std::string on_report(Course& course, const swarm::Report& report) {
  if (!report.title.starts_with(report_prefix)) return on_tuned(course, report);
  const auto found = std::ranges::find(report.tasks, "report", &swarm::TaskOutcome::name);
  const bool good = found != report.tasks.end() && found->state == swarm::TaskState::done;
  const auto reported = good ? find_text(found->result, "text") : std::nullopt;
  if (!reported) {
    course.remarks.push_back("it could not be investigated: " +
                             (good || found == report.tasks.end() ? report.error : found->error));
    return "report";
  }
  const auto* subject = find_path(found->result, "alert");
  const auto alert = alert_from_json(subject == nullptr ? json::value() : *subject);
  // Looked at again and nothing new: it was told already.
  const auto digest = std::string(find_text(found->result, "digest").value_or(""));
  auto& told = member(course.state, "reports");
  if (const auto* before = told.if_contains(alert.id);
      before != nullptr && *before == json::value(digest)) {
    course.remarks.push_back("nothing new about " + alert.id);
    return "report";
  }
  if (told.size() >= 20) told.erase(told.begin());
  told[alert.id] = digest;
  if (find_bool(found->result, "nothing").value_or(false)) {
    course.remarks.push_back("nothing was found about " + alert.id);
    return "report";
  }
  course.remarks.push_back("what was found about " + alert.id + " is told");
  const auto text = std::string(*reported) + explanation_of(report, found->result);
  course.decision.episodes.push_back({"report", text, found->result});
  send(course, alert, text, found->result);
  return "report";
}

}  // namespace vigil::entities::market
