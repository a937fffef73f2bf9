// Candles and tickers that an exchange made itself, without a socket or a clock.
#include "daemon/ingress/stream_board.hpp"

#include <doctest/doctest.h>

using namespace vigil;
using namespace vigil::ingress;
using namespace std::chrono_literals;

namespace {

const TimePoint start = parse_rfc3339("2026-11-24T10:00:00Z").value();

struct Board {
  void candle(int minute, Duration interval = 1min) {
    StreamMessage message;
    Bar bar;
    bar.symbol = "X";
    bar.interval = interval;
    bar.start = start + minute * 1min;
    message.bars.push_back(std::move(bar));
    board.take(message, start, news);
  }
  void quote(Duration since, const char* last) {
    StreamMessage message;
    StreamQuote quote;
    quote.symbol = "X";
    quote.last = Decimal::parse(last).value();
    quote.at = start + since;
    message.quotes.push_back(std::move(quote));
    board.take(message, start + since, news);
  }
  std::string quotes() const {
    std::string out;
    for (const auto& quote : news.quotes) out += quote.last->text() + " ";
    return out;
  }
  StreamBoard board{1min, 10s};
  StreamNews news;
};

}  // namespace

TEST_CASE("a candle is told once; between two that do not touch is a gap, and why") {
  Board told;
  told.candle(0);
  told.candle(1);
  told.candle(1);
  CHECK(told.news.bars.size() == 2);
  CHECK(told.news.gaps.empty());
  told.candle(3);
  REQUIRE(told.news.gaps.size() == 1);
  CHECK(told.news.gaps[0].cause == GapCause::numbers);
  CHECK(told.news.gaps[0].from == start + 2min);
  CHECK(told.news.gaps[0].to == start + 3min);
  told.board.disconnected();
  told.candle(6);
  REQUIRE(told.news.gaps.size() == 2);
  CHECK(told.news.gaps[1].cause == GapCause::connection);
  told.candle(7);
  told.candle(0, 5min);  // other candles of the same symbol
  CHECK(told.news.gaps.size() == 2);
}

TEST_CASE("after a restart candles go on behind the last one that was told") {
  Board told;
  told.board.resume("X", {200, start + 5min});
  told.candle(4);  // told before
  CHECK(told.news.bars.empty());
  told.candle(7);
  REQUIRE(told.news.gaps.size() == 1);
  CHECK(told.news.gaps[0].cause == GapCause::restart);
  CHECK(told.news.gaps[0].from == start + 5min);
  CHECK(told.news.bars.size() == 1);
}

TEST_CASE("of tickers the latest is told, no more often than asked for") {
  Board told;
  told.quote(1s, "1");
  told.quote(2s, "2");
  told.quote(3s, "3");
  CHECK(told.quotes() == "1 ");
  CHECK(told.board.has_open());
  told.board.advance(start + 10s, told.news);
  CHECK(told.quotes() == "1 ");
  told.board.advance(start + 11s, told.news);
  CHECK(told.quotes() == "1 3 ");
  CHECK_FALSE(told.board.has_open());
  told.quote(12s, "4");
  told.quote(30s, "5");  // due at once; the one that waited is out of date
  CHECK(told.quotes() == "1 3 5 ");
  CHECK_FALSE(told.board.has_open());
}
