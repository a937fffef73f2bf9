#include "daemon/ingress/stream_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "core/exact_json.hpp"
#include "daemon/ingress/stream_reading.hpp"

namespace vigil::ingress {
namespace {

using config::StreamForm;

constexpr std::size_t symbol_bytes_max = 100;

std::string_view text_at(const json::value& value, std::string_view path) {
  return find_text(value, path).value_or("");
}

Result<void> add(StreamMessage& to, const NamedTrade& said, TimePoint now) {
  auto trade = trade_of(said, now);
  if (!trade) return std::unexpected(std::move(trade.error()));
  to.trades.push_back(std::move(*trade));
  return {};
}

struct NamedQuote {
  std::string_view symbol, bid, ask, last, volume, time;
};

Result<void> add_quote(StreamMessage& to, const NamedQuote& said, TimePoint now) {
  StreamQuote quote;
  const auto at = said.time.empty() ? std::optional(now) : exchange_time(said.time);
  if (said.symbol.empty() || said.symbol.size() > symbol_bytes_max || !at) {
    return fail(ErrorCode::invalid_input, "a ticker names no symbol, or no time");
  }
  quote.symbol = said.symbol;
  quote.at = *at;
  for (const auto& [text, value] :
       {std::pair{said.bid, &quote.bid}, std::pair{said.ask, &quote.ask},
        std::pair{said.last, &quote.last}, std::pair{said.volume, &quote.volume}}) {
    if (text.empty()) continue;
    const auto number = Decimal::parse(text);
    if (!number) return fail(ErrorCode::invalid_input, "ticker: " + number.error().message);
    *value = *number;
  }
  if (!quote.last && !(quote.bid && quote.ask)) {
    return fail(ErrorCode::invalid_input, "a ticker without a price");
  }
  to.quotes.push_back(std::move(quote));
  return {};
}

// Of a candle that may still change nothing is said.
Result<void> add_candle(StreamMessage& to, const json::value& said) {
  if (find_bool(said, "k.x") != true) return {};
  const auto interval = parse_duration(text_at(said, "k.i"));
  const auto start = exchange_time(text_at(said, "k.t"));
  Bar bar;
  bar.symbol = text_at(said, "s").substr(0, symbol_bytes_max);
  if (!interval || !start || bar.symbol.empty()) {
    return fail(ErrorCode::invalid_input, "a candle names no symbol, no interval or no time");
  }
  bar.interval = *interval;
  bar.start = bar.first_at = *start;
  bar.last_at = bar.end();
  for (const auto& [path, value] :
       {std::pair{"k.o", &bar.open}, std::pair{"k.h", &bar.high}, std::pair{"k.l", &bar.low},
        std::pair{"k.c", &bar.close}, std::pair{"k.v", &bar.volume}}) {
    const auto number = Decimal::parse(text_at(said, path));
    if (!number) return fail(ErrorCode::invalid_input, "candle: " + number.error().message);
    *value = *number;
  }
  bar.trades = whole_number(text_at(said, "k.n")).value_or(0);
  bar.last_number = whole_number(text_at(said, "k.L")).value_or(0);
  to.bars.push_back(std::move(bar));
  return {};
}

Result<void> read_binance(const json::value& root, TimePoint now, StreamMessage& out) {
  const auto* data = find_path(root, "data");  // of a combined stream
  const auto& said = data != nullptr && data->is_object() ? *data : root;
  const auto kind = text_at(said, "e");
  if (kind == "trade" || kind == "aggTrade") {
    const auto number = text_at(said, kind == "trade" ? "t" : "a");
    return add(out,
               {text_at(said, "s"),
                text_at(said, "p"),
                text_at(said, "q"),
                text_at(said, "T"),
                number,
                {}},
               now);
  }
  if (kind == "kline") return add_candle(out, said);
  if (kind == "24hrTicker") {
    return add_quote(out,
                     {text_at(said, "s"), text_at(said, "b"), text_at(said, "a"),
                      text_at(said, "c"), text_at(said, "v"), text_at(said, "E")},
                     now);
  }
  if (kind == "serverShutdown") out.wants_reconnection = true;
  if (find_path(root, "error") != nullptr) out.refused = text_at(root, "error.msg");
  if (find_path(root, "msg") != nullptr && find_path(root, "code") != nullptr) {
    out.refused = text_at(root, "msg");
  }
  return {};
}

Result<void> read_kraken(const json::value& root, TimePoint now, StreamMessage& out) {
  if (text_at(root, "method") == "subscribe" && find_bool(root, "success") == false) {
    out.refused = text_at(root, "error");
  }
  const auto* data = find_path(root, "data");
  if (text_at(root, "channel") == "ticker" && data != nullptr && data->is_array()) {
    for (const auto& one : data->get_array()) {
      auto added =
          add_quote(out,
                    {text_at(one, "symbol"), text_at(one, "bid"), text_at(one, "ask"),
                     text_at(one, "last"), text_at(one, "volume"), text_at(one, "timestamp")},
                    now);
      if (!added) return added;
    }
    return {};
  }
  if (text_at(root, "channel") != "trade" || data == nullptr || !data->is_array()) return {};
  if (text_at(root, "type") == "snapshot") return {};  // trades of before
  for (const auto& one : data->get_array()) {
    auto added = add(out,
                     {text_at(one, "symbol"),
                      text_at(one, "price"),
                      text_at(one, "qty"),
                      text_at(one, "timestamp"),
                      text_at(one, "trade_id"),
                      {}},
                     now);
    if (!added) return added;
  }
  return {};
}

Result<void> read_coinbase(const json::value& root, TimePoint now, StreamMessage& out) {
  const auto kind = text_at(root, "type");
  if (kind == "error") {
    out.refused = fmt::format("{} {}", text_at(root, "message"), text_at(root, "reason"));
  }
  if (kind == "ticker") {
    return add_quote(
        out,
        {text_at(root, "product_id"), text_at(root, "best_bid"), text_at(root, "best_ask"),
         text_at(root, "price"), text_at(root, "volume_24h"), text_at(root, "time")},
        now);
  }
  if (kind != "match") return {};  // last_match is one of before
  return add(out,
             {text_at(root, "product_id"),
              text_at(root, "price"),
              text_at(root, "size"),
              text_at(root, "time"),
              text_at(root, "trade_id"),
              {}},
             now);
}

// Its ids count the trades of all symbols together: a hole says nothing.
Result<void> read_bitstamp(const json::value& root, TimePoint now, StreamMessage& out) {
  const auto kind = text_at(root, "event");
  if (kind == "bts:request_reconnect") out.wants_reconnection = true;
  if (kind == "bts:error") out.refused = text_at(root, "data.message");
  constexpr std::string_view channel = "live_trades_";
  const auto where = text_at(root, "channel");
  if (kind != "trade" || !where.starts_with(channel)) return {};
  const auto either = [&](std::string_view first, std::string_view second) {
    const auto text = text_at(root, first);
    return text.empty() ? text_at(root, second) : text;
  };
  return add(out,
             {where.substr(channel.size()),
              either("data.price_str", "data.price"),
              either("data.amount_str", "data.amount"),
              either("data.microtimestamp", "data.timestamp"),
              {},
              text_at(root, "data.id")},
             now);
}

}  // namespace

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

std::optional<TimePoint> exchange_time(std::string_view text) {
  const auto point = std::min(text.find('.'), text.size());
  if (const auto value = whole_number(text.substr(0, point))) {
    if (point < text.size()) {  // seconds and a fraction
      std::string micros(text.substr(point + 1, 6));
      micros.resize(6, '0');
      const auto part = whole_number(micros);
      if (!part || point > 10) return std::nullopt;
      return from_unix_us(static_cast<std::int64_t>(*value * 1'000'000 + *part));
    }
    const auto us = static_cast<std::int64_t>(text.size() <= 10   ? *value * 1'000'000
                                              : text.size() <= 13 ? *value * 1'000
                                              : text.size() <= 16 ? *value
                                                                  : *value / 1'000);
    return from_unix_us(us);
  }
  const auto at = parse_rfc3339(text);
  if (!at) return std::nullopt;
  return *at;
}

Result<Trade> trade_of(const NamedTrade& said, TimePoint now) {
  Trade trade;
  const auto price = Decimal::parse(said.price);
  const auto at = said.time.empty() ? std::optional(now) : exchange_time(said.time);
  if (said.symbol.empty() || said.symbol.size() > symbol_bytes_max) {
    return fail(ErrorCode::invalid_input, "a trade names no symbol");
  }
  if (!price) return fail(ErrorCode::invalid_input, "price: " + price.error().message);
  if (!at) return fail(ErrorCode::invalid_input, "a trade has no time that is understood");
  trade.symbol = said.symbol;
  trade.price = *price;
  trade.at = *at;
  if (!said.amount.empty()) {
    const auto amount = Decimal::parse(said.amount);
    if (!amount) return fail(ErrorCode::invalid_input, "amount: " + amount.error().message);
    trade.amount = *amount;
  }
  trade.number = whole_number(said.number);
  if (!trade.number) trade.id = said.id.substr(0, 200);
  return trade;
}

Result<std::vector<Trade>> mapped_trades(const config::Mapping& table, const json::value& root,
                                         TimePoint now) {
  std::vector<Trade> out;
  const auto* list = table.items.empty() ? &root : find_path(root, table.items);
  if (list == nullptr) return out;
  const auto one = [&](const json::value& item) -> Result<void> {
    for (const auto& [where, wanted] : table.only) {
      if (find_scalar_text(item, where).value_or("") != wanted) return {};
    }
    const auto at = [&](const char* word) -> std::string_view {
      const auto column = table.columns.find(word);
      return column == table.columns.end() ? std::string_view{} : text_at(item, column->second);
    };
    const auto symbol = table.symbol.empty() ? at("symbol") : std::string_view(table.symbol);
    auto trade =
        trade_of({symbol, at("price"), at("amount"), at("time"), at("sequence"), at("id")}, now);
    if (!trade) return std::unexpected(std::move(trade.error()));
    out.push_back(std::move(*trade));
    return {};
  };
  if (!list->is_array()) {
    if (auto added = one(*list); !added) return std::unexpected(std::move(added.error()));
    return out;
  }
  for (const auto& item : list->get_array()) {
    if (auto added = one(item); !added) return std::unexpected(std::move(added.error()));
  }
  return out;
}

Result<StreamMessage> read_stream_message(const config::Stream& settings, std::string_view text,
                                          TimePoint now) {
  const auto root = parse_exact_json(text);
  if (!root) return std::unexpected(root.error());
  StreamMessage out;
  Result<void> read{};
  switch (settings.form) {
    case StreamForm::binance:
      read = read_binance(*root, now, out);
      break;
    case StreamForm::kraken:
      read = read_kraken(*root, now, out);
      break;
    case StreamForm::coinbase:
      read = read_coinbase(*root, now, out);
      break;
    case StreamForm::bitstamp:
      read = read_bitstamp(*root, now, out);
      break;
    case StreamForm::json: {
      auto trades = mapped_trades(*settings.table, *root, now);
      if (!trades) return std::unexpected(std::move(trades.error()));
      out.trades = std::move(*trades);
      break;
    }
  }
  if (!read) return std::unexpected(std::move(read.error()));
  return out;
}

}  // namespace vigil::ingress
