#pragma once
// When a market is open: sessions of built-in exchanges, whose holidays are computed from their
// rules, and sessions from the configuration. Pure; any thread. Rules and their sources stand in
// calendar.cpp; one-off closures are not known and belong into the configuration.
#include <cctz/time_zone.h>

#include <map>
#include <optional>
#include <set>
#include <string>

#include "config/market.hpp"
#include "core/error.hpp"
#include "core/time.hpp"

namespace vigil::entities::market {

struct Span {
  TimePoint open, close;
  bool is_half_day = false;
};

class Calendar {
 public:
  // Errors: a name that is neither built in nor among the sessions.
  static Result<Calendar> make(const std::string& name,
                               const std::vector<config::MarketSession>& sessions);

  const std::string& name() const { return name_; }
  bool always_open() const { return always_; }
  bool is_open(TimePoint at) const;
  // The session that is on, or the next one; none within two weeks: none.
  std::optional<Span> session_at_or_after(TimePoint at) const;
  // The session that is on, or the last one.
  std::optional<Span> session_at_or_before(TimePoint at) const;
  // How long it was open between two instants, up to two weeks.
  Duration open_between(TimePoint from, TimePoint to) const;

 private:
  enum class Rules { own, xnys, xetr, xlon };
  std::optional<Span> session_on(cctz::civil_day day) const;
  cctz::civil_day day_of(TimePoint at) const;

  std::string name_;
  bool always_ = false;
  Rules rules_ = Rules::own;
  cctz::time_zone zone_;
  std::set<int> days_ = {1, 2, 3, 4, 5};
  int open_minute_ = 0;
  int close_minute_ = 24 * 60;
  std::set<cctz::civil_day> holidays_;
  std::map<cctz::civil_day, int> half_days_;  // to the minute they close at
};

}  // namespace vigil::entities::market
