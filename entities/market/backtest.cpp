#include "entities/market/backtest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vigil::entities::market {
namespace {

// What the numbers of a remark are differs each time.
std::string kind_of(const std::string& remark) {
  std::string out;
  bool digit = false;
  for (const char c : remark) {
    const bool is_digit = (c >= '0' && c <= '9') || (digit && (c == '.' || c == ':' || c == '-'));
    if (is_digit && !digit) out += '#';
    if (!is_digit) out += c;
    digit = is_digit;
  }
  return out;
}

}  // namespace

Backtest backtest(const config::MarketWatch& watch, const Calendar& calendar,
                  const std::vector<Rule>& rules, std::span<const Bar> bars, double worth) {
  std::vector<const Rule*> used;
  for (const auto& rule : rules) {
    if (rule.concerns(watch.name)) used.push_back(&rule);
  }
  Backtest out;
  for (const auto* rule : used) {
    if (rule->is_of_bars()) out.scores[rule->settings.name];  // also of those that never told
  }
  Watcher watcher(watch, calendar, std::move(used));
  const auto known = [&](const Outcome& outcome) {
    out.outcomes.push_back(outcome);
    out.scores[outcome.alert.rule].add(outcome, worth);
  };
  for (const auto& bar : bars) {
    const auto heard = watcher.take("history", bar);
    out.bars += heard.bars.size();
    for (const auto& alert : heard.alerts) ++out.scores[alert.rule].told;
    std::ranges::for_each(heard.outcomes, known);
    for (const auto& remark : heard.remarks) ++out.remarks[kind_of(remark)];
  }
  std::ranges::for_each(watcher.judge().end_followed(TimePoint::max()), known);
  std::ranges::sort(out.outcomes, {},
                    [](const Outcome& one) { return std::pair(one.alert.at, one.alert.id); });
  return out;
}

std::string score_table(const std::map<std::string, RuleScore>& scores) {
  auto out = fmt::format("{:<24} {:>5} {:>6} {:>6} {:>8} {:>8} {:>9}\n", "rule", "told", "hit",
                         "noise", "1h", "1d", "drawdown");
  for (const auto& [rule, score] : scores) {
    out += fmt::format("{:<24} {:>5} {:>5.0f}% {:>5.0f}% {:>8} {:>8} {:>8.2f}%\n", rule, score.told,
                       100 * score.hit_rate(), 100 * score.noise_share(),
                       move_text(score.mean_hour()), move_text(score.mean_day()), score.worst);
  }
  return out;
}

Tuned tune(const config::MarketWatch& watch, const Calendar& calendar, const Rule& rule,
           std::span<const Bar> bars, double worth) {
  Tuned out;
  const auto try_one = [&](const Rule& one) {
    const auto tried = backtest(watch, calendar, {one}, bars, worth);
    const auto found = tried.scores.find(one.settings.name);
    return found == tried.scores.end() ? RuleScore{} : found->second;
  };
  out.before = out.after = try_one(rule);
  for (const double factor : {1.1, 1.25, 1.5, 2.0, 3.0}) {
    auto settings = rule.settings;
    settings.when.clear();
    bool changed = false;
    for (const auto& condition : rule.when) {
      const auto other = with_threshold(condition, factor);
      changed = changed || other.has_value();
      settings.when.push_back(other ? other->text() : condition.text());
    }
    const auto made = changed ? make_rule(settings) : fail(ErrorCode::invalid_input, "");
    if (!made) continue;
    const auto score = try_one(*made);
    out.tried.emplace_back(fmt::format("{}", fmt::join(settings.when, " and ")), score);
    const bool enough = score.hits > 0 && 3 * score.hits >= out.before.hits;
    if (!enough || score.noise_share() >= out.after.noise_share()) continue;
    out.after = score;
    out.when = settings.when;
  }
  return out;
}

}  // namespace vigil::entities::market
