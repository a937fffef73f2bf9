#pragma once
// Alerts of TradingView: text or JSON, as a market.signal. Pure; any thread.
#include <string>
#include <string_view>

#include "core/json.hpp"

namespace vigil::ingress {

// The alert as data. Of JSON, prices and sizes are texts with the digits that were sent; of plain
// text, a first word that is written like a symbol ("BINANCE:BTCUSDT crossing 50000") is one.
// `text` is the body as it came, `data` what it was read as.
json::value as_signal(std::string_view text, json::value data);

}  // namespace vigil::ingress
