#pragma once
// What [entity.NAME.market] can say: what is watched, which conditions are told, when its markets
// are open, and what is found out about an alert. Values only; config/schema_market.hpp names the
// keys, entities/market reads the conditions. It watches and never trades.
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace vigil::config {

struct MarketWatch {  // [[entity.NAME.market.watch]]
  std::string name;
  std::string symbol;                // empty: the name
  std::vector<std::string> sources;  // the first that speaks leads, the others confirm; empty: any
  std::string interval;              // of the bars that count; empty: any
  std::vector<std::string> peers;    // names of other watches
  std::vector<std::string> words;    // news that holds one of them is about it
  std::string cik;                   // of the company at the SEC
  std::string session = "24x7";
  Duration stale_after{0};
  double jump_max = 0;  // percent
};

struct MarketRule {  // [[entity.NAME.market.rule]]
  std::string name;
  std::vector<std::string> watches;  // `watch`; empty: all
  std::vector<std::string> when;     // conditions; all must hold
  double clear = 0;                  // percent of the level
  std::string again = "cleared";     // cleared | once | every | "5%"
  int bars = 1;                      // `for`: so many in a row
  Duration cooldown{0};
  bool outside_session = false;
  std::string severity = "warning";
};

struct MarketSession {  // [[entity.NAME.market.session]]
  std::string name;
  std::string tz = "UTC";
  std::vector<int> days = {1, 2, 3, 4, 5};  // ISO: Monday is 1
  int open_minute = 0;
  int close_minute = 24 * 60;
  std::vector<std::string> holidays;   // "2026-12-25"
  std::vector<std::string> half_days;  // "2026-12-24 13:00": closes early
};

struct MarketHoldings {  // [entity.NAME.market.holdings]
  std::string file;
  Duration every = std::chrono::minutes{15};
  double drawdown_above = 10;  // percent
  double clear = 2;            // percent
  std::string severity = "warning";
};

struct Market {  // [entity.NAME.market]
  std::string report_sink;
  std::vector<std::string> digest;  // open, close
  bool investigate = true;
  Duration news_before = std::chrono::hours{6};
  Duration news_after = std::chrono::hours{1};
  double worth = 0.5;  // percent: a move after an alert that made it worth telling
  double noise_share = 0.6;
  int propose_after = 10;
  std::vector<MarketWatch> watches;
  std::vector<MarketRule> rules;
  std::vector<MarketSession> sessions;
  std::optional<MarketHoldings> holdings;
};

}  // namespace vigil::config
