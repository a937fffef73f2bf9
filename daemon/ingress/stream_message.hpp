#pragma once
// What exchanges say on a stream of trades, and what is said to them. Prices keep their digits.
// Pure; any thread. Formats:
//   binance   https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
//   kraken    https://docs.kraken.com/api/docs/websocket-v2/trade
//   coinbase  https://docs.cdp.coinbase.com/exchange/websocket-feed/channels (matches)
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

struct StreamMessage {
  std::vector<Trade> trades;
  std::string refused;              // what the server says against us
  bool wants_reconnection = false;  // the server is about to go
};

// Errors: no JSON, or a trade that lacks what a trade has. Messages about other things say nothing.
Result<StreamMessage> read_stream_message(const config::Stream& settings, std::string_view text,
                                          TimePoint now);
// The answer to a question for missed trades (settings.refetch): a list of them.
Result<std::vector<Trade>> read_missed_trades(const config::Stream& settings,
                                              const std::string& symbol, std::string_view text,
                                              TimePoint now);

}  // namespace vigil::ingress
