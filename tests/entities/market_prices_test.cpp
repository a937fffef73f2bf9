// Which prices are believed, and when markets are open.
#include "entities/market/prices.hpp"

#include <doctest/doctest.h>

#include <boost/json/object.hpp>

using namespace vigil;
using namespace vigil::entities::market;
using namespace std::chrono_literals;

namespace {

TimePoint at(const char* text) { return parse_rfc3339(text).value(); }
const TimePoint noon = at("2026-11-23T12:00:00Z");
const Calendar always = Calendar::make("24x7", {}).value();

Bar bar_at(int minute, const char* close) {
  const auto price = Decimal::parse(close).value();
  return {noon + minute * 1min, 1min, price, price, price, price, {}};
}

struct Feeds {
  config::MarketWatch watch;
  std::string kept = "{}";
  std::vector<std::string> remarks;
  // The closes that were judged.
  std::string hear(const std::string& source, const Bar& bar) {
    Prices prices(watch, always);
    prices.restore(parse_json(kept).value());
    const auto believed = prices.take(source, bar);
    remarks = believed.remarks;
    kept = to_text(json::value(prices.state()));
    std::string out;
    for (const auto& one : believed.bars) out += one.close.text() + " ";
    return out;
  }
};

}  // namespace

TEST_CASE("a price that jumps is held until the next one or another source says the same") {
  Feeds feeds;
  feeds.watch.jump_max = 10;
  CHECK(feeds.hear("a", bar_at(0, "100")) == "100 ");
  CHECK(feeds.hear("a", bar_at(1, "110")) == "110 ");
  CHECK(feeds.hear("a", bar_at(2, "150")) == "");
  CHECK(feeds.remarks.at(0).find("held") != std::string::npos);
  CHECK(feeds.hear("a", bar_at(3, "111")) == "111 ");
  CHECK(feeds.remarks.at(0) == "150 was not confirmed and is not counted");
  CHECK(feeds.hear("a", bar_at(4, "150")) == "");
  CHECK(feeds.hear("a", bar_at(5, "151")) == "150 151 ");
  CHECK(feeds.hear("a", bar_at(6, "100")) == "");
  CHECK(feeds.hear("b", bar_at(6, "100.5")) == "100 ");
  CHECK(feeds.hear("a", bar_at(7, "101")) == "101 ");
  CHECK(feeds.hear("b", bar_at(8, "70")) == "");
  CHECK(feeds.hear("a", bar_at(8, "70.5")) == "70.5 ");
  CHECK(feeds.remarks.at(0) == "70.5 is confirmed by another source");
}

TEST_CASE("bars that cannot be, come late or twice are not judged; missing ones are counted") {
  Feeds feeds;
  CHECK(feeds.hear("a", bar_at(0, "100")) == "100 ");
  CHECK(feeds.hear("a", bar_at(0, "100")) == "");
  CHECK(feeds.hear("a", bar_at(-1, "100")) == "");
  CHECK(feeds.hear("a", bar_at(1, "0")) == "");
  CHECK(feeds.remarks.at(0) == "a bar of a cannot be: a price is not above 0");
  auto odd = bar_at(1, "100");
  odd.high = Decimal::parse("99").value();
  CHECK(feeds.hear("a", odd) == "");
  CHECK(feeds.hear("a", bar_at(4, "101")) == "101 ");
  CHECK(feeds.remarks.at(0) == "3 bars are missing before 2026-11-23T12:04:00.000Z");
}

TEST_CASE("the first source named leads; when it is silent another takes its place") {
  Feeds feeds;
  feeds.watch.sources = {"a", "b"};
  feeds.watch.stale_after = 5min;
  CHECK(feeds.hear("b", bar_at(0, "100")) == "100 ");
  CHECK(feeds.hear("a", bar_at(1, "101")) == "101 ");
  CHECK(feeds.hear("b", bar_at(2, "102")) == "");
  CHECK(feeds.hear("b", bar_at(9, "103")) == "103 ");
  CHECK(feeds.remarks.at(0) == "b leads now, not a");
}

TEST_CASE("the spread is between what several sources said lately") {
  config::MarketWatch watch;
  Prices prices(watch, always);
  prices.take("a", bar_at(0, "100"));
  CHECK_FALSE(prices.spread(noon + 1min).has_value());
  prices.take("b", bar_at(0, "102"));
  CHECK(*prices.spread(noon + 2min) == doctest::Approx(2));
  CHECK_FALSE(prices.spread(noon + 30min).has_value());
}

TEST_CASE("sessions of exchanges: hours, holidays and half days of their zones") {
  struct Case {
    const char *calendar, *when;
    bool open;
  };
  for (const auto& one : std::vector<Case>{
           {"XNYS", "2026-11-23T14:30:00Z", true},  // 09:30 in New York
           {"XNYS", "2026-11-23T14:29:59Z", false},
           {"XNYS", "2026-11-23T20:59:59Z", true},
           {"XNYS", "2026-11-23T21:00:00Z", false},
           {"XNYS", "2026-07-10T13:30:00Z", true},   // summer time
           {"XNYS", "2026-11-22T16:00:00Z", false},  // Sunday
           {"XNYS", "2026-11-26T16:00:00Z", false},  // Thanksgiving
           {"XNYS", "2026-11-27T17:59:00Z", true},   // until 13:00
           {"XNYS", "2026-11-27T18:00:00Z", false},
           {"XNYS", "2026-04-03T15:00:00Z", false},  // Good Friday
           {"XNYS", "2026-07-03T15:00:00Z", false},  // for the 4th, a Saturday
           {"XNYS", "2021-12-31T16:00:00Z", true},   // the 1st was a Saturday: not made up for
           {"XNYS", "2021-06-18T16:00:00Z", true},   // Juneteenth from 2022 on
           {"XNYS", "2022-06-20T16:00:00Z", false},
           {"XNYS", "2025-01-20T16:00:00Z", false},  // Martin Luther King
           {"XETR", "2026-11-23T08:00:00Z", true},
           {"XETR", "2026-11-23T16:30:00Z", false},
           {"XETR", "2026-04-06T09:00:00Z", false},  // Easter Monday
           {"XETR", "2026-10-03T09:00:00Z", false},  // a Saturday
           {"XETR", "2025-10-03T09:00:00Z", true},   // a public holiday, and a session
           {"XETR", "2025-12-30T12:59:00Z", true},   // the last session, until 14:00
           {"XETR", "2025-12-30T13:00:00Z", false},
           {"XLON", "2026-12-28T10:00:00Z", false},  // for the 26th, a Saturday
           {"XLON", "2022-12-27T10:00:00Z", false},
           {"XLON", "2026-12-24T12:29:00Z", true},
           {"XLON", "2026-12-24T12:30:00Z", false},
           {"24x7", "2026-12-25T03:00:00Z", true}}) {
    CAPTURE(one.calendar);
    CAPTURE(one.when);
    CHECK(Calendar::make(one.calendar, {})->is_open(at(one.when)) == one.open);
  }
  CHECK_FALSE(Calendar::make("XXXX", {}).has_value());
}

TEST_CASE("sessions from the configuration, over midnight, with holidays and half days") {
  config::MarketSession own;
  own.name = "futures";
  own.tz = "America/Chicago";
  own.days = {7, 1, 2, 3, 4};
  own.open_minute = 17 * 60;
  own.close_minute = 16 * 60;
  own.holidays = {"2026-11-25"};
  own.half_days = {"2026-11-24 22:00"};
  const auto calendar = Calendar::make("futures", {own}).value();
  CHECK(calendar.is_open(at("2026-11-22T23:30:00Z")));        // Sunday, 17:30
  CHECK(calendar.is_open(at("2026-11-23T21:59:00Z")));        // Monday, 15:59
  CHECK_FALSE(calendar.is_open(at("2026-11-23T22:30:00Z")));  // between sessions
  CHECK(calendar.is_open(at("2026-11-25T03:59:00Z")));        // Tuesday, 21:59
  CHECK_FALSE(calendar.is_open(at("2026-11-25T04:00:00Z")));
  CHECK_FALSE(calendar.is_open(at("2026-11-26T12:00:00Z")));
  CHECK(calendar.open_between(at("2026-11-23T21:00:00Z"), at("2026-11-24T00:00:00Z")) == 2h);
  CHECK(calendar.session_at_or_after(at("2026-11-25T04:00:00Z"))->open ==
        at("2026-11-26T23:00:00Z"));
}
