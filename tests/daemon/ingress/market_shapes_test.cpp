// What sources deliver about markets is what the guardian of markets reads: each event is made by
// the code that makes it in the daemon, and read by the code that reads it in the entity.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "daemon/ingress/body.hpp"
#include "daemon/ingress/item_events.hpp"
#include "daemon/ingress/presets.hpp"
#include "daemon/ingress/stream_events.hpp"
#include "entities/feeds/item.hpp"
#include "entities/feeds/table.hpp"
#include "entities/market/tick.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace std::chrono_literals;
namespace market = vigil::entities::market;
namespace feeds = vigil::entities::feeds;

namespace {

const TimePoint now = parse_rfc3339("2026-11-24T10:05:07Z").value();

Event delivered(const storage::NewEvent& made) {
  Event out;
  out.uid = made.uid;
  out.source = made.source;
  out.type = made.type;
  out.subject = made.subject;
  out.time = made.time;
  out.received_at = made.received_at;
  out.data = parse_json(made.data).value();  // as it comes out of the journal
  return out;
}

Decimal decimal(std::string_view text) { return Decimal::parse(text).value(); }

ingress::Bar minute() {
  ingress::Bar bar;
  bar.symbol = "BTCUSDT";
  bar.interval = 1min;
  bar.start = parse_rfc3339("2026-11-24T10:00:00Z").value();
  bar.open = decimal("86012.50");
  bar.high = decimal("86100");
  bar.low = decimal("85990.01");
  bar.close = decimal("86088.123456789012345678");
  bar.volume = decimal("0.00000001");
  bar.trades = 7;
  return bar;
}

// As a poll of that document would tell it.
std::vector<Event> rows(const std::string& document, const config::Mapping& mapping) {
  const auto form =
      feeds::read_table_form(parse_json(to_text(ingress::table_input(mapping))).value());
  REQUIRE_MESSAGE(form, form.error().message);
  const auto items = feeds::read_table(document, *form);
  REQUIRE_MESSAGE(items, items.error().message);
  const auto taken = ingress::take_items("list", "table.row", Taint::untrusted,
                                         parse_json(to_text(feeds::to_json(*items))).value(), now);
  REQUIRE_MESSAGE(taken, taken.error().message);
  std::vector<Event> out;
  for (const auto& item : taken->all) out.push_back(delivered(item.event));
  return out;
}

// As the door would store it.
Event chart(const std::string& type, const std::string& body) {
  ingress::Request request;
  request.method = "POST";
  request.headers = {{"content-type", type}};
  request.body = body;
  bool unsupported = false;
  const auto read = ingress::read_body(config::Scheme::tradingview, request, unsupported);
  REQUIRE_MESSAGE(read, read.error().message);
  config::Webhook settings;
  settings.scheme = config::Scheme::tradingview;
  const auto described = ingress::describe("chart", settings, request, read->data);
  Event out;
  out.source = "chart";
  out.type = described.type;
  out.subject = described.subject;
  out.time = described.time.value_or(now);
  out.received_at = now;
  out.data = parse_json(read->text).value();
  return out;
}

}  // namespace

TEST_CASE("a bar of a stream, and several that were put together") {
  const auto bar = minute();
  auto event = delivered(ingress::event_of("binance", Taint::untrusted, bar, now).event);
  CHECK(market::symbol_of(event) == "BTCUSDT");
  CHECK(market::is_of_interval(event, "1m"));
  CHECK(market::is_of_interval(event, "60s"));
  CHECK_FALSE(market::is_of_interval(event, "5m"));
  auto read = market::read_bar(event);
  REQUIRE_MESSAGE(read, read.error().message);
  CHECK(read->at == bar.start);
  CHECK(read->end() == event.time);
  CHECK(read->open == bar.open);
  CHECK(read->high == bar.high);
  CHECK(read->low == bar.low);
  CHECK(read->close == bar.close);  // to the last digit
  CHECK(read->volume == bar.volume);

  ingress::BarQueue full(1);
  full.push(bar);
  auto next = bar;
  next.start += 1min;
  full.push(next);
  event = delivered(ingress::event_of("binance", Taint::untrusted, full.front(1).at(0), now).event);
  CHECK(market::interval_of(event) == "2m");
  CHECK(market::is_of_interval(event, "1m"));  // a watch of minutes hears it
  CHECK_FALSE(market::is_of_interval(event, "5m"));
  read = market::read_bar(event);
  REQUIRE(read);
  CHECK(read->end() == bar.start + 2min);
}

TEST_CASE("gaps, crossings and quotes of a stream") {
  ingress::Gap gap{"BTCUSDT", ingress::GapCause::connection, 5, 9, 5, now - 1min, now};
  auto event = delivered(ingress::event_of("binance", Taint::untrusted, gap, now).event);
  const auto heard = market::read_gap(event);
  REQUIRE(heard);
  CHECK(heard->from == now - 1min);
  CHECK(heard->to == now);
  CHECK(heard->missed == 5);
  CHECK(heard->why == "reconnect");

  ingress::Crossing crossing;
  crossing.level = decimal("100");
  crossing.before = decimal("99");
  crossing.trade.symbol = "BTCUSDT";
  crossing.trade.price = decimal("100.10");
  crossing.trade.at = now;
  event = delivered(ingress::event_of("binance", Taint::untrusted, crossing, now).event);
  auto quote = market::read_quote(event);
  REQUIRE_MESSAGE(quote, quote.error().message);
  CHECK(quote->price() == decimal("100.1"));
  CHECK(quote->at == now);

  ingress::StreamQuote ticker;
  ticker.symbol = "BTCUSDT";
  ticker.bid = decimal("99.5");
  ticker.ask = decimal("100.5");
  ticker.at = now;
  event = delivered(ingress::event_of("binance", Taint::untrusted, ticker, now).event);
  CHECK(market::symbol_of(event) == "BTCUSDT");
  quote = market::read_quote(event);
  REQUIRE_MESSAGE(quote, quote.error().message);
  CHECK(quote->price() == decimal("100"));
}

TEST_CASE("rows of tables: prices, bids and asks, candles, closing prices alone") {
  config::Mapping mapping;
  mapping.delimiter = ";";
  mapping.decimal_comma = true;
  mapping.columns = {{"symbol", "Name"}, {"price", "Kurs"}, {"time", "Zeit"}};
  auto events = rows("Name;Kurs;Zeit\nGold;1.234,50;2026-11-24 10:00:00\n", mapping);
  REQUIRE(events.size() == 1);
  CHECK(events[0].type == "market.quote");
  CHECK(market::symbol_of(events[0]) == "Gold");
  auto quote = market::read_quote(events[0]);
  REQUIRE_MESSAGE(quote, quote.error().message);
  CHECK(quote->price() == decimal("1234.5"));
  CHECK(to_rfc3339(quote->at) == "2026-11-24T10:00:00.000Z");

  mapping = {};
  mapping.format = config::TableFormat::json;
  mapping.items = "rows";
  mapping.columns = {{"symbol", "s"}, {"bid", "b"}, {"ask", "a"}};
  events = rows(R"({"rows": [{"s": "X", "b": 0.1, "a": 0.30000000000000001},
                             {"s": "Y", "b": 0.1}]})",
                mapping);
  REQUIRE(events.size() == 1);  // a bid alone is no price
  quote = market::read_quote(events[0]);
  REQUIRE_MESSAGE(quote, quote.error().message);
  CHECK(quote->ask == decimal("0.30000000000000001"));
  CHECK(quote->at == now);  // it says no time

  mapping = {};
  mapping.header = false;
  mapping.symbol = "FUND";
  mapping.interval = "1d";
  mapping.columns = {{"time", "1"}, {"close", "2"}};
  events = rows("2026-11-20,50\n,51\n2026-11-23,52.25\n", mapping);
  REQUIRE(events.size() == 2);  // a bar without a time is none
  const auto bar = market::read_bar(events[1]);
  REQUIRE_MESSAGE(bar, bar.error().message);
  CHECK(bar->close == decimal("52.25"));
  CHECK(bar->open == bar->close);
  CHECK(bar->low == bar->close);
  CHECK(bar->interval == 24h);
  CHECK(market::what_is_wrong(*bar).empty());
  CHECK(market::is_of_interval(events[1], "24h"));
}

TEST_CASE("alerts of a chart: JSON with members of any name, and plain text") {
  auto event = chart("application/json",
                     R"({"ticker": "BTCUSDT", "exchange": "BINANCE", "action": "buy",
                         "price": 61234.50, "time": "2026-11-24T10:00:00Z"})");
  CHECK(event.type == "market.signal");
  CHECK(market::means_symbol("BTCUSDT", market::symbol_of(event)));
  auto signal = market::read_signal(event);
  REQUIRE_MESSAGE(signal, signal.error().message);
  CHECK(signal->price == decimal("61234.5"));
  CHECK(signal->text.find("action: buy") != std::string::npos);
  CHECK(to_rfc3339(signal->at) == "2026-11-24T10:00:00.000Z");

  event = chart("text/plain; charset=utf-8", "BINANCE:BTCUSDT crossing 50000");
  CHECK(market::symbol_of(event) == "BINANCE:BTCUSDT");
  CHECK(market::means_symbol("BTCUSDT", market::symbol_of(event)));
  CHECK_FALSE(market::means_symbol("ETHUSDT", market::symbol_of(event)));
  signal = market::read_signal(event);
  REQUIRE(signal);
  CHECK(signal->text == "BINANCE:BTCUSDT crossing 50000");
  CHECK(signal->at == now);

  event = chart("application/json", R"({"ticker": "X", "message": "sell now", "close": "1.50"})");
  signal = market::read_signal(event);
  REQUIRE(signal);
  CHECK(signal->text == "sell now");
  CHECK(signal->price == decimal("1.5"));
}

TEST_CASE("filings of the SEC as the feed tells them") {
  const auto path =
      std::filesystem::path(source_dir()) / "../shared/data/feeds/sec-edgar/latest-filings.atom";
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.empty()) {
    MESSAGE("skipped: the shared data is not here");
    return;
  }
  const auto feed = feeds::read_feed(text, {"https://www.sec.gov/", ""});
  REQUIRE(feed);
  const auto taken =
      ingress::take_items("edgar", "feed.item", Taint::untrusted,
                          parse_json(to_text(feeds::to_json(feeds::items_of(*feed)))).value(), now);
  REQUIRE(taken);
  std::size_t amended = 0;
  for (const auto& item : taken->all) {
    const auto news = market::read_news(delivered(item.event));
    REQUIRE_MESSAGE(news, news.error().message);
    CHECK(news->cik.size() == 10);
    CHECK_FALSE(news->form.empty());
    CHECK(news->link.starts_with("https://www.sec.gov/"));
    CHECK(news->at < now);
    amended += news->form.ends_with("/A") ? 1 : 0;
  }
  CHECK(taken->all.size() == 3);
  CHECK(amended > 0);
  const auto first = market::read_news(delivered(taken->all[0].event)).value();
  CHECK(first.cik == "0001890107");
  CHECK(first.form == "8-K");
  CHECK(to_rfc3339(first.at) == "2026-09-01T17:20:17.000Z");
}
