#include "entities/ops/watch_judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "entities/ops/sources.hpp"
#include "entities/series/detector.hpp"
#include "entities/series/forecast.hpp"

namespace vigil::entities::ops {
namespace {

constexpr Duration past_lasts = std::chrono::hours{48};
constexpr std::size_t trend_points_max = 100;

// Whether a rule is broken, and how, in words.
struct Verdict {
  bool broken = false;
  std::string text;
};

std::string number(double value) { return fmt::format("{:.6g}", value); }

Verdict by_limits(const config::OpsWatchRule& rule, double value, bool firing) {
  const double above =
      firing ? rule.clear.value_or(rule.above.value_or(0)) : rule.above.value_or(0);
  const double below =
      firing ? rule.clear.value_or(rule.below.value_or(0)) : rule.below.value_or(0);
  if (rule.above && value > above) {
    return {true, value > *rule.above ? "above " + number(*rule.above)
                                      : fmt::format("was above {}, not yet back to {}",
                                                    number(*rule.above), number(above))};
  }
  if (rule.below && value < below) {
    return {true, value < *rule.below ? "below " + number(*rule.below)
                                      : fmt::format("was below {}, not yet back to {}",
                                                    number(*rule.below), number(below))};
  }
  return {};
}

// The detector sees what is remembered of the series anew each time, so that what it says depends
// on nothing else.
Verdict by_past(const std::vector<series::Point>& past, TimePoint since) {
  series::Detector detector;
  Verdict out;
  for (const auto& point : past) {
    const auto finding = detector.observe(point.at, point.value);
    if (finding.is_anomaly && point.at > since) out = {true, finding.reason};
  }
  return out;
}

Verdict by_change(const config::OpsWatchRule& rule, const std::vector<series::Point>& past) {
  if (past.size() < 2) return {};
  const auto now = past.back();
  const auto first = std::ranges::find_if(
      past, [&](const auto& point) { return point.at >= now.at - rule.change_within; });
  if (first->at == now.at) return {};
  if (first->value == 0) {
    if (now.value == 0) return {};
    return {true, fmt::format("was 0 {} ago", vigil::to_text(now.at - first->at))};
  }
  const double percent = (now.value - first->value) / std::abs(first->value) * 100;
  if (std::abs(percent) <= *rule.change_above) return {};
  return {true, fmt::format("{}{:.3g} % in {}, from {}", percent > 0 ? "+" : "", percent,
                            vigil::to_text(now.at - first->at), number(first->value))};
}

// A counter falls only when its program has started anew.
Verdict by_rise(const config::OpsWatchRule& rule, const std::vector<series::Point>& past) {
  if (past.size() < 2) return {};
  const auto now = past.back();
  auto at = std::ranges::find_if(
      past, [&](const auto& point) { return point.at >= now.at - rule.change_within; });
  const auto since = now.at - at->at;
  double rise = 0;
  for (; std::next(at) != past.end(); ++at) {
    const double next = std::next(at)->value;
    rise += next >= at->value ? next - at->value : next;
  }
  if (rise <= *rule.rise_above) return {};
  return {true, fmt::format("+{} in {}", number(rise), vigil::to_text(since))};
}

// From which side the limit is reached is where the series began, as far as it is remembered.
Verdict by_trend(const config::OpsWatchRule& rule, const std::vector<series::Point>& past,
                 bool firing) {
  const double sign = past.front().value > rule.limit ? -1 : 1;
  std::vector<series::Point> some;
  const auto step = std::max<std::size_t>(1, past.size() / trend_points_max);
  for (std::size_t i = (past.size() - 1) % step; i < past.size(); i += step) {
    some.push_back({past[i].at, past[i].value * sign});
  }
  const auto trend = series::trend_of(some);
  if (!trend) return {};
  const auto eta = series::reaches(*trend, rule.limit * sign);
  const auto within = firing ? *rule.full_within * 5 / 4 : *rule.full_within;  // not to and fro
  if (!eta.left || *eta.left > within) return {};
  if (*eta.left <= Duration{0}) return {true, "has reached " + number(rule.limit)};
  return {true, fmt::format("reaches {} in about {} at this pace", number(rule.limit),
                            vigil::to_text(*eta.left))};
}

class Judging {
 public:
  Judging(const Watch& watch, const Look& look, WatchState& state, TimePoint now)
      : watch_(watch), look_(look), state_(state), now_(now) {}

  Judged all() && {
    heed_the_clock();
    keep_past();
    for (const auto& rule : watch_.rules) judge(rule);
    end_what_is_gone();
    note(look_.no_numbers, "readings are no numbers and do not count");
    note(look_.beyond, "readings beyond the bound of 10000 are not looked at: ask for fewer");
    note(past_full_,
         "series are not remembered, as 16 are: narrow the labels of the rules that "
         "look at the past");
    note(pending_full_, "series break a rule and are not told, as 500 are");
    return std::move(out_);
  }

 private:
  void note(std::size_t count, std::string_view what) {
    if (count > 0) out_.notes.push_back(fmt::format("{} {}", count, what));
  }

  // After the clock was set back nothing may have happened in what is now the future.
  void heed_the_clock() {
    for (auto& [rule, at] : state_.seen) at = std::min(at, now_);
    for (auto& [fingerprint, one] : state_.pending) {
      one.since = std::min(one.since, now_);
      one.last = std::min(one.last, now_);
    }
    for (auto& [series, points] : state_.past) {
      std::erase_if(points, [&](const auto& point) { return point.at > now_; });
    }
  }

  void keep_past() {
    const auto lasts = std::max(past_lasts, watch_.settings.every * 10);
    std::erase_if(state_.past, [&](const auto& entry) {
      return entry.second.empty() || entry.second.back().at < now_ - lasts;
    });
    for (const auto& reading : look_.readings) {
      const bool wanted = std::ranges::any_of(watch_.rules, [&](const auto& rule) {
        return rule.needs_past() && rule.reading.matches(reading.name, reading.labels);
      });
      if (!wanted) continue;
      const auto series = reading.series();
      if (!state_.past.contains(series) && state_.past.size() >= past_series_max) {
        ++past_full_;
        continue;
      }
      auto& points = state_.past[series];
      const auto at = std::min(reading.at.value_or(now_), now_);
      if (!points.empty() && at <= points.back().at) continue;
      points.push_back({at, reading.value});
      if (points.size() > past_points_max) points.erase(points.begin());
    }
  }

  Alert alert_of(const WatchRule& rule, const Pending& one, const std::string& fingerprint,
                 Status status, std::string summary) const {
    Alert out;
    out.source = "watch";
    out.fingerprint = fingerprint;
    out.status = status;
    out.severity = severity_from(rule.settings.severity);
    out.name = rule.settings.name.empty() ? rule.reading.name : rule.settings.name;
    out.labels = one.labels;
    out.labels["alertname"] = out.name;
    out.labels["reading"] = one.name;
    out.labels["watch"] = watch_.settings.name;
    out.labels["severity"] = rule.settings.severity;
    out.summary = plain(summary, summary_bytes_max);
    return out;
  }

  std::string fingerprint_of(const WatchRule& rule, std::string_view series) const {
    return "watch:" + digest_of({watch_.settings.name, rule.id, series});
  }

  Verdict verdict_of(const WatchRule& rule, const Measured& reading, const Pending* pending) const {
    const bool firing = pending != nullptr && pending->firing;
    if (!rule.needs_past()) return by_limits(rule.settings, reading.value, firing);
    const auto past = state_.past.find(reading.series());
    if (past == state_.past.end() || past->second.empty()) return {};
    if (rule.settings.anomaly) return by_past(past->second, now_ - rule.settings.hold);
    if (rule.settings.change_above) return by_change(rule.settings, past->second);
    if (rule.settings.rise_above) return by_rise(rule.settings, past->second);
    return by_trend(rule.settings, past->second, firing);
  }

  void judge(const WatchRule& rule) {
    std::size_t matched = 0;
    for (const auto& reading : look_.readings) {
      if (!rule.reading.matches(reading.name, reading.labels)) continue;
      ++matched;
      judge(rule, reading);
    }
    const auto [seen, first] = state_.seen.try_emplace(rule.id, now_);
    if (matched > 0) seen->second = now_;
    const auto fingerprint = fingerprint_of(rule, "silent");
    const auto waited = now_ - seen->second;
    const auto missing = watch_.settings.missing_after;
    const bool silent = missing > 0 && matched == 0 && waited >= watch_.settings.every * missing;
    const auto found = state_.pending.find(fingerprint);
    if (silent == (found != state_.pending.end())) return;
    if (silent) {
      state_.pending[fingerprint] = {rule.id, rule.settings.reading, {}, now_, now_, true};
    } else {
      state_.pending.erase(found);
    }
    auto alert = alert_about(watch_, "watch-silent", rule.id,
                             silent ? Status::firing : Status::resolved, rule.settings.severity,
                             silent ? fmt::format("no reading of {} for {}", rule.settings.reading,
                                                  vigil::to_text(waited))
                                    : fmt::format("{} is read again", rule.settings.reading));
    alert.fingerprint = fingerprint;
    visited_.insert(fingerprint);
    out_.alerts.push_back(std::move(alert));
  }

  void judge(const WatchRule& rule, const Measured& reading) {
    const auto fingerprint = fingerprint_of(rule, reading.series());
    auto found = state_.pending.find(fingerprint);
    auto* pending = found == state_.pending.end() ? nullptr : &found->second;
    visited_.insert(fingerprint);
    const auto verdict = verdict_of(rule, reading, pending);
    const auto text = [&](std::string_view how) {
      return fmt::format("{} is {}{}{}", reading.series(), reading.value_text(),
                         how.empty() ? "" : ", ", how);
    };
    if (!verdict.broken) {
      if (pending == nullptr) return;
      if (pending->firing) tell(rule, *pending, fingerprint, Status::resolved, text(""), reading);
      state_.pending.erase(found);
      return;
    }
    if (pending == nullptr) {
      if (state_.pending.size() >= pending_max) {
        ++pending_full_;
        return;
      }
      pending = &state_.pending[fingerprint];
      *pending = {rule.id, reading.name, reading.labels, now_, now_, false};
    }
    // What was not looked at for a while may have been well in between.
    const auto gap_max = watch_.settings.every * std::max(2, watch_.settings.missing_after);
    if (!pending->firing && now_ - pending->last > gap_max) pending->since = now_;
    pending->last = now_;
    if (!pending->firing && now_ - pending->since < rule.settings.lasts) return;
    pending->firing = true;
    tell(rule, *pending, fingerprint, Status::firing, text(verdict.text), reading);
  }

  void tell(const WatchRule& rule, const Pending& one, const std::string& fingerprint,
            Status status, std::string summary, const Measured& reading) {
    auto alert = alert_of(rule, one, fingerprint, status, std::move(summary));
    alert.starts = one.since;
    alert.value = reading.value_text();
    out_.alerts.push_back(std::move(alert));
  }

  // Of series that are not read any more, and of rules that were taken out.
  void end_what_is_gone() {
    const auto missing = std::max(1, watch_.settings.missing_after);
    for (auto at = state_.pending.begin(); at != state_.pending.end();) {
      const auto& [fingerprint, one] = *at;
      const auto rule = std::ranges::find(watch_.rules, one.rule, &WatchRule::id);
      const bool removed = rule == watch_.rules.end();
      const bool is_silence =
          one.labels.empty() && !removed && fingerprint == fingerprint_of(*rule, "silent");
      const bool gone = !is_silence && !visited_.contains(fingerprint) &&
                        now_ - one.last >= watch_.settings.every * missing;
      if (!removed && !gone) {
        ++at;
        continue;
      }
      if (one.firing) {
        auto alert = removed ? Alert{} : alert_of(*rule, one, fingerprint, Status::resolved, "");
        alert.source = "watch";
        alert.fingerprint = fingerprint;
        alert.status = Status::resolved;
        if (alert.name.empty()) alert.name = one.name;
        if (alert.labels.empty()) alert.labels = one.labels;
        alert.summary = removed ? "its rule was taken out" : one.name + " is not read any more";
        out_.alerts.push_back(std::move(alert));
      }
      at = state_.pending.erase(at);
    }
    std::erase_if(state_.seen, [&](const auto& entry) {
      return std::ranges::find(watch_.rules, entry.first, &WatchRule::id) == watch_.rules.end();
    });
  }

  const Watch& watch_;
  const Look& look_;
  WatchState& state_;
  TimePoint now_;
  Judged out_;
  std::set<std::string> visited_;
  std::size_t past_full_ = 0;
  std::size_t pending_full_ = 0;
};

}  // namespace

Judged judge(const Watch& watch, const Look& look, WatchState& state, TimePoint now) {
  return Judging(watch, look, state, now).all();
}

Alert alert_about(const Watch& watch, std::string_view name, std::string_view what, Status status,
                  std::string_view severity, std::string summary) {
  Alert out;
  out.source = "watch";
  out.fingerprint = "watch:" + digest_of({watch.settings.name, name, what});
  out.status = status;
  out.severity = severity_from(severity);
  out.name = name;
  out.labels = {{"alertname", std::string(name)},
                {"watch", watch.settings.name},
                {"severity", std::string(severity)}};
  out.summary = plain(summary, summary_bytes_max);
  return out;
}

}  // namespace vigil::entities::ops
