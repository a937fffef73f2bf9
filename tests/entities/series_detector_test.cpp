#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "entities/series/detector.hpp"

using namespace vigil;
using namespace vigil::entities::series;

namespace {

TimePoint minute(int at) { return from_unix_us(at * 60'000'000LL); }

double wave(int at) { return 50 + 10 * std::sin(at * 0.7) + at % 3; }

int alarms(Detector& detector, int from, int to, auto value_at) {
  int count = 0;
  for (int at = from; at < to; ++at) {
    if (detector.observe(minute(at), value_at(at)).is_anomaly) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("a value far outside the usual is an anomaly, said in words, and once") {
  Detector detector;
  CHECK(alarms(detector, 0, 300, wave) == 0);
  const auto finding = detector.observe(minute(300), 400);
  CHECK(finding.is_anomaly);
  CHECK(finding.score > 0.6);
  CHECK(finding.reason.starts_with("400 where about 5"));
  CHECK_FALSE(detector.observe(minute(301), 400).is_anomaly);
}

TEST_CASE("a series that stands still where it never did is an anomaly") {
  Detector detector;
  CHECK(alarms(detector, 0, 300, wave) == 0);
  CHECK(alarms(detector, 300, 400, [](int) { return 50.0; }) == 1);
}

TEST_CASE("a constant series is never an anomaly until it moves") {
  Detector detector;
  CHECK(alarms(detector, 0, 500, [](int) { return 7.0; }) == 0);
  CHECK(detector.observe(minute(500), 8).is_anomaly);
}

TEST_CASE("what is no number or comes late is passed over") {
  Detector detector;
  CHECK(alarms(detector, 0, 300, wave) == 0);
  CHECK_FALSE(detector.observe(minute(299), 1e9).is_anomaly);
  CHECK_FALSE(detector.observe(minute(300), std::numeric_limits<double>::quiet_NaN()).is_anomaly);
  CHECK_FALSE(detector.observe(minute(301), std::numeric_limits<double>::infinity()).is_anomaly);
  CHECK(detector.observe(minute(302), 1e9).is_anomaly);
}

TEST_CASE("what is usual at one time of day is not at another") {
  Detector detector;
  const auto by_day = [](int at) { return (at / 60) % 24 == 3 ? 900 + at % 7 : 20.0 + at % 7; };
  const int day = 24 * 60;
  alarms(detector, 0, 4 * day, by_day);
  CHECK(alarms(detector, 4 * day, 6 * day, by_day) == 0);
  CHECK(alarms(detector, 6 * day, 6 * day + 12 * 60, by_day) == 0);
  const auto noon = detector.observe(minute(6 * day + 12 * 60), 900);
  CHECK(noon.is_anomaly);
  CHECK(noon.reason.find("usual at this time of day") != std::string::npos);
}

TEST_CASE("a jump within the usual range is an anomaly where the series only ever creeps") {
  Detector detector;
  const auto creeping = [](int at) { return 50 + 40 * std::sin(at * 0.01); };
  const int known = 3 * 24 * 60;
  alarms(detector, 0, known, creeping);
  CHECK(alarms(detector, known, known + 600, creeping) == 0);
  const auto jump = detector.observe(minute(known + 600), creeping(known + 600) > 50 ? 15 : 85);
  CHECK(jump.is_anomaly);
  CHECK(jump.reason.find("a change") != std::string::npos);
}
