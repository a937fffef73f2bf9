#pragma once
// Trades that were missed, asked for again over HTTP: the address, and what is answered. Pure; any
// thread. Forms:
//   binance   https://developers.binance.com/docs/binance-spot-api-docs/rest-api (historicalTrades)
//   kraken    https://docs.kraken.com/api/docs/rest-api/get-recent-trades
//   coinbase  https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products
//   bitstamp  https://www.bitstamp.net/api/ (transactions)
#include "daemon/ingress/stream_window.hpp"

namespace vigil::ingress {

std::string refetch_address(const config::Stream& settings, const StreamWindow::Hole& hole);
Result<std::vector<Trade>> read_missed_trades(const config::Stream& settings,
                                              const std::string& symbol, std::string_view text,
                                              TimePoint now);

}  // namespace vigil::ingress
