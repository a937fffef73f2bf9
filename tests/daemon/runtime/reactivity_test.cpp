#include "daemon/runtime/reactivity.hpp"

#include <doctest/doctest.h>

#include "core/time.hpp"

using namespace vigil;
using namespace vigil::runtime;
using namespace std::chrono_literals;

namespace {

TimePoint at(const char* text) { return parse_rfc3339(text).value(); }
const TimePoint noon = at("2026-11-23T12:00:00Z");  // a Monday

CaseGate quiet() {
  return CaseGate{
      .last_acted = {}, .window_start = {}, .gathering_since = {}, .gathering_until = {}};
}

CaseGate gathering(TimePoint since, int events) {
  auto gate = quiet();
  gate.gathering = true;
  gate.gathering_since = since;
  gate.gathering_events = events;
  return gate;
}

using Kind = Admission::Kind;

}  // namespace

TEST_CASE("with no rules every event wakes its case at once") {
  const auto answer = admit({}, quiet(), noon);
  CHECK(answer.kind == Kind::wake);
  CHECK(answer.not_before == noon);
}

TEST_CASE("a debounce waits for quiet, each event anew, but not for ever") {
  config::Reactivity rules;
  rules.debounce = config::Debounce{10s, 30s};
  const auto first = admit(rules, quiet(), noon);
  CHECK(first.kind == Kind::gather);
  CHECK(first.not_before == noon + 10s);
  const auto second = admit(rules, gathering(noon, 1), noon + 8s);
  CHECK(second.kind == Kind::join);
  CHECK(second.not_before == noon + 18s);
  const auto late = admit(rules, gathering(noon, 3), noon + 25s);
  CHECK(late.not_before == noon + 30s);
}

TEST_CASE("a debounce without a timeout ends after ten periods") {
  config::Reactivity rules;
  rules.debounce = config::Debounce{1s, 0s};
  CHECK(admit(rules, gathering(noon, 9), noon + 9500ms).not_before == noon + 10s);
}

TEST_CASE("a batch is ready when it is full, or when its time is over") {
  config::Reactivity rules;
  rules.batch = config::Batch{3, 1min};
  const auto first = admit(rules, quiet(), noon);
  CHECK(first.kind == Kind::gather);
  CHECK(first.not_before == noon + 1min);
  const auto second = admit(rules, gathering(noon, 1), noon + 1s);
  CHECK(second.kind == Kind::join);
  CHECK_FALSE(second.full);
  const auto third = admit(rules, gathering(noon, 2), noon + 2s);
  CHECK(third.full);
}

TEST_CASE("a throttle lets its count through and gathers the rest into the next window") {
  config::Reactivity rules;
  rules.throttle = config::Throttle{2, 1min};
  auto gate = quiet();
  const auto first = admit(rules, gate, noon);
  CHECK(first.kind == Kind::wake);
  CHECK(first.window_count == 1);
  gate.window_start = first.window_start;
  gate.window_count = first.window_count;
  const auto second = admit(rules, gate, noon + 1s);
  CHECK(second.kind == Kind::wake);
  gate.window_count = second.window_count;
  const auto third = admit(rules, gate, noon + 2s);
  CHECK(third.kind == Kind::gather);
  CHECK(third.not_before == noon + 1min);
  gate.window_count = third.window_count;
  const auto next_window = admit(rules, gate, noon + 61s);
  CHECK(next_window.kind == Kind::wake);
  CHECK(next_window.window_count == 1);
}

TEST_CASE("a cooldown is silence after acting, and says since when") {
  config::Reactivity rules;
  rules.cooldown = 5min;
  auto gate = quiet();
  CHECK(admit(rules, gate, noon).kind == Kind::wake);
  gate.last_acted = noon - 1min;
  const auto soon = admit(rules, gate, noon);
  CHECK(soon.kind == Kind::silence);
  CHECK(soon.verdict == "cooling_down");
  CHECK(soon.why.find("5m") != std::string::npos);
  gate.last_acted = noon - 5min;
  CHECK(admit(rules, gate, noon).kind == Kind::wake);
}

TEST_CASE("outside its hours an entity gathers until they open") {
  config::Reactivity rules;
  rules.active_hours = config::ActiveHours{{1, 2, 3, 4, 5}, 9 * 60, 17 * 60, "UTC"};
  CHECK(admit(rules, quiet(), noon).kind == Kind::wake);
  const auto evening = admit(rules, quiet(), at("2026-11-23T18:30:00Z"));
  CHECK(evening.kind == Kind::gather);
  CHECK(evening.not_before == at("2026-11-24T09:00:00Z"));
  const auto friday_night = admit(rules, quiet(), at("2026-11-27T22:00:00Z"));
  CHECK(friday_night.not_before == at("2026-11-30T09:00:00Z"));
}

TEST_CASE("hours may reach over midnight and belong to the day they begin on") {
  const config::ActiveHours nights{{1}, 22 * 60, 6 * 60, "UTC"};  // Monday night
  CHECK(next_opening(nights, at("2026-11-23T23:00:00Z")) == at("2026-11-23T23:00:00Z"));
  CHECK(next_opening(nights, at("2026-11-24T05:59:00Z")) == at("2026-11-24T05:59:00Z"));
  CHECK(next_opening(nights, at("2026-11-24T06:00:00Z")) == at("2026-11-30T22:00:00Z"));
}

TEST_CASE("hours follow their zone through a change of clocks") {
  const config::ActiveHours hours{{1, 2, 3, 4, 5, 6, 7}, 9 * 60, 17 * 60, "Europe/Berlin"};
  // Clocks go forward in the night to 29 March 2026: 9:00 is 8:00 UTC before and 7:00 UTC after.
  CHECK(next_opening(hours, at("2026-03-27T20:00:00Z")) == at("2026-03-28T08:00:00Z"));
  CHECK(next_opening(hours, at("2026-03-28T20:00:00Z")) == at("2026-03-29T07:00:00Z"));
}

TEST_CASE("a debounce does not pull a throttled wake out of its window") {
  config::Reactivity rules;
  rules.debounce = config::Debounce{10s, 30s};
  rules.throttle = config::Throttle{1, 1h};
  auto gate = gathering(noon + 1min, 1);
  gate.gathering_until = noon + 1h;
  gate.window_start = noon;
  gate.window_count = 2;  // the wake that gathers is the one too many
  const auto held = admit(rules, gate, noon + 2min);
  CHECK(held.kind == Kind::join);
  CHECK(held.not_before == noon + 1h);
  gate.window_count = 1;  // the wake that gathers is let through
  CHECK(admit(rules, gate, noon + 70s).not_before == noon + 80s);
  gate.window_count = 2;
  CHECK(admit(rules, gate, noon + 1h).not_before == noon + 1h);
}

TEST_CASE("a full batch waits for the end of the throttle's window") {
  config::Reactivity rules;
  rules.batch = config::Batch{2, 1min};
  rules.throttle = config::Throttle{1, 1h};
  auto gate = gathering(noon + 1min, 1);
  gate.gathering_until = noon + 1h;
  gate.window_start = noon;
  gate.window_count = 2;
  const auto full = admit(rules, gate, noon + 2min);
  CHECK(full.full);
  CHECK(full.not_before == noon + 1h);
  gate.window_count = 1;
  CHECK(admit(rules, gate, noon + 2min).not_before == noon + 2min);
}

TEST_CASE("a wake that is full of events or of bytes is followed by another one") {
  config::Reactivity rules;
  rules.throttle = config::Throttle{1, 1h};
  rules.cooldown = 1h;
  auto gate = gathering(noon + 1min, wake_events_max - 1);
  gate.last_acted = noon;
  gate.gathering_until = noon + 1h;
  gate.window_start = noon;
  gate.window_count = 2;
  CHECK(admit(rules, gate, noon + 2min).kind == Kind::join);
  gate.gathering_events = wake_events_max;
  const auto next = admit(rules, gate, noon + 2min);
  CHECK(next.kind == Kind::gather);  // a cooldown does not lose what would have joined
  CHECK(next.follows);
  CHECK(next.not_before == noon + 1h);
  gate.gathering_events = 1;
  gate.gathering_bytes = wake_bytes_max - 10;
  gate.arriving_bytes = 10;
  CHECK(admit(rules, gate, noon + 2min).kind == Kind::join);
  gate.arriving_bytes = 11;
  CHECK(admit(rules, gate, noon + 2min).follows);
}

TEST_CASE("a batch is as large as it was configured") {
  config::Reactivity rules;
  rules.batch = config::Batch{5'000, 1min};
  auto gate = gathering(noon, 4'998);
  gate.gathering_until = noon + 1min;
  CHECK_FALSE(admit(rules, gate, noon + 1s).full);
  gate.gathering_events = 4'999;
  CHECK(admit(rules, gate, noon + 1s).full);
}
