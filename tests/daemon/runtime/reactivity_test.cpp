#include "daemon/runtime/reactivity.hpp"

#include <doctest/doctest.h>

#include "core/time.hpp"

using namespace vigil;
using namespace vigil::runtime;
using namespace std::chrono_literals;

namespace {

TimePoint at(const char* text) { return parse_rfc3339(text).value(); }
const TimePoint noon = at("2026-11-23T12:00:00Z");  // a Monday

CaseGate quiet() { return CaseGate{.last_acted = {}, .window_start = {}, .gathering_since = {}}; }

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
