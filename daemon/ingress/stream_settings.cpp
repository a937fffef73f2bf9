#include "daemon/ingress/stream_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/json.hpp"

namespace vigil::ingress {
namespace {

using config::StreamForm;

constexpr std::size_t symbols_per_message = 100;

template <class Write>
void in_portions(const std::vector<std::string>& symbols, Write write) {
  for (std::size_t from = 0; from < symbols.size(); from += symbols_per_message) {
    const auto to = std::min(symbols.size(), from + symbols_per_message);
    json::array some;
    for (auto at = from; at < to; ++at) some.emplace_back(symbols[at]);
    write(std::move(some));
  }
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

bool has(const config::Stream& settings, std::string_view channel) {
  return std::ranges::find(settings.channels, channel) != settings.channels.end();
}

std::vector<std::string> binance_streams(const config::Stream& settings) {
  std::vector<std::string> out;
  for (const auto& symbol : settings.symbols) {
    const auto name = lower(symbol);
    if (has(settings, "trades")) out.push_back(name + "@trade");
    if (has(settings, "quotes")) out.push_back(name + "@ticker");
    if (!has(settings, "bars")) continue;
    for (const auto& interval : settings.intervals) {
      out.push_back(name + "@kline_" + vigil::to_text(parse_duration(interval).value()));
    }
  }
  return out;
}

}  // namespace

std::string stream_address(const config::Stream& settings) {
  if (!settings.url.empty()) return settings.url;
  switch (settings.form) {
    case StreamForm::binance:
      return "wss://stream.binance.com:9443/ws";
    case StreamForm::kraken:
      return "wss://ws.kraken.com/v2";
    case StreamForm::coinbase:
      return "wss://ws-feed.exchange.coinbase.com/";
    case StreamForm::bitstamp:
      return "wss://ws.bitstamp.net/";
    case StreamForm::json:
      break;
  }
  return {};
}

std::vector<std::string> stream_greetings(const config::Stream& settings) {
  std::vector<std::string> out;
  const auto say = [&](json::object message) {
    out.push_back(to_text(json::value(std::move(message))));
  };
  switch (settings.form) {
    case StreamForm::binance:
      in_portions(binance_streams(settings), [&](json::array some) {
        const auto id = out.size() + 1;
        say({{"method", "SUBSCRIBE"}, {"params", std::move(some)}, {"id", id}});
      });
      break;
    case StreamForm::kraken:
      for (const auto& channel : settings.channels) {
        const bool trades = channel == "trades";
        in_portions(settings.symbols, [&](json::array some) {
          say({{"method", "subscribe"},
               {"params", json::object{{"channel", trades ? "trade" : "ticker"},
                                       {"symbol", std::move(some)},
                                       {"snapshot", !trades}}}});
        });
      }
      break;
    case StreamForm::coinbase:
      in_portions(settings.symbols, [&](json::array some) {
        json::array channels;
        if (has(settings, "trades")) channels.emplace_back("matches");
        if (has(settings, "quotes")) channels.emplace_back("ticker");
        channels.emplace_back("heartbeat");
        say({{"type", "subscribe"},
             {"product_ids", std::move(some)},
             {"channels", std::move(channels)}});
      });
      break;
    case StreamForm::bitstamp:
      for (const auto& symbol : settings.symbols) {
        say({{"event", "bts:subscribe"},
             {"data", json::object{{"channel", "live_trades_" + lower(symbol)}}}});
      }
      break;
    case StreamForm::json:
      out = settings.subscribe;
      break;
  }
  return out;
}

WindowSettings window_of(const config::Stream& settings) {
  WindowSettings out;
  for (const auto& text : settings.intervals) out.intervals.push_back(parse_duration(text).value());
  std::ranges::sort(out.intervals);
  out.lateness = settings.lateness;
  for (const auto& [symbol, text] : settings.crossings) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const auto word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      if (word.empty()) continue;
      out.levels[symbol].push_back(Decimal::parse(word).value());
    }
  }
  return out;
}

std::string stream_form(const config::Stream& settings) {
  return fmt::format("{}\n{}", static_cast<int>(settings.form), stream_address(settings));
}

}  // namespace vigil::ingress
