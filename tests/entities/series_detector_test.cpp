#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "entities/series/detector.hpp"

using namespace vigil;
using namespace vigil::entities::series;

namespace {

TimePoint minute(int at) { return from_unix_us(at * 60'000'000LL); }

// Regular, but never twice the same.
double wave(int at) { return 50 + 10 * std::sin(at * 0.7) + std::fmod(at * 0.618, 1.0) * 3; }

struct Told {
  int count = 0;
  int first = -1;
  std::string reason;
};

Told run(Detector& detector, int from, int to, auto value_at) {
  Told told;
  for (int at = from; at < to; ++at) {
    const auto finding = detector.observe(minute(at), value_at(at));
    CHECK(finding.is_anomaly == !finding.reason.empty());
    CHECK(finding.score >= 0);
    CHECK(finding.score <= 1);
    if (!finding.is_anomaly) continue;
    if (told.count++ == 0) {
      told.first = at;
      told.reason = finding.reason;
    }
  }
  return told;
}

}  // namespace

TEST_CASE("a value far outside the usual is an anomaly, said in words, and once") {
  Detector detector;
  CHECK(run(detector, 0, 600, wave).count == 0);
  const auto finding = detector.observe(minute(600), 400);
  CHECK(finding.is_anomaly);
  CHECK(finding.score > 0.6);
  CHECK(finding.reason.starts_with("400"));
  CHECK(finding.reason.find("about 400") == std::string::npos);
  CHECK_FALSE(detector.observe(minute(601), 400).is_anomaly);
  CHECK(run(detector, 602, 650, [](int) { return 400.0; }).count == 0);
}

TEST_CASE("what is much stronger is told while it is quiet after an alarm") {
  Detector detector;
  run(detector, 0, 600, wave);
  CHECK(detector.observe(minute(600), 90).is_anomaly);
  CHECK(run(detector, 601, 650, wave).count == 0);
  CHECK_FALSE(detector.observe(minute(650), 90).is_anomaly);
  CHECK(run(detector, 651, 660, wave).count == 0);
  CHECK(detector.observe(minute(660), 1e6).is_anomaly);
}

TEST_CASE("a series that stands still where it never did is an anomaly") {
  Detector detector;
  CHECK(run(detector, 0, 600, wave).count == 0);
  const auto told = run(detector, 600, 900, [](int) { return 50.0; });
  CHECK(told.count == 1);
  CHECK(told.reason.starts_with("flat at 50"));
}

TEST_CASE("a new level is an anomaly and then becomes usual") {
  Detector detector;
  run(detector, 0, 1000, wave);
  const auto risen = [](int at) { return wave(at) + 40; };
  const auto told = run(detector, 1000, 1100, risen);
  CHECK(told.count == 1);
  CHECK(told.first < 1006);
  CHECK(run(detector, 5000, 9000, risen).count == 0);
}

TEST_CASE("a constant series is never an anomaly until it moves") {
  Detector detector;
  CHECK(run(detector, 0, 5000, [](int) { return 7.0; }).count == 0);
  CHECK(detector.observe(minute(5000), 8).is_anomaly);
}

TEST_CASE("what is no number or comes late or twice is passed over") {
  Detector detector;
  CHECK(run(detector, 0, 600, wave).count == 0);
  const auto before = detector.save();
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  constexpr double endless = std::numeric_limits<double>::infinity();
  CHECK(detector.observe(minute(599), 1e9).score == 0);
  CHECK(detector.observe(minute(10), 1e9).score == 0);
  CHECK(detector.observe(minute(600), none).score == 0);
  CHECK(detector.observe(minute(601), endless).score == 0);
  CHECK(detector.observe(minute(602), -endless).score == 0);
  CHECK(detector.save() == before);
  CHECK(detector.observe(minute(602), 1e9).is_anomaly);
}

TEST_CASE("what is usual at one time of day is not at another") {
  Detector detector;
  constexpr int day = 24 * 60;
  const auto by_day = [](int at) {
    return 500 + 400 * std::cos(at * 2 * 3.14159265 / day) + wave(at) / 10;
  };
  run(detector, 0, 6 * day, by_day);
  const int noon = 8 * day + day / 2;
  CHECK(run(detector, 6 * day, noon, by_day).count == 0);
  const auto told = run(detector, noon, noon + 10, [&](int) { return by_day(0); });
  CHECK(told.count == 1);
  CHECK(told.first < noon + 5);
}

TEST_CASE("a jump within the usual range is an anomaly where the series only ever creeps") {
  Detector detector;
  const auto creeping = [](int at) { return 50 + 40 * std::sin(at * 0.01) + wave(at) / 100; };
  const int known = 3 * 24 * 60;
  run(detector, 0, known, creeping);
  CHECK(run(detector, known, known + 600, creeping).count == 0);
  const double far = creeping(known + 600) > 50 ? 15 : 85;
  const auto told = run(detector, known + 600, known + 605, [&](int) { return far; });
  CHECK(told.count == 1);
}

TEST_CASE("huge values are an anomaly, and do not blind it to those that follow") {
  for (const double huge : {1e308, -1e308, 1e200}) {
    CAPTURE(huge);
    Detector detector;
    run(detector, 0, 1000, wave);
    CHECK(detector.observe(minute(1000), huge).is_anomaly);
    CHECK(run(detector, 1400, 3000, wave).count <= 1);
    const auto told = run(detector, 3000, 3010, [](int) { return 400.0; });
    CHECK(told.count == 1);
    Detector only;
    CHECK(run(only, 0, 500, [&](int at) { return at % 2 == 0 ? huge : -huge; }).count <= 1);
  }
}

TEST_CASE("tiny values are as good as any") {
  Detector detector;
  CHECK(run(detector, 0, 600, [](int at) { return wave(at) * 1e-300; }).count == 0);
  CHECK(detector.observe(minute(600), 400e-300).is_anomaly);
}

TEST_CASE("series of two points, and with gaps and uneven times, are no trouble") {
  Detector two;
  CHECK_FALSE(two.observe(minute(0), 1).is_anomaly);
  CHECK_FALSE(two.observe(minute(1), 1e9).is_anomaly);
  Detector uneven;
  int count = 0;
  for (int at = 0; at < 3000; ++at) {
    const int gap = at > 1500 ? 100'000 : 0;  // ten weeks
    const auto when = from_unix_us((at * 60LL + at * at % 47 + gap * 60LL) * 1'000'000);
    count += uneven.observe(when, wave(at)).is_anomaly ? 1 : 0;
  }
  CHECK(count == 0);
  CHECK(uneven.observe(from_unix_us(1'000'000'000'000'000), 400).is_anomaly);
  Detector before_1970;
  for (int at = -900; at < -300; ++at) before_1970.observe(minute(at), wave(at));
  CHECK(before_1970.observe(minute(-300), 400).is_anomaly);
}

TEST_CASE("who asks for strictness gets fewer alarms") {
  int strict = 0;
  int usual = 0;
  Detector one;
  Detector half_as_much_more(1.5);
  for (int at = 0; at < 5'000; ++at) {
    const double value = wave(at) + (at % 613 == 0 ? 15 + at % 9 : 0);
    usual += one.observe(minute(at), value).is_anomaly ? 1 : 0;
    strict += half_as_much_more.observe(minute(at), value).is_anomaly ? 1 : 0;
  }
  CHECK(usual > 0);
  CHECK(strict < usual);
}
