#pragma once
// What exchanges say on a stream of trades, candles and tickers. Prices keep their digits. Pure;
// any thread. Formats:
//   binance   https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
//   kraken    https://docs.kraken.com/api/docs/websocket-v2/trade (ticker)
//   coinbase  https://docs.cdp.coinbase.com/exchange/websocket-feed/channels (matches, ticker)
//   bitstamp  https://www.bitstamp.net/websocket/v2/ (live_trades)
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/streams.hpp"
#include "core/decimal.hpp"
#include "core/error.hpp"

namespace vigil::ingress {

struct Trade {
  std::string symbol;
  Decimal price;
  Decimal amount;
  TimePoint at;
  std::optional<std::uint64_t> number;  // one more than that of the symbol's trade before
  std::string id;                       // where there is no such number
};

struct Bar {
  std::string symbol;
  Duration interval{0};
  TimePoint start;
  Decimal open, high, low, close, volume;
  std::uint64_t trades = 0;
  bool whole = true;  // nothing of it is known to be missing
  TimePoint first_at, last_at;
  std::uint64_t last_number = 0;  // the largest among its trades; 0: they have none
  int merged = 1;                 // bars that were put together, for want of room

  TimePoint end() const { return start + interval * merged; }
};

struct StreamQuote {  // of a ticker
  std::string symbol;
  std::optional<Decimal> bid, ask, last, volume;  // the volume of a day
  TimePoint at;
};

struct StreamMessage {
  std::vector<Trade> trades;
  std::vector<Bar> bars;  // that are over
  std::vector<StreamQuote> quotes;
  std::string refused;              // what the server says against us
  bool wants_reconnection = false;  // the server is about to go
};

// Errors: no JSON, or a trade that lacks what a trade has. Messages about other things say nothing.
Result<StreamMessage> read_stream_message(const config::Stream& settings, std::string_view text,
                                          TimePoint now);

}  // namespace vigil::ingress
