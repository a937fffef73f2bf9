#include "entities/market/watch_course.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/case_key.hpp"
#include "entities/market/candles.hpp"
#include "entities/ops/alert.hpp"

namespace vigil::entities::market {
namespace {

using namespace std::chrono_literals;

constexpr Duration score_grace = 2h;  // for the bar that ends the day after an alert
constexpr std::string_view stale_timer = "stale";
constexpr std::string_view score_timer = "score";

void take(Course& course, Watcher& watcher, Heard heard) {
  for (auto& remark : heard.remarks) course.remarks.push_back(std::move(remark));
  for (const auto& alert : heard.alerts) tell(course, alert);
  on_outcomes(course, heard.outcomes);
  put_away(course, heard.bars);
  const auto& last = watcher.prices().last();
  if (heard.bars.empty() || !last || !heard.alerts.empty()) return;
  if (course.remarks.empty()) course.remarks.push_back("close " + last->close.text());
}

void on_signal(Course& course, Watcher& watcher, const std::vector<Rule>& rules,
               const Event& event) {
  const auto signal = read_signal(event);
  if (!signal) {
    course.remarks.push_back(signal.error().message);
    return;
  }
  std::string lower = signal->text;
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  });
  const auto& last = watcher.prices().last();
  bool told = false;
  for (const auto& rule : rules) {
    const auto& condition = rule.when.front();
    if (condition.form != Form::signal || lower.find(condition.word) == std::string::npos) continue;
    Alert alert{fmt::format("{}@{}", rule.settings.name, to_rfc3339(signal->at)),
                rule.settings.name,
                rule.settings.severity,
                signal->at,
                signal->price ? *signal->price
                : last        ? last->close
                              : Decimal(),
                0,
                "signal: " + signal->text};
    tell(course, alert);
    if (!alert.price.is_zero()) watcher.judge().follow(alert);
    told = true;
  }
  if (!told) course.remarks.push_back("no rule asks for the signal: " + signal->text);
}

void on_event(Course& course, Watcher& watcher, const std::vector<Rule>& rules,
              const Event& event) {
  if (event.type == "market.bar") {
    const auto bar = read_bar(event);
    if (!bar) {
      course.remarks.push_back("a bar that cannot be read: " + bar.error().message);
    } else if (!find_bool(event.data, "closed").value_or(true)) {
      course.remarks.emplace_back("a bar that may still change");
    } else {
      take(course, watcher, watcher.take(event.source, *bar));
    }
  } else if (event.type == "market.quote" || event.type == "market.trade") {
    const auto quote = read_quote(event);
    if (!quote) {
      course.remarks.push_back("a quote that cannot be read: " + quote.error().message);
    } else {
      take(course, watcher, watcher.take(event.source, *quote));
    }
  } else if (event.type == "market.gap") {
    const auto gap = read_gap(event);
    if (gap) {
      course.remarks.push_back(fmt::format("{} did not hear {} to {}{}{}", event.source,
                                           to_rfc3339(gap->from), to_rfc3339(gap->to),
                                           gap->why.empty() ? "" : ": ", gap->why));
    }
  } else if (event.type == "market.signal") {
    on_signal(course, watcher, rules, event);
  }
}

// Told once while it lasts.
void on_stale(Course& course, Watcher& watcher) {
  const auto& watch = course.watch;
  const auto now = course.wake.now;
  const auto heard = watcher.prices().heard();
  if (watch.stale_after == Duration{0} || !heard) return;
  const auto& calendar = course.setup.calendars.at(watch.session);
  const bool stale = calendar.open_between(*heard, now) >= watch.stale_after;
  const bool told = course.state.if_contains("stale") != nullptr;
  const auto key = "stale:" + watch.name;
  if (stale && !told) {
    const auto text = fmt::format("{}: nothing was heard from {} since {}", watch.name,
                                  watcher.prices().lead(), to_rfc3339(*heard));
    course.state["stale"] = to_rfc3339(*heard);
    course.remarks.push_back(text);
    if (!course.setup.settings.report_sink.empty()) {
      course.decision.actions.push_back({"notify",
                                         course.setup.settings.report_sink,
                                         {{"text", text}, {"watch", watch.name}},
                                         key,
                                         {}});
    }
  }
  if (!stale && told) {
    course.state.erase("stale");
    course.remarks.push_back("prices are heard again");
  }
}

// The timer of silence is set where it may be due, and looked at anew when it is.
void set_stale_timer(Course& course, Watcher& watcher) {
  const auto& watch = course.watch;
  const auto heard = watcher.prices().heard();
  if (watch.stale_after == Duration{0} || !heard) return;
  if (const auto set = find_integer(course.state, "stale_due");
      set && from_unix_us(*set) > course.wake.now) {
    return;
  }
  const auto& calendar = course.setup.calendars.at(watch.session);
  auto due = std::max(*heard + watch.stale_after, course.wake.now + 1min);
  if (!calendar.is_open(due)) {
    if (const auto next = calendar.session_at_or_after(due)) due = next->open + watch.stale_after;
  }
  course.state["stale_due"] = to_unix_us(due);
  course.decision.timers.push_back({std::string(stale_timer), due, {}});
}

std::string on_timer(Course& course, Watcher& watcher, const TimerDue& due) {
  if (due.name == score_timer) {
    on_outcomes(course, watcher.judge().end_followed(course.wake.now - 24h - score_grace / 2));
    if (course.remarks.empty()) course.remarks.emplace_back("all alerts of that time are scored");
  } else if (due.name == stale_timer) {
    course.state.erase("stale_due");
    on_stale(course, watcher);
    if (course.remarks.empty()) course.remarks.emplace_back("prices are heard");
  } else if (due.name.starts_with("news ")) {
    const auto alert = alert_from_json(due.note);
    plan_investigation(course, alert);
    course.remarks.push_back("looks again for news about " + alert.id);
  } else if (due.name == settings_timer) {
    course.remarks.push_back("it is watched");
  }
  return due.name.substr(0, due.name.find(' '));
}

Decision finish(Course course, std::string rule) {
  auto& decision = course.decision;
  std::string told;
  for (const auto& remark : course.remarks) told += (told.empty() ? "" : "; ") + remark;
  decision.why = ops::plain(course.watch.name + ": " + (told.empty() ? "nothing new" : told), 1000);
  decision.rule = std::move(rule);
  decision.verdict =
      !decision.plans.empty() || !decision.actions.empty() ? Verdict::acted : Verdict::noted;
  decision.state = std::move(course.state);
  return std::move(decision);
}

}  // namespace

json::object& member(json::object& of, std::string_view key) {
  auto& value = of[key];
  if (!value.is_object()) value = json::object{};
  return value.get_object();
}

const config::MarketWatch* watch_of(const MarketSetup& setup, std::string_view case_key) {
  const auto found = std::ranges::find_if(setup.settings.watches, [&](const auto& watch) {
    return case_key_of(std::string(watch_prefix) + watch.name) == case_key;
  });
  return found == setup.settings.watches.end() ? nullptr : &*found;
}

std::vector<Rule> rules_of(const Course& course) {
  std::vector<Rule> out;
  for (const auto& rule : course.setup.rules) {
    if (!rule.concerns(course.watch.name)) continue;
    const auto learned = course.memory.preference(
        fmt::format("threshold:{}:{}", rule.settings.name, course.watch.name));
    const auto* when = learned ? find_path(*learned, "when") : nullptr;
    auto settings = rule.settings;
    if (when != nullptr && when->is_array()) {
      settings.when.clear();
      for (const auto& text : when->get_array()) {
        if (text.is_string()) settings.when.emplace_back(text.get_string());
      }
    }
    auto made = make_rule(settings);
    out.push_back(made ? std::move(*made) : rule);
  }
  return out;
}

Decision decide_on_watch(const MarketSetup& setup, const config::MarketWatch& watch,
                         const Wake& wake, const Recollection& memory) {
  Course course{setup, watch, wake, memory, memory.case_state(), {}, {}};
  const auto rules = rules_of(course);
  std::vector<const Rule*> of_bars;
  for (const auto& rule : rules) of_bars.push_back(&rule);
  Watcher watcher(watch, setup.calendars.at(watch.session), std::move(of_bars));
  if (!watcher.restore(member(course.state, "watcher"))) {
    for (const auto& bar : past_bars(course)) watcher.judge().warm(bar);
  }
  std::string rule = "prices";
  if (const auto* arrived = std::get_if<EventsArrived>(&wake.because)) {
    for (const auto& event : arrived->events) on_event(course, watcher, rules, *event);
    on_stale(course, watcher);
    if (!course.decision.actions.empty()) rule = "alert";
  } else if (const auto* ended = std::get_if<SwarmEnded>(&wake.because)) {
    rule = on_report(course, ended->report);
  } else if (const auto* due = std::get_if<TimerDue>(&wake.because)) {
    rule = on_timer(course, watcher, *due);
  } else if (const auto* settled = std::get_if<ActionSettled>(&wake.because)) {
    rule = on_settled(course, *settled);
  } else if (const auto* feedback = std::get_if<FeedbackGiven>(&wake.because)) {
    rule = on_feedback(course, *feedback);
  }
  set_stale_timer(course, watcher);
  course.state["watcher"] = watcher.state();
  return finish(std::move(course), std::move(rule));
}

}  // namespace vigil::entities::market
