#pragma once
// What sources of prices and news deliver, read from events: docs/market.md says the forms. Prices
// are decimals. Everything in it was written outside: it is bounded here, and implausible values
// are refused with what is wrong. Values; any thread.
#include <optional>
#include <string>
#include <vector>

#include "core/decimal.hpp"
#include "core/event.hpp"

namespace vigil::entities::market {

struct Bar {             // market.bar; also one row of a file of candles
  TimePoint at;          // when it began
  Duration interval{0};  // 0: not known
  Decimal open, high, low, close, volume;
  friend bool operator==(const Bar&, const Bar&) = default;
  TimePoint end() const { return at + interval; }
};

struct Quote {  // market.quote, and market.trade, whose price is `last`
  TimePoint at;
  std::optional<Decimal> bid, ask, last;
  // The last price; else the middle of bid and ask, when both are there.
  std::optional<Decimal> price() const;
};

struct Gap {  // market.gap
  TimePoint from, to;
  std::optional<std::int64_t> missed;
  std::string why;
};

struct Signal {  // market.signal
  TimePoint at;
  std::string text;
  std::optional<Decimal> price;
};

struct NewsItem {  // feed.item
  std::string id, title, link, summary;
  TimePoint at;  // published, else updated, else received
  std::vector<std::string> categories;
  std::string feed;
};

constexpr std::size_t symbol_bytes_max = 64;

std::string symbol_of(const Event& event);    // of any market.*: `symbol`, else the subject
std::string interval_of(const Event& event);  // of a bar, as it is written; empty: none

Result<Bar> read_bar(const Event& event);
Result<Quote> read_quote(const Event& event);
Result<Gap> read_gap(const Event& event);
Result<Signal> read_signal(const Event& event);
Result<NewsItem> read_news(const Event& event);

// Whether it can be: all prices positive, low and high around the others. What is wrong, or empty.
std::string what_is_wrong(const Bar& bar);

}  // namespace vigil::entities::market
