#pragma once
// Which prices of a watch are believed: one source leads, the others confirm it. A price that jumps
// too far is held until another source or the next price says the same; a bar that cannot be, or
// that comes late, is not judged. Pure; its state is JSON of bounded size.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/market.hpp"
#include "core/json.hpp"
#include "entities/market/calendar.hpp"
#include "entities/market/tick.hpp"

namespace vigil::entities::market {

struct Believed {
  std::vector<Bar> bars;  // to be judged now, in order
  std::vector<std::string> remarks;
};

class Prices {
 public:
  static constexpr std::size_t sources_max = 8;

  // Both must outlive it.
  Prices(const config::MarketWatch& watch, const Calendar& calendar)
      : watch_(watch), calendar_(calendar) {}

  Believed take(const std::string& source, const Bar& bar);
  // A quote is judged like a bar of one price, where its source has no bars.
  Believed take(const std::string& source, const Quote& quote);
  // In percent between the sources heard within ten minutes; none when there is only one.
  std::optional<double> spread(TimePoint now) const;
  const std::optional<Bar>& last() const { return last_; }
  std::optional<TimePoint> heard() const;  // from the source that leads
  const std::string& lead() const { return lead_; }

  void restore(const json::value& state);
  json::object state() const;

 private:
  struct Seen {
    Decimal price;
    TimePoint at;
    bool has_bars = false;
  };
  struct Waiting {
    std::string source;
    Bar bar;
  };
  bool leads(const std::string& source, TimePoint now, Believed& out);
  bool jumps(const Decimal& from, const Decimal& to) const;
  bool is_confirmed(const std::string& source, const Bar& bar) const;
  void accept(const Bar& bar, Believed& out);
  Believed judge_lead(const std::string& source, const Bar& bar);

  const config::MarketWatch& watch_;
  const Calendar& calendar_;
  std::string lead_;
  std::map<std::string, Seen> seen_;
  std::optional<Waiting> held_;
  std::optional<Bar> last_;
};

}  // namespace vigil::entities::market
