// Bars, holes, duplicates and crossings out of trades, without a socket or a clock.
#include "daemon/ingress/stream_window.hpp"

#include <doctest/doctest.h>

#include <boost/json/value.hpp>

#include "daemon/ingress/stream_events.hpp"

using namespace vigil;
using namespace vigil::ingress;
using namespace std::chrono_literals;

namespace {

const TimePoint start = parse_rfc3339("2026-11-24T10:00:00Z").value();

struct Market {
  explicit Market(Duration lateness = 5s) : window(settings(lateness)) {}
  static WindowSettings settings(Duration lateness) {
    return {{1min}, lateness, {{"X", {Decimal::parse("100").value()}}}};
  }
  // A trade at so many seconds, heard then.
  void trade(double seconds, const char* price, std::uint64_t number, const char* amount = "1") {
    now = std::max(
        now, start + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
    Trade one;
    one.symbol = "X";
    one.price = Decimal::parse(price).value();
    one.amount = Decimal::parse(amount).value();
    one.at = start + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    if (number > 0) one.number = number;
    one.id = number == 0 ? price : "";
    window.add(one, now, news);
  }
  void until(Duration since) {
    now = start + since;
    window.advance(now, news);
  }
  std::string bars() const {
    std::string out;
    for (const auto& bar : news.bars) {
      out += to_rfc3339(bar.start).substr(11, 5) + " " + bar.open.text() + " " + bar.high.text() +
             " " + bar.low.text() + " " + bar.close.text() + " " + bar.volume.text() + " " +
             std::to_string(bar.trades) + (bar.whole ? "" : " holed") + "\n";
    }
    return out;
  }

  StreamWindow window;
  StreamNews news;
  TimePoint now = start;
};

Trade missed(std::uint64_t number, TimePoint at, const char* id = "") {
  Trade out{.symbol = "X",
            .price = Decimal::parse("3").value(),
            .amount = Decimal::parse("1").value(),
            .at = at,
            .number = {},
            .id = id};
  if (number > 0) out.number = number;
  return out;
}

}  // namespace

TEST_CASE("a bar is exact, in the order of the trades' own times, and told when it cannot change") {
  Market market;
  market.trade(0, "0.1", 1, "0.1");
  market.trade(1, "0.2", 2, "0.2");
  market.trade(59.9, "0.15", 4);
  market.trade(30, "0.05", 3);     // late, within the bound
  market.trade(60.5, "0.3", 5);    // of the next bar
  market.trade(59.95, "0.11", 6);  // the last of the first one
  market.window.advance(market.now, market.news);
  CHECK(market.bars().empty());
  market.trade(65, "0.4", 7);
  market.window.advance(market.now, market.news);
  CHECK(market.bars() == "10:00 0.1 0.2 0.05 0.11 3.3 5\n");
  market.trade(58, "9", 8);  // too late: its bar was told
  CHECK(market.window.counts().late == 1);
  CHECK(market.window.counts().disorder == 2);
  CHECK(market.window.counts().missed == 0);
  CHECK(market.news.gaps.empty());
}

TEST_CASE("where no trade comes any more the clock ends the bar") {
  Market market;
  market.trade(0, "1", 1);
  market.until(64s);
  CHECK(market.bars().empty());
  market.until(66s);
  CHECK(market.bars() == "10:00 1 1 1 1 1 1\n");
  CHECK(!market.window.has_open());
}

TEST_CASE("a hole in the numbers waits to be filled, then it is said, with its size") {
  Market market;
  market.trade(0, "1", 10);
  market.trade(1, "1", 14);
  market.trade(2, "1", 12);  // 11 and 13 are left
  market.until(5s);
  CHECK(market.news.gaps.empty());
  market.until(6500ms);
  REQUIRE(market.news.gaps.size() == 1);
  const auto& gap = market.news.gaps[0];
  CHECK(gap.missed == 2);
  CHECK(gap.first == 11);
  CHECK(gap.last == 13);
  CHECK(gap.cause == GapCause::numbers);
  CHECK(gap.from == start);
  CHECK(market.window.counts().missed == 2);
  market.trade(70, "2", 15);
  market.until(130s);
  CHECK(market.bars() == "10:00 1 1 1 1 3 3 holed\n10:01 2 2 2 2 1 1\n");
}

TEST_CASE("a trade said twice counts once, by its number or its id") {
  Market market;
  market.trade(0, "1", 1);
  market.trade(0, "1", 1);
  market.trade(1, "2", 2);
  market.trade(0, "1", 1);
  CHECK(market.window.counts().duplicates == 2);
  Market other;
  other.trade(0, "1", 0);
  other.trade(1, "1", 0);
  CHECK(other.window.counts().duplicates == 1);
  other.until(70s);
  CHECK(other.bars() == "10:00 1 1 1 1 1 1\n");
}

TEST_CASE("numbers that begin anew are a reset, not duplicates for ever") {
  Market market;
  market.trade(0, "1", 1'000'000);
  for (std::uint64_t number = 1; number <= 200; ++number) {
    market.trade(1 + 0.01 * static_cast<double>(number), "1", number);
  }
  market.until(10s);
  REQUIRE(market.news.gaps.size() == 1);
  CHECK(market.news.gaps[0].cause == GapCause::reset);
  CHECK(market.window.counts().trades == 101);
  CHECK(market.window.counts().duplicates == 100);
}

TEST_CASE("after a restart what is missing since the last bar that was told is said") {
  Market market;
  market.window.resume("X", {41, start});
  market.trade(70, "1", 50);
  market.until(80s);
  REQUIRE(market.news.gaps.size() == 1);
  CHECK(market.news.gaps[0].cause == GapCause::restart);
  CHECK(market.news.gaps[0].first == 42);
  CHECK(market.news.gaps[0].last == 49);
  CHECK(market.news.gaps[0].from == start);
  Market whole;
  whole.window.resume("X", {41, start});
  whole.trade(0.5, "1", 42);
  whole.until(80s);
  CHECK(whole.news.gaps.empty());
  CHECK(whole.bars() == "10:00 1 1 1 1 1 1\n");
}

TEST_CASE("what was missed and is fetched again closes the hole") {
  Market market;
  market.trade(0, "1", 1);
  market.trade(2, "1", 4);
  const auto holes = market.window.take_holes();
  REQUIRE(holes.size() == 1);
  CHECK(holes[0].first == 2);
  CHECK(holes[0].last == 3);
  CHECK(holes[0].from == start);
  std::vector<Trade> answer;
  for (const std::uint64_t number : {1, 2, 3, 4, 9}) {  // more than was asked for
    answer.push_back(missed(number, start + 1s));
  }
  CHECK(!market.window.fill(holes[0], answer, market.now));
  market.until(70s);
  CHECK(market.news.gaps.empty());
  CHECK(market.bars() == "10:00 1 3 1 1 4 4\n");
  CHECK(market.window.take_holes().empty());
}

TEST_CASE("of a hole that one answer does not fill, the rest is asked for next") {
  Market market;
  market.trade(0, "1", 1);
  market.trade(2, "1", 6);
  const auto hole = market.window.take_holes().at(0);
  const auto left =
      market.window.fill(hole, {missed(2, start + 1s), missed(3, start + 1s)}, market.now);
  REQUIRE(left);
  CHECK(left->first == 4);
  CHECK(left->last == 5);
  CHECK(!market.window.fill(*left, {missed(2, start + 1s)}, market.now));  // nothing new: no end
  market.until(70s);
  REQUIRE(market.news.gaps.size() == 1);
  CHECK(market.news.gaps[0].missed == 2);
}

TEST_CASE("without numbers a list that reaches back to what was heard closes the hole") {
  for (const bool reaches_back : {true, false}) {
    CAPTURE(reaches_back);
    Market market;
    market.trade(0, "0.5", 0);
    market.trade(1.5, "1", 0);
    market.window.disconnected(start + 10s);
    market.trade(20, "2", 0);
    const auto hole = market.window.take_holes().at(0);
    CHECK(hole.first == 0);
    CHECK(hole.from == start + 1500ms);
    std::vector<Trade> answer;
    if (reaches_back) answer.push_back(missed(0, start + 1s, "1"));  // heard, in whole seconds
    answer.push_back(missed(0, start + 12s, "new"));
    answer.push_back(missed(0, start + 20s, "2"));  // heard
    CHECK(!market.window.fill(hole, answer, market.now));
    market.until(70s);
    CHECK(market.news.gaps.empty() == reaches_back);
    CHECK(market.bars() ==
          std::string("10:00 0.5 3 0.5 2 4 4") + (reaches_back ? "\n" : " holed\n"));
  }
}

TEST_CASE("without numbers an interruption may have cost trades, and says so") {
  Market market;
  market.trade(0, "1", 0);
  market.window.disconnected(start + 10s);
  market.trade(20, "2", 0);
  market.until(21s);
  CHECK(market.news.gaps.empty());  // it may still be filled
  market.until(25s);
  REQUIRE(market.news.gaps.size() == 1);
  CHECK(market.news.gaps[0].cause == GapCause::connection);
  CHECK(market.news.gaps[0].missed == 0);
  CHECK(market.news.gaps[0].to == start + 20s);
  market.until(70s);
  CHECK(market.bars() == "10:00 1 2 1 2 2 2 holed\n");
}

TEST_CASE("with numbers an interruption that cost nothing says nothing") {
  Market market;
  market.trade(0, "1", 1);
  market.window.disconnected(start + 10s);
  market.trade(20, "2", 2);
  market.until(70s);
  CHECK(market.news.gaps.empty());
  CHECK(market.bars() == "10:00 1 2 1 2 2 2\n");
}

TEST_CASE("the bar in which listening began is not whole") {
  Market market;
  market.trade(30, "1", 7);
  market.trade(61, "1", 8);
  market.until(140s);
  CHECK(market.bars() == "10:00 1 1 1 1 1 1 holed\n10:01 1 1 1 1 1 1\n");
}

TEST_CASE("a level is said when it is crossed, and not again at once") {
  Market market;
  market.trade(0, "99", 1);
  market.trade(1, "100", 2);
  market.trade(2, "99.99", 3);  // below it again
  market.trade(3, "101", 4);    // the same one, too soon
  REQUIRE(market.news.crossings.size() == 1);
  CHECK(market.news.crossings[0].up);
  market.trade(4, "100", 5);
  REQUIRE(market.news.crossings.size() == 2);
  CHECK(!market.news.crossings[1].up);
  CHECK(market.window.counts().held_crossings == 1);
  market.trade(90, "90", 6);
  market.trade(91, "110", 7);
  CHECK(market.news.crossings.size() == 3);
}

TEST_CASE("bars that find no room are put together, and nothing of them is lost") {
  BarQueue queue(2);
  const auto bar = [](int minute, const char* price) {
    Bar one;
    one.symbol = "X";
    one.interval = 1min;
    one.start = start + std::chrono::minutes{minute};
    one.open = one.high = one.low = one.close = Decimal::parse(price).value();
    one.volume = Decimal::parse("0.1").value();
    one.trades = 1;
    one.last_number = static_cast<std::uint64_t>(minute + 1);
    return one;
  };
  queue.push(bar(0, "1"));
  const auto taken = queue.front(1);  // being stored: it is left alone
  queue.push(bar(1, "2"));
  queue.push(bar(2, "5"));
  queue.push(bar(4, "3"));
  CHECK(queue.size() == 2);
  CHECK(queue.merged() == 2);
  queue.drop(taken.size());
  const auto rest = queue.front(10);
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].open.text() == "2");
  CHECK(rest[0].high.text() == "5");
  CHECK(rest[0].close.text() == "3");
  CHECK(rest[0].volume.text() == "0.3");
  CHECK(rest[0].merged == 4);
  CHECK(rest[0].end() == start + 5min);
  CHECK(rest[0].last_number == 5);
  const auto told = event_of("s", Taint::untrusted, rest[0], start);
  CHECK(find_text(told.payload, "interval") == "4m");
  CHECK(find_integer(told.payload, "merged") == 4);
  CHECK(parse_stream_mark(mark_text(*told.mark))->told_until == start + 5min);
}
