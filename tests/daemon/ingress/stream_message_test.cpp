// What exchanges say: real messages of the shared data, and others after their documents.
#include "daemon/ingress/stream_message.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "daemon/ingress/stream_settings.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::ingress;
using config::StreamForm;

namespace {

const TimePoint now = parse_rfc3339("2026-11-24T10:00:00Z").value();

config::Stream stream(StreamForm form, std::vector<std::string> symbols = {"X"}) {
  config::Stream out;
  out.form = form;
  out.symbols = std::move(symbols);
  return out;
}

StreamMessage read(const config::Stream& settings, std::string_view text) {
  const auto message = read_stream_message(settings, text, now);
  REQUIRE_MESSAGE(message, message.error().message);
  return *message;
}

std::string shared(const std::string& name) {
  const auto path =
      std::filesystem::path(source_dir()) / "../shared/data/market/exchange-messages" / name;
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.empty()) MESSAGE("skipped: the shared data is not here");
  return text;
}

}  // namespace

TEST_CASE("binance: a trade is read digit by digit; tickers and candles are no trades") {
  const auto settings = stream(StreamForm::binance);
  const auto text = shared("binance.trade.json");
  if (text.empty()) return;
  const auto message = read(settings, text);
  REQUIRE(message.trades.size() == 1);
  const auto& trade = message.trades[0];
  CHECK(trade.symbol == "BNBBTC");
  CHECK(trade.price.text() == "0.001");
  CHECK(trade.amount.text() == "100");
  CHECK(trade.number == 12345);
  CHECK(to_unix_us(trade.at) == 1672515782136000);
  CHECK(read(settings, shared("binance.kline.json")).trades.empty());
  CHECK(read(settings, shared("binance.24hrTicker.json")).trades.empty());
  CHECK(read(settings, R"({"stream":"x@trade","data":)" + text + "}").trades.size() == 1);
  CHECK(read(settings, R"({"result":null,"id":1})").refused.empty());
  CHECK(read(settings, R"({"error":{"code":2,"msg":"Invalid request"},"id":1})").refused ==
        "Invalid request");
}

TEST_CASE("kraken, coinbase and bitstamp") {
  auto message = read(stream(StreamForm::kraken),
                      R"({"channel":"trade","type":"update","data":[{"symbol":"MATIC/USD",
      "side":"sell","price":0.5117000000000001,"qty":40.0,"ord_type":"market","trade_id":4665906,
      "timestamp":"2023-09-25T07:49:37.708706Z"},{"symbol":"MATIC/USD","price":1e-8,"qty":1,
      "trade_id":4665907,"timestamp":"2023-09-25T07:49:38Z"}]})");
  REQUIRE(message.trades.size() == 2);
  CHECK(message.trades[0].price.text() == "0.5117000000000001");  // the digits that were sent
  CHECK(message.trades[0].number == 4665906);
  CHECK(message.trades[1].price.text() == "0.00000001");
  CHECK(read(stream(StreamForm::kraken), R"({"channel":"heartbeat"})").trades.empty());
  CHECK(read(stream(StreamForm::kraken),
             R"({"method":"subscribe","success":false,"error":"Currency pair not supported"})")
            .refused == "Currency pair not supported");

  message =
      read(stream(StreamForm::coinbase),
           R"({"type":"match","trade_id":10,"sequence":50,"time":"2014-11-07T08:19:27.028459Z",
      "product_id":"BTC-USD","size":"5.23512","price":"400.23","side":"sell"})");
  REQUIRE(message.trades.size() == 1);
  CHECK(message.trades[0].price.text() == "400.23");
  CHECK(message.trades[0].number == 10);
  CHECK(read(stream(StreamForm::coinbase), R"({"type":"last_match","trade_id":9})").trades.empty());
  CHECK(!read(stream(StreamForm::coinbase), R"({"type":"error","message":"no"})").refused.empty());

  message = read(stream(StreamForm::bitstamp),
                 R"({"event":"trade","channel":"live_trades_ethusd","data":{"id":213,"amount":0.1,
      "amount_str":"0.10000000","price":3800.7,"price_str":"3800.70","type":0,
      "timestamp":"1641343691","microtimestamp":"1641343691244908"}})");
  REQUIRE(message.trades.size() == 1);
  CHECK(message.trades[0].symbol == "ethusd");
  CHECK(message.trades[0].price.text() == "3800.7");
  CHECK(!message.trades[0].number);  // its ids count all symbols together
  CHECK(message.trades[0].id == "213");
  CHECK(to_unix_us(message.trades[0].at) == 1641343691244908);
  CHECK(read(stream(StreamForm::bitstamp), R"({"event":"bts:request_reconnect"})")
            .wants_reconnection);
}

TEST_CASE("a recorded session is understood to its end") {
  const auto text = shared("bitstamp.recording.txt");
  if (text.empty()) return;
  std::size_t messages = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto json = line.find(": {");
    if (json == line.npos || line.starts_with("wss")) continue;
    (void)read(stream(StreamForm::bitstamp), line.substr(json + 2));
    ++messages;
  }
  CHECK(messages > 5);
}

TEST_CASE("a mapping reads messages of any exchange") {
  config::Mapping table;
  table.items = "ticks";
  table.only = {{"kind", "T"}};
  table.columns = {{"symbol", "s"}, {"price", "v.0"}, {"amount", "v.1"}, {"sequence", "n"}};
  auto settings = stream(StreamForm::json);
  settings.table = table;
  settings.subscribe = {"hello"};
  const auto message = read(settings, R"({"ticks":[{"kind":"T","s":"A","v":[1.10,"2"],"n":7},
                                          {"kind":"Q","s":"A","v":[9]}]})");
  REQUIRE(message.trades.size() == 1);
  CHECK(message.trades[0].price.text() == "1.1");
  CHECK(message.trades[0].number == 7);
  CHECK(message.trades[0].at == now);
  CHECK(read(settings, R"({"hello":1})").trades.empty());
  CHECK(stream_greetings(settings) == std::vector<std::string>{"hello"});
}

TEST_CASE("what is no trade, or no JSON, is an error and not a price") {
  const auto settings = stream(StreamForm::binance);
  for (const auto* text :
       {"", "x", "{", R"({"e":"trade","s":"A","p":"x","q":"1","T":1672515782136,"t":1})",
        R"({"e":"trade","s":"","p":"1","q":"1","T":1672515782136,"t":1})",
        R"({"e":"trade","s":"A","p":"1","q":"1","T":"soon","t":1})",
        R"({"e":"trade","s":"A","p":"1e30","q":"1","T":1672515782136,"t":1})"}) {
    CAPTURE(text);
    CHECK(!read_stream_message(settings, text, now));
  }
}

TEST_CASE("each exchange is greeted in its own way, a hundred symbols at a time") {
  std::vector<std::string> many(150, "ABCUSDT");
  const auto binance = stream_greetings(stream(StreamForm::binance, many));
  REQUIRE(binance.size() == 2);
  CHECK(binance[0].starts_with(R"({"method":"SUBSCRIBE","params":["abcusdt@trade")"));
  CHECK(
      stream_greetings(stream(StreamForm::kraken, {"BTC/USD"}))[0] ==
      R"({"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"],"snapshot":false}})");
  CHECK(stream_greetings(stream(StreamForm::coinbase, {"BTC-USD"}))[0] ==
        R"({"type":"subscribe","product_ids":["BTC-USD"],"channels":["matches","heartbeat"]})");
  CHECK(stream_greetings(stream(StreamForm::bitstamp, {"BTCUSD"}))[0] ==
        R"({"event":"bts:subscribe","data":{"channel":"live_trades_btcusd"}})");
  auto settings = stream(StreamForm::binance);
  settings.refetch = "http://h/t?s={symbol}&fromId={from}&to={to}";
  CHECK(refetch_address(settings, {"A", 5, 9}) == "http://h/t?s=A&fromId=5&to=9");
}
