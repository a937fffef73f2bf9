#pragma once
// Rules tried on history, by the code that judges live, and the search for a threshold that would
// have told less that led nowhere. Pure.
#include <map>
#include <span>
#include <string>
#include <vector>

#include "entities/market/watcher.hpp"

namespace vigil::entities::market {

struct Backtest {
  std::vector<Outcome> outcomes;  // in order of their alerts
  std::map<std::string, RuleScore> scores;
  std::map<std::string, std::size_t> remarks;  // and how often
  std::size_t bars = 0;
};
Backtest backtest(const config::MarketWatch& watch, const Calendar& calendar,
                  const std::vector<Rule>& rules, std::span<const Bar> bars, double worth);

// A table of scores, a line for each rule.
std::string score_table(const std::map<std::string, RuleScore>& scores);

struct Tuned {
  std::vector<std::string> when;  // empty: nothing does better
  RuleScore before, after;
  std::vector<std::pair<std::string, RuleScore>> tried;
};
// Rarer thresholds are tried, never more frequent ones. One is better that is less noise and still
// tells at least a third of what was worth it.
Tuned tune(const config::MarketWatch& watch, const Calendar& calendar, const Rule& rule,
           std::span<const Bar> bars, double worth);

// The whole as one page that needs nothing else: candles, alerts, what followed.
std::string to_html(const std::string& title, std::span<const Bar> bars, const Backtest& tried,
                    double worth);

}  // namespace vigil::entities::market
