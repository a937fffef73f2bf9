// What exchanges say: real messages of the shared data, and others after their documents.
#include "daemon/ingress/stream_message.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "daemon/ingress/stream_refetch.hpp"
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
  settings.channels = {"bars", "quotes"};
  settings.intervals = {"60s", "1h"};
  CHECK(stream_greetings(settings)[0] ==
        R"({"method":"SUBSCRIBE","params":["x@ticker","x@kline_1m","x@kline_1h"],"id":1})");
  auto kraken = stream(StreamForm::kraken, {"BTC/USD"});
  kraken.channels = {"trades", "quotes"};
  REQUIRE(stream_greetings(kraken).size() == 2);
  CHECK(stream_greetings(kraken)[1].find(R"("channel":"ticker")") != std::string::npos);
}

TEST_CASE("tickers and candles: digits are kept, what may still change is not told") {
  const auto settings = stream(StreamForm::binance);
  auto text = shared("binance.24hrTicker.json");
  if (text.empty()) return;
  auto message = read(settings, text);
  REQUIRE(message.quotes.size() == 1);
  CHECK(message.quotes[0].symbol == "BNBBTC");
  CHECK(message.quotes[0].last->text() == "0.0025");
  CHECK(message.quotes[0].bid->text() == "0.0024");
  CHECK(message.quotes[0].ask->text() == "0.0026");
  CHECK(message.quotes[0].volume->text() == "10000");
  CHECK(to_unix_us(message.quotes[0].at) == 1672515782136000);
  text = shared("binance.kline.json");
  CHECK(read(settings, text).bars.empty());
  text.replace(text.find("\"x\": false"), 10, "\"x\": true");
  message = read(settings, text);
  REQUIRE(message.bars.size() == 1);
  const auto& bar = message.bars[0];
  CHECK(bar.symbol == "BNBBTC");
  CHECK(to_text(bar.interval) == "1m");
  CHECK(to_unix_us(bar.start) == 1672515780000000);
  CHECK(bar.open.text() == "0.001");
  CHECK(bar.high.text() == "0.0025");
  CHECK(bar.low.text() == "0.0015");
  CHECK(bar.close.text() == "0.002");
  CHECK(bar.volume.text() == "1000");
  CHECK(bar.trades == 100);
  CHECK(bar.last_number == 200);

  message = read(stream(StreamForm::kraken),
                 R"({"channel":"ticker","type":"update","data":[{"symbol":"ALGO/USD","bid":0.10025,
      "bid_qty":740.0,"ask":0.10036,"ask_qty":1361.44,"last":0.10035,"volume":997038.98,
      "vwap":0.10148,"low":0.09979,"high":0.10285,"change":-0.00017,"change_pct":-0.17}]})");
  REQUIRE(message.quotes.size() == 1);
  CHECK(message.quotes[0].bid->text() == "0.10025");
  CHECK(message.quotes[0].at == now);
  message = read(stream(StreamForm::coinbase),
                 R"({"type":"ticker","sequence":37475248783,"product_id":"ETH-USD",
      "price":"1285.22","open_24h":"1310.79","volume_24h":"245532.79","best_bid":"1285.04",
      "best_bid_size":"0.46688654","best_ask":"1285.27","best_ask_size":"1.56637040",
      "side":"buy","time":"2022-10-19T23:28:22.061769Z","trade_id":370843401})");
  REQUIRE(message.quotes.size() == 1);
  CHECK(message.quotes[0].ask->text() == "1285.27");
  CHECK(!read_stream_message(stream(StreamForm::kraken),
                             R"({"channel":"ticker","data":[{"symbol":"A"}]})", now));
}

TEST_CASE("missed trades: where each exchange is asked, and what it answers") {
  auto settings = stream(StreamForm::binance);
  settings.refetch = "http://h/t?s={symbol}&fromId={from}&to={to}";
  CHECK(refetch_address(settings, {"A", 5, 9, now}) == "http://h/t?s=A&fromId=5&to=9");
  auto trades = read_missed_trades(
      settings, "A", R"([{"id":5,"price":"4.00000100","qty":"12.0","time":1499865549590}])", now);
  REQUIRE(trades);
  CHECK(trades->at(0).price.text() == "4.000001");

  settings = stream(StreamForm::kraken);
  settings.refetch = "http://h/Trades?pair={pair}&since={since}";
  CHECK(refetch_address(settings, {"BTC/USD", 5, 9, now}) ==
        "http://h/Trades?pair=BTCUSD&since=1795514400");
  trades = read_missed_trades(settings, "BTC/USD",
                              R"({"error":[],"result":{"last":"1688671969993150842","XXBTZUSD":
      [["30243.40000","0.34507674",1688669597.8277369,"b","m","",61044952]]}})",
                              now);
  REQUIRE_MESSAGE(trades, trades.error().message);
  REQUIRE(trades->size() == 1);
  CHECK(trades->at(0).symbol == "BTC/USD");
  CHECK(trades->at(0).amount.text() == "0.34507674");
  CHECK(trades->at(0).number == 61044952);
  CHECK(to_unix_us(trades->at(0).at) == 1688669597827736);
  const auto refused =
      read_missed_trades(settings, "A", R"({"error":["EQuery:Unknown asset pair"]})", now);
  CHECK(refused.error().message == "EQuery:Unknown asset pair");

  settings = stream(StreamForm::coinbase);
  settings.refetch = "http://h/products/{symbol}/trades?after={next}";
  CHECK(refetch_address(settings, {"BTC-USD", 5, 9, now}) ==
        "http://h/products/BTC-USD/trades?after=10");

  settings = stream(StreamForm::bitstamp);
  settings.refetch = "http://h/transactions/{symbol}/?time=hour";
  trades = read_missed_trades(
      settings, "ethusd",
      R"([{"date":"1641343691","tid":"213","amount":"0.1","type":"0","price":"3800.70"}])", now);
  REQUIRE(trades);
  CHECK(trades->at(0).id == "213");
  CHECK(!trades->at(0).number);
  CHECK(to_unix_us(trades->at(0).at) == 1641343691000000);
}
