// Rules as they are configured, and what followed their alerts.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "entities/market/judge.hpp"

namespace vigil::entities::market {
namespace {

Result<void> read_again(Rule& rule, const std::string& text) {
  if (text == "cleared") return {};
  if (text == "once") rule.again = Again::once;
  if (text == "every") rule.again = Again::every;
  if (rule.again != Again::cleared) return {};
  const auto percent = text.ends_with('%')
                           ? Decimal::parse(std::string_view(text).substr(0, text.size() - 1))
                           : fail(ErrorCode::invalid_input, "");
  if (!percent || percent->is_negative() || percent->is_zero()) {
    return fail(
        ErrorCode::invalid_input,
        fmt::format("again: expected cleared, once, every or a percentage like \"5%\", not {}",
                    vigil::quoted(text)));
  }
  rule.again = Again::moved;
  rule.moved = *percent;
  return {};
}

double along(const Alert& alert, double move) { return alert.direction < 0 ? -move : move; }

void put(json::object& to, std::string_view key, const std::optional<double>& value) {
  if (value) to[key] = *value;
}

}  // namespace

bool Rule::concerns(const std::string& watch) const {
  return settings.watches.empty() ||
         std::ranges::find(settings.watches, watch) != settings.watches.end();
}

Result<Rule> make_rule(const config::MarketRule& settings) {
  Rule rule;
  rule.settings = settings;
  if (settings.when.empty()) return fail(ErrorCode::invalid_input, "when: says no condition");
  for (std::size_t i = 0; i < settings.when.size(); ++i) {
    const auto wrong = [&](std::string_view why) {
      return fail(ErrorCode::invalid_input, fmt::format("when[{}]: {}", i, why));
    };
    auto condition = parse_condition(settings.when[i]);
    if (!condition) return wrong(condition.error().message);
    if (!condition->is_of_bars() && settings.when.size() > 1) {
      return wrong("signal, news and filing stand alone: write a rule for each");
    }
    if (condition->form == Form::crossing && settings.bars > 1) {
      return wrong("a crossing is of one bar: with `for`, write above or below");
    }
    rule.when.push_back(std::move(*condition));
  }
  auto again = read_again(rule, settings.again);
  if (!again) return std::unexpected(again.error());
  return rule;
}

json::object to_json(const Alert& alert) {
  return {{"id", alert.id},
          {"rule", alert.rule},
          {"severity", alert.severity},
          {"at", to_rfc3339(alert.at)},
          {"price", alert.price.text()},
          {"direction", alert.direction},
          {"what", alert.what}};
}

Alert alert_from_json(const json::value& from) {
  Alert out;
  const auto text = [&](std::string_view key) {
    return std::string(find_text(from, key).value_or(""));
  };
  out.id = text("id");
  out.rule = text("rule");
  out.severity = text("severity");
  out.at = parse_rfc3339(text("at")).value_or(TimePoint{});
  out.price = Decimal::parse(text("price")).value_or(Decimal());
  out.direction = static_cast<int>(find_integer(from, "direction").value_or(0));
  out.what = text("what");
  return out;
}

bool Outcome::is_hit(double worth) const {
  for (const auto& move : {after_hour, after_day}) {
    if (!move) continue;
    if (alert.direction == 0 ? std::abs(*move) >= worth : along(alert, *move) >= worth) return true;
  }
  return false;
}

bool Outcome::is_noise(double worth) const {
  for (const auto& move : {after_hour, after_day}) {
    if (move && std::abs(*move) >= worth) return false;
  }
  return true;
}

double Outcome::drawdown() const {
  if (alert.direction == 0) return std::max(-lowest, highest);
  return alert.direction > 0 ? -lowest : highest;
}

void RuleScore::add(const Outcome& outcome, double worth) {
  ++known;
  hits += outcome.is_hit(worth) ? 1 : 0;
  noise += outcome.is_noise(worth) ? 1 : 0;
  if (outcome.after_hour) {
    ++hours;
    sum_hour += along(outcome.alert, *outcome.after_hour);
  }
  sum_day += along(outcome.alert, outcome.after_day.value_or(0));
  worst = std::max(worst, outcome.drawdown());
}

std::optional<double> RuleScore::mean_hour() const {
  return hours == 0 ? std::nullopt : std::optional(sum_hour / static_cast<double>(hours));
}

std::optional<double> RuleScore::mean_day() const {
  return known == 0 ? std::nullopt : std::optional(sum_day / static_cast<double>(known));
}

std::string move_text(const std::optional<double>& percent) {
  return percent ? fmt::format("{:+.2f}%", *percent) : "-";
}

json::object to_json(const RuleScore& score) {
  json::object out{
      {"told", score.told}, {"known", score.known}, {"hits", score.hits}, {"noise", score.noise}};
  out["hours"] = score.hours;
  put(out, "sum_hour", score.sum_hour);
  put(out, "sum_day", score.sum_day);
  put(out, "worst", score.worst);
  return out;
}

RuleScore score_from_json(const json::value& from) {
  RuleScore out;
  const auto count = [&](std::string_view key) {
    return static_cast<std::size_t>(std::max<std::int64_t>(0, find_integer(from, key).value_or(0)));
  };
  const auto number = [&](std::string_view key) {
    const auto* found = find_path(from, key);
    return found != nullptr && found->is_number() ? found->to_number<double>() : 0.0;
  };
  out.told = count("told");
  out.known = count("known");
  out.hits = count("hits");
  out.noise = count("noise");
  out.hours = count("hours");
  out.sum_hour = number("sum_hour");
  out.sum_day = number("sum_day");
  out.worst = number("worst");
  return out;
}

}  // namespace vigil::entities::market
