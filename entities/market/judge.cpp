#include "entities/market/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "entities/market/candles.hpp"
#include "entities/market/holding.hpp"

namespace vigil::entities::market {
namespace {

using namespace std::chrono_literals;

constexpr Duration day = 24h;

struct RuleState {
  std::vector<Holding> holdings;
  std::size_t held = 0;  // bars in a row
  bool armed = true;     // it did not hold since it was told
  bool was_told = false;
  TimePoint told;
  Decimal told_price;
  bool fresh = true;  // not from a state

  void keep(Archive& archive) {
    archive(held);
    archive(armed);
    archive(was_told);
    archive(told);
    archive(told_price);
    for (auto& holding : holdings) holding.keep(archive);
  }
};

struct Computed {
  std::unique_ptr<Indicator> indicator;
  bool fresh = true;
};

json::object outcome_json(const Outcome& outcome) {
  json::object out = to_json(outcome.alert);
  if (outcome.after_hour) out["after_hour"] = *outcome.after_hour;
  if (outcome.after_day) out["after_day"] = *outcome.after_day;
  out["lowest"] = outcome.lowest;
  out["highest"] = outcome.highest;
  return out;
}

std::optional<double> number_at(const json::value& from, std::string_view key) {
  const auto* found = find_path(from, key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

Outcome outcome_from(const json::value& from) {
  Outcome out;
  out.alert = alert_from_json(from);
  out.after_hour = number_at(from, "after_hour");
  out.after_day = number_at(from, "after_day");
  out.lowest = number_at(from, "lowest").value_or(0);
  out.highest = number_at(from, "highest").value_or(0);
  return out;
}

// The conditions as texts: a rule whose words changed begins anew.
std::string words_of(const Rule& rule) {
  std::string out = fmt::format("{} {}", rule.settings.clear, rule.settings.again);
  for (const auto& condition : rule.when) out += " | " + condition.text();
  return out;
}

}  // namespace

struct Judge::Inside {
  std::vector<const Rule*> rules;
  std::vector<RuleState> states;
  std::map<std::string, Computed> indicators;
  std::vector<Outcome> followed;
  std::vector<Outcome> early;  // no longer followed, as there were too many
  std::optional<Bar> last;
  Moment moment;

  Value value_of(const Term& term, const Bar& bar) const;
  void follow_on(const Bar& bar, std::vector<Outcome>& ended);
  Held all_hold(std::size_t at, const Bar& bar);
  bool may_tell(const Rule& rule, const RuleState& state, const Bar& bar) const;
};

Value Judge::Inside::value_of(const Term& term, const Bar& bar) const {
  Value out;
  if (term.number) out.exact = *term.number;
  if (term.indicator) {
    const auto& computed = indicators.at(term.indicator->without_output());
    out.number = computed.indicator->value(term.indicator->output);
  }
  if (term.field == Field::spread) {
    out.number = moment.spread.value_or(unknown);
  } else if (term.field) {
    const std::array<const Decimal*, 5> fields{&bar.open, &bar.high, &bar.low, &bar.close,
                                               &bar.volume};
    out.exact = *fields[static_cast<std::size_t>(*term.field)];
  }
  if (term.factor && out.exact) out.exact = out.exact->times(*term.factor);
  if (term.factor) out.number *= term.factor->number();
  if (out.exact) out.number = out.exact->number();
  return out;
}

// What followed each alert so far.
void Judge::Inside::follow_on(const Bar& bar, std::vector<Outcome>& ended) {
  for (auto& one : followed) {
    const double from = one.alert.price.number();
    const auto move = [&](const Decimal& price) {
      const double percent = 100 * ratio(price.number() - from, from);
      return percent == percent ? percent : 0.0;
    };
    one.lowest = std::min(one.lowest, move(bar.low));
    one.highest = std::max(one.highest, move(bar.high));
    const auto since = bar.end() - one.alert.at;
    if (!one.after_hour && since >= 1h && since < 2h) one.after_hour = move(bar.close);
    if (bar.end() >= one.alert.at + day) one.after_day = move(bar.close);
  }
  std::erase_if(followed, [&](const Outcome& one) {
    if (one.after_day) ended.push_back(one);
    return one.after_day.has_value();
  });
}

Held Judge::Inside::all_hold(std::size_t at, const Bar& bar) {
  Held all{true, 0, ""};
  const auto of_bar = [&](const Term& term) { return value_of(term, bar); };
  // All of them see every bar, whether or not an earlier one holds.
  for (auto& holding : states[at].holdings) {
    const auto one = holding.take(bar, of_bar);
    all.holds = all.holds && one.holds;
    if (all.direction == 0) all.direction = one.direction;
    if (one.holds) all.what += (all.what.empty() ? "" : " and ") + one.what;
  }
  return all;
}

bool Judge::Inside::may_tell(const Rule& rule, const RuleState& state, const Bar& bar) const {
  if (state.held < static_cast<std::size_t>(rule.settings.bars)) return false;
  if (!moment.open && !rule.settings.outside_session) return false;
  if (state.was_told && bar.end() < state.told + rule.settings.cooldown) return false;
  if (rule.again == Again::every || !state.was_told) return true;
  if (rule.again == Again::once) return false;
  if (rule.again == Again::cleared) return state.armed;
  const auto share = rule.moved.times(Decimal::parse("0.01").value());
  const auto least = share ? state.told_price.times(*share) : std::nullopt;
  auto moved = bar.close;
  if (!least || !moved.add(-state.told_price)) return false;
  return (moved.is_negative() ? -moved : moved) >= *least;
}

Judge::Judge(std::vector<const Rule*> rules) : in_(std::make_unique<Inside>()) {
  for (const auto* rule : rules) {
    if (!rule->is_of_bars()) continue;
    RuleState state;
    for (const auto& condition : rule->when) {
      state.holdings.emplace_back(condition, rule->settings.clear);
      for (const auto* term : {&condition.left, &condition.right}) {
        if (!term->indicator) continue;
        auto& computed = in_->indicators[term->indicator->without_output()];
        if (!computed.indicator) {
          computed.indicator = term->indicator->kind->make(term->indicator->parameters);
        }
      }
    }
    in_->rules.push_back(rule);
    in_->states.push_back(std::move(state));
  }
}

Judge::~Judge() = default;
Judge::Judge(Judge&&) noexcept = default;

Judged Judge::take(const Bar& bar, const Moment& moment) {
  Judged out;
  auto& in = *in_;
  in.moment = moment;
  in.follow_on(bar, out.outcomes);
  const auto candle = to_candle(bar);
  for (auto& [name, computed] : in.indicators) computed.indicator->take(candle);
  for (std::size_t i = 0; i < in.rules.size(); ++i) {
    const auto& rule = *in.rules[i];
    auto& state = in.states[i];
    auto held = in.all_hold(i, bar);
    state.held = held.holds ? state.held + 1 : 0;
    if (!held.holds) state.armed = true;
    if (!held.holds || !in.may_tell(rule, state, bar)) continue;
    state.armed = false;
    state.was_told = true;
    state.told = bar.end();
    state.told_price = bar.close;
    Alert alert{fmt::format("{}@{}", rule.settings.name, to_rfc3339(bar.end())),
                rule.settings.name,
                rule.settings.severity,
                bar.end(),
                bar.close,
                held.direction,
                std::move(held.what)};
    follow(alert);
    out.alerts.push_back(std::move(alert));
  }
  in.last = bar;
  out.outcomes.insert(out.outcomes.end(), in.early.begin(), in.early.end());
  in.early.clear();
  return out;
}

void Judge::warm(const Bar& bar) {
  auto& in = *in_;
  in.moment = {};
  const auto candle = to_candle(bar);
  for (auto& [name, computed] : in.indicators) {
    if (computed.fresh) computed.indicator->take(candle);
  }
  for (std::size_t i = 0; i < in.rules.size(); ++i) {
    if (in.states[i].fresh) (void)in.all_hold(i, bar);  // only for what its conditions remember
  }
  if (!in.last) in.last = bar;
}

void Judge::follow(const Alert& alert) {
  auto& followed = in_->followed;
  if (followed.size() >= followed_max) {  // what is known of the oldest has to do
    auto oldest = followed.front();
    const double from = oldest.alert.price.number();
    const double now = 100 * ratio(alert.price.number() - from, from);
    oldest.after_day = now == now ? now : 0;
    in_->early.push_back(std::move(oldest));
    followed.erase(followed.begin());
  }
  followed.push_back({alert, {}, {}, 0, 0});
}

std::vector<Outcome> Judge::end_followed(TimePoint before) {
  std::vector<Outcome> out;
  auto& in = *in_;
  std::erase_if(in.followed, [&](Outcome& one) {
    if (one.alert.at >= before) return false;
    const double from = one.alert.price.number();
    const double last = in.last ? in.last->close.number() : from;
    one.after_day = 100 * ratio(last - from, from);
    if (*one.after_day != *one.after_day) one.after_day = 0;
    out.push_back(one);
    return true;
  });
  return out;
}

bool Judge::restore(const json::value& state) {
  auto& in = *in_;
  bool all = true;
  const auto members = [&](std::string_view key) -> const json::object* {
    const auto* found = find_path(state, key);
    return found != nullptr && found->is_object() ? &found->get_object() : nullptr;
  };
  const auto* indicators = members("indicators");
  for (auto& [name, computed] : in.indicators) {
    const auto* text = indicators == nullptr ? nullptr : indicators->if_contains(name);
    computed.fresh = text == nullptr || !text->is_string() ||
                     !vigil::entities::market::restore(*computed.indicator, text->get_string());
    all = all && !computed.fresh;
  }
  const auto* rules = members("rules");
  for (std::size_t i = 0; i < in.rules.size(); ++i) {
    const auto* kept = rules == nullptr ? nullptr : rules->if_contains(in.rules[i]->settings.name);
    auto& one = in.states[i];
    const bool same = kept != nullptr && find_text(*kept, "words") == words_of(*in.rules[i]);
    Archive archive(same ? find_text(*kept, "state").value_or("") : "");
    if (same) one.keep(archive);
    one.fresh = !same || !archive.whole();
    all = all && !one.fresh;
  }
  if (const auto* list = find_path(state, "followed"); list != nullptr && list->is_array()) {
    for (const auto& entry : list->get_array()) {
      if (in.followed.size() < followed_max) in.followed.push_back(outcome_from(entry));
    }
  }
  if (const auto text = find_text(state, "last")) {
    Archive archive(*text);
    Bar bar;
    keep(bar, archive);
    if (archive.whole()) in.last = bar;
  }
  return all;
}

json::object Judge::state() const {
  auto& in = *in_;
  json::object indicators;
  for (auto& [name, computed] : in.indicators) indicators[name] = kept(*computed.indicator);
  json::object rules;
  for (std::size_t i = 0; i < in.rules.size(); ++i) {
    Archive archive;
    in.states[i].keep(archive);
    rules[in.rules[i]->settings.name] = {{"words", words_of(*in.rules[i])},
                                         {"state", std::move(archive).written()}};
  }
  json::array followed;
  for (const auto& one : in.followed) followed.push_back(outcome_json(one));
  json::object out{{"indicators", std::move(indicators)},
                   {"rules", std::move(rules)},
                   {"followed", std::move(followed)}};
  if (in.last) {
    Archive archive;
    keep(*in.last, archive);
    out["last"] = std::move(archive).written();
  }
  return out;
}

}  // namespace vigil::entities::market
