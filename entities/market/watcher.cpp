#include "entities/market/watcher.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

namespace vigil::entities::market {

using namespace std::chrono_literals;

Result<MarketSetup> setup_of(const config::Market& settings) {
  MarketSetup out{settings, {}, {}, {}};
  for (std::size_t i = 0; i < settings.rules.size(); ++i) {
    auto rule = make_rule(settings.rules[i]);
    if (!rule) {
      return fail(rule.error().code, fmt::format("market.rule[{}].{}", i, rule.error().message));
    }
    out.rules.push_back(std::move(*rule));
  }
  for (std::size_t i = 0; i < settings.watches.size(); ++i) {
    const auto& name = settings.watches[i].session;
    auto calendar = Calendar::make(name, settings.sessions);
    if (!calendar) {
      return fail(calendar.error().code,
                  fmt::format("market.watch[{}].session: {}", i, calendar.error().message));
    }
    out.calendars.emplace(name, std::move(*calendar));
  }
  return out;
}

bool is_open(const Calendar& calendar, const Bar& bar) {
  if (bar.interval >= 12h) return calendar.open_between(bar.at, bar.end()) > Duration{0};
  return calendar.is_open(bar.at);
}

Watcher::Watcher(const config::MarketWatch& watch, const Calendar& calendar,
                 std::vector<const Rule*> rules)
    : calendar_(calendar), prices_(watch, calendar), judge_(std::move(rules)) {}

Heard Watcher::judge_all(Believed believed) {
  Heard out;
  out.remarks = std::move(believed.remarks);
  for (const auto& bar : believed.bars) {
    auto judged = judge_.take(bar, {is_open(calendar_, bar), prices_.spread(bar.end())});
    out.alerts.insert(out.alerts.end(), judged.alerts.begin(), judged.alerts.end());
    out.outcomes.insert(out.outcomes.end(), judged.outcomes.begin(), judged.outcomes.end());
  }
  out.bars = std::move(believed.bars);
  return out;
}

Heard Watcher::take(const std::string& source, const Bar& bar) {
  return judge_all(prices_.take(source, bar));
}

Heard Watcher::take(const std::string& source, const Quote& quote) {
  return judge_all(prices_.take(source, quote));
}

bool Watcher::restore(const json::value& state) {
  if (const auto* prices = find_path(state, "prices")) prices_.restore(*prices);
  const auto* judge = find_path(state, "judge");
  return judge_.restore(judge == nullptr ? json::value(json::object{}) : *judge);
}

json::object Watcher::state() const {
  return {{"prices", prices_.state()}, {"judge", judge_.state()}};
}

}  // namespace vigil::entities::market
