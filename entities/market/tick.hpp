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
  std::string text;  // what it says; all of its members where none is known to be its text
  std::optional<Decimal> price;
};

struct NewsItem {  // feed.item
  std::string id, title, link, summary;
  TimePoint at;  // published, else updated, else received
  std::vector<std::string> categories;
  std::string feed;
  std::string form, cik;  // of a filing at the SEC: "8-K/A", ten digits
};

constexpr std::size_t symbol_bytes_max = 64;

std::string symbol_of(const Event& event);    // of any market.*: `symbol`, else the subject
std::string interval_of(const Event& event);  // of a bar, as it is written; empty: none
// Whether a watch that is set to it means this symbol: charts put the exchange before it
// ("BINANCE:BTCUSDT").
bool means_symbol(std::string_view watched, std::string_view said);
// Whether a watch that is set to it counts this bar: 60m is 1h; several that a stream put together
// for want of room count as what they are made of.
bool is_of_interval(const Event& event, std::string_view watched);

Result<Bar> read_bar(const Event& event);
Result<Quote> read_quote(const Event& event);
Result<Gap> read_gap(const Event& event);
Result<Signal> read_signal(const Event& event);
Result<NewsItem> read_news(const Event& event);

// Whether it can be: all prices positive, low and high around the others. What is wrong, or empty.
std::string what_is_wrong(const Bar& bar);

}  // namespace vigil::entities::market
