#pragma once
// Judges bars by rules: which conditions hold, what is told and when it may be told again, and what
// followed. The same code serves the live guardian, back-tests and the search for thresholds, so
// that they cannot disagree. Its state is kept as JSON of bounded size. One thread at a time.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/market.hpp"
#include "core/json.hpp"
#include "entities/market/condition.hpp"
#include "entities/market/tick.hpp"

namespace vigil::entities::market {

enum class Again { cleared, once, every, moved };

struct Rule {
  config::MarketRule settings;
  std::vector<Condition> when;
  Again again = Again::cleared;
  Decimal moved;  // percent

  bool concerns(const std::string& watch) const;
  bool is_of_bars() const { return when.front().is_of_bars(); }
};
// Errors begin with the key: "when[1]: ...".
Result<Rule> make_rule(const config::MarketRule& settings);

struct Alert {
  std::string id;  // RULE@TIME
  std::string rule;
  std::string severity;
  TimePoint at;  // the end of the bar
  Decimal price;
  int direction = 0;  // where the price went: 1 up, -1 down, 0 neither
  std::string what;   // "close 86088.3 above 86000"
};
json::object to_json(const Alert& alert);
Alert alert_from_json(const json::value& from);

// What followed an alert, in percent of its price. After an hour nothing is known where bars are
// longer, or the market was closed by then.
struct Outcome {
  Alert alert;
  std::optional<double> after_hour, after_day;
  double lowest = 0, highest = 0;  // within the day
  bool is_hit(double worth) const;
  bool is_noise(double worth) const;  // nothing followed, in neither direction
  double drawdown() const;            // the worst move against its direction
};

struct RuleScore {
  std::size_t told = 0, known = 0, hits = 0, noise = 0;
  std::size_t hours = 0;             // of which the move after an hour is known
  double sum_hour = 0, sum_day = 0;  // in the alert's direction, where it has one
  double worst = 0;                  // the deepest drawdown
  void add(const Outcome& outcome, double worth);
  double noise_share() const { return known == 0 ? 0 : double(noise) / double(known); }
  double hit_rate() const { return known == 0 ? 0 : double(hits) / double(known); }
  std::optional<double> mean_hour() const;
  std::optional<double> mean_day() const;
};
json::object to_json(const RuleScore& score);
RuleScore score_from_json(const json::value& from);
std::string move_text(const std::optional<double>& percent);  // "+1.50%", or "-"

struct Moment {
  bool open = true;              // the market was, at the end of the bar
  std::optional<double> spread;  // percent between sources
};

struct Judged {
  std::vector<Alert> alerts;
  std::vector<Outcome> outcomes;  // that became known
};

class Judge {
 public:
  static constexpr std::size_t followed_max = 50;

  // Only rules of bars count. The rules must outlive it.
  explicit Judge(std::vector<const Rule*> rules);
  ~Judge();
  Judge(Judge&&) noexcept;

  Judged take(const Bar& bar, const Moment& moment);
  // Lets it see a bar without judging it: for what was not in its state.
  void warm(const Bar& bar);
  // Takes over what fits to the rules; false when an indicator or a rule was not in it.
  bool restore(const json::value& state);
  json::object state() const;
  // Follows an alert that did not come from a bar.
  void follow(const Alert& alert);
  // Ends what is still followed with the last price known: nothing more will come.
  std::vector<Outcome> end_followed(TimePoint before);

 private:
  struct Inside;
  std::unique_ptr<Inside> in_;
};

}  // namespace vigil::entities::market
