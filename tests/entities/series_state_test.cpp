#include <doctest/doctest.h>

#include <cmath>

#include "entities/series/detector.hpp"

using namespace vigil;
using namespace vigil::entities::series;

namespace {

TimePoint minute(int at) { return from_unix_us(at * 60'000'000LL); }

double value_at(int at) {
  const double noise = std::fmod(at * 0.618, 1.0) * 7;
  return at % 701 == 700 ? 300 : 50 + 10 * std::sin(at * 0.01) + noise;
}

void observe(Detector& detector, int from, int to) {
  for (int at = from; at < to; ++at) detector.observe(minute(at), value_at(at));
}

}  // namespace

TEST_CASE("a detector that was saved goes on as if it had never stopped") {
  for (const int stopped : {0, 1, 64, 702, 4096, 9001}) {
    CAPTURE(stopped);
    Detector whole;
    observe(whole, 0, stopped);
    const auto saved = whole.save();
    CHECK(saved.size() < 40'000);
    auto restored = Detector::restore(saved);
    REQUIRE(restored);
    CHECK(restored->save() == saved);
    int alarms = 0;
    for (int at = stopped; at < stopped + 1500; ++at) {
      const auto one = whole.observe(minute(at), value_at(at));
      const auto other = restored->observe(minute(at), value_at(at));
      REQUIRE(one.score == other.score);
      REQUIRE(one.reason == other.reason);
      alarms += one.is_anomaly ? 1 : 0;
    }
    CHECK(alarms > 0);
    CHECK(whole.save() == restored->save());
  }
}

TEST_CASE("bytes that are no saved detector are refused") {
  Detector detector;
  observe(detector, 0, 900);
  const auto saved = detector.save();
  CHECK_FALSE(Detector::restore(""));
  CHECK_FALSE(Detector::restore("vigil-series 2\n" + saved.substr(15)));
  CHECK_FALSE(Detector::restore(saved + 'x'));
  for (std::size_t length = 0; length < saved.size(); length += 101) {
    CHECK_FALSE(Detector::restore(saved.substr(0, length)));
  }
  const auto refused = Detector::restore("{}");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("learn anew") != std::string::npos);
}

TEST_CASE("damaged bytes never crash it: refused, or taken and worked with") {
  Detector detector;
  observe(detector, 0, 900);
  const auto saved = detector.save();
  for (std::size_t at = 0; at < saved.size(); at += 7) {
    for (const int bit : {1, 64, 128}) {
      auto damaged = saved;
      damaged[at] = static_cast<char>(damaged[at] ^ bit);
      auto restored = Detector::restore(damaged);
      if (!restored) continue;
      for (int i = 5000; i < 5003; ++i) {
        const auto finding = restored->observe(minute(i), value_at(i));
        CHECK(finding.score >= 0);
        CHECK(finding.score <= 1);
      }
    }
  }
}
