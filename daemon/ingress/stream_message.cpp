#include "daemon/ingress/stream_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "core/exact_json.hpp"

namespace vigil::ingress {
namespace {

using config::StreamForm;

constexpr std::size_t symbol_bytes_max = 100;

std::string_view text_at(const json::value& value, std::string_view path) {
  return find_text(value, path).value_or("");
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

// Unix time in s, ms, us or ns by its size, or RFC 3339.
std::optional<TimePoint> time_of(std::string_view text) {
  if (const auto value = number_of(text)) {
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

struct Named {
  std::string_view symbol, price, amount, time, number, id;
};

Result<Trade> trade_of(const Named& said, TimePoint now) {
  Trade trade;
  const auto price = Decimal::parse(said.price);
  const auto at = said.time.empty() ? std::optional(now) : time_of(said.time);
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
  trade.number = number_of(said.number);
  if (!trade.number) trade.id = said.id.substr(0, 200);
  return trade;
}

Result<void> add(StreamMessage& to, const Named& said, TimePoint now) {
  auto trade = trade_of(said, now);
  if (!trade) return std::unexpected(std::move(trade.error()));
  to.trades.push_back(std::move(*trade));
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

Result<void> read_mapped(const config::Mapping& table, const json::value& root, TimePoint now,
                         StreamMessage& out) {
  const auto* list = table.items.empty() ? &root : find_path(root, table.items);
  if (list == nullptr) return {};
  const auto one = [&](const json::value& item) -> Result<void> {
    for (const auto& [where, wanted] : table.only) {
      if (find_scalar_text(item, where).value_or("") != wanted) return {};
    }
    const auto at = [&](const char* word) -> std::string_view {
      const auto column = table.columns.find(word);
      return column == table.columns.end() ? std::string_view{} : text_at(item, column->second);
    };
    const auto symbol = table.symbol.empty() ? at("symbol") : std::string_view(table.symbol);
    return add(out, {symbol, at("price"), at("amount"), at("time"), at("sequence"), at("id")}, now);
  };
  if (!list->is_array()) return one(*list);
  for (const auto& item : list->get_array()) {
    if (auto added = one(item); !added) return added;
  }
  return {};
}

}  // namespace

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
    case StreamForm::json:
      read = read_mapped(*settings.table, *root, now, out);
      break;
  }
  if (!read) return std::unexpected(std::move(read.error()));
  return out;
}

Result<std::vector<Trade>> read_missed_trades(const config::Stream& settings,
                                              const std::string& symbol, std::string_view text,
                                              TimePoint now) {
  const auto root = parse_exact_json(text);
  if (!root) return std::unexpected(root.error());
  StreamMessage out;
  if (settings.form == StreamForm::json) {
    auto read = read_mapped(*settings.table, *root, now, out);
    if (!read) return std::unexpected(std::move(read.error()));
    return std::move(out.trades);
  }
  if (!root->is_array()) {
    return fail(ErrorCode::invalid_input, "expected a list of trades: correct `refetch`");
  }
  const bool coinbase = settings.form == StreamForm::coinbase;
  for (const auto& one : root->get_array()) {
    auto added = add(out,
                     {symbol,
                      text_at(one, "price"),
                      text_at(one, coinbase ? "size" : "qty"),
                      text_at(one, "time"),
                      text_at(one, coinbase ? "trade_id" : "id"),
                      {}},
                     now);
    if (!added) return std::unexpected(std::move(added.error()));
  }
  return std::move(out.trades);
}

}  // namespace vigil::ingress
