#pragma once
// One watch: believes prices, and judges those it believes while knowing whether the market is
// open. What the guardian, the back-test and the search for thresholds all run. One thread at a
// time.
#include <map>
#include <string>
#include <vector>

#include "config/minds.hpp"
#include "entities/market/judge.hpp"
#include "entities/market/prices.hpp"

namespace vigil::entities::market {

struct MarketSetup {
  config::Market settings;
  std::vector<Rule> rules;
  std::map<std::string, Calendar> calendars;  // by name, those of all watches
  config::Advice advice = {};                 // who may be asked; nobody: all goes without
};
// The error names the key.
Result<MarketSetup> setup_of(const config::Market& settings);

struct Heard {
  std::vector<Bar> bars;  // that were judged
  std::vector<Alert> alerts;
  std::vector<Outcome> outcomes;
  std::vector<std::string> remarks;
};

class Watcher {
 public:
  // The watch, its calendar and the rules must outlive it.
  Watcher(const config::MarketWatch& watch, const Calendar& calendar,
          std::vector<const Rule*> rules);

  Heard take(const std::string& source, const Bar& bar);
  Heard take(const std::string& source, const Quote& quote);

  Prices& prices() { return prices_; }
  Judge& judge() { return judge_; }
  // False: some of it is new and wants to be warmed with past bars.
  bool restore(const json::value& state);
  json::object state() const;

 private:
  Heard judge_all(Believed believed);
  const Calendar& calendar_;
  Prices prices_;
  Judge judge_;
};

// Whether the market was open in a bar: at its start, or, for one of a day, at all.
bool is_open(const Calendar& calendar, const Bar& bar);

}  // namespace vigil::entities::market
