#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "entities/series/forecast.hpp"

using namespace vigil;
using namespace vigil::entities::series;

namespace {

std::vector<Point> hourly(int count, auto value_at) {
  std::vector<Point> points;
  for (int hour = 0; hour < count; ++hour) {
    points.push_back({from_unix_us(hour * 3'600'000'000LL), value_at(hour)});
  }
  return points;
}

}  // namespace

TEST_CASE("a disk that fills steadily is full in about three days") {
  const auto trend = trend_of(hourly(96, [](int hour) { return 40 + hour * 0.25; }));
  REQUIRE(trend);
  CHECK(trend->per_day == doctest::Approx(6));
  const auto eta = reaches(*trend, 63.75 + 18);
  REQUIRE(eta.left);
  CHECK(eta.why.starts_with("in about 3 days"));
}

TEST_CASE("odd values and gaps do not move a forecast") {
  auto points = hourly(96, [](int hour) { return 40 + hour * 0.25; });
  for (std::size_t at = 5; at < points.size(); at += 20) points[at].value = 1e9;
  points[7].value = std::numeric_limits<double>::quiet_NaN();
  points.erase(points.begin() + 30, points.begin() + 45);
  const auto trend = trend_of(points);
  REQUIRE(trend);
  CHECK(trend->per_day == doctest::Approx(6).epsilon(0.1));
}

TEST_CASE("a series that falls, stands still or only wavers never reaches its limit") {
  const auto falls = trend_of(hourly(50, [](int hour) { return 50.0 - hour; }));
  const auto still = trend_of(hourly(50, [](int) { return 50.0; }));
  const auto wavers = trend_of(hourly(200, [](int hour) { return 50 + std::sin(hour) * 9; }));
  REQUIRE(falls);
  REQUIRE(still);
  REQUIRE(wavers);
  CHECK_FALSE(reaches(*falls, 90).left);
  CHECK_FALSE(reaches(*still, 90).left);
  CHECK_FALSE(reaches(*wavers, 90).left);
  CHECK(reaches(*still, 40).left == Duration{0});
}

TEST_CASE("too few points give no trend") {
  CHECK_FALSE(trend_of(hourly(7, [](int hour) { return 1.0 * hour; })));
  CHECK_FALSE(trend_of(std::vector<Point>(20, Point{})));
}

TEST_CASE("rows are read with a heading, in three spellings of time") {
  const auto rows = parse_rows(
      "timestamp,value\n2014-04-01 00:00:00,1.5\r\n"
      "2014-04-01T00:05:00Z,\n1396311000,3\n");
  REQUIRE(rows);
  REQUIRE(rows->size() == 3);
  CHECK((*rows)[0].at == from_unix_us(1'396'310'400'000'000));
  CHECK(std::isnan((*rows)[1].value));
  CHECK((*rows)[2].at - (*rows)[0].at == std::chrono::minutes(10));
}

TEST_CASE("a line that is no row is named") {
  const auto broken = parse_rows("timestamp,value\n1,2\nnonsense\n");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().message.find("line 3") != std::string::npos);
  CHECK_FALSE(parse_rows(""));
  CHECK_FALSE(parse_rows("\xff\xfe,\n1e300,4\n"));
}
