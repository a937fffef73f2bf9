// When schedules fire: clock changes, identities, jitter, missed firings, overlap.
#include "daemon/ingress/schedule.hpp"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace vigil;
using namespace vigil::ingress;
using namespace std::chrono_literals;

namespace {

TimePoint at(std::string_view text) { return parse_rfc3339(text).value(); }

Timetable cron(std::string text, std::string tz = "UTC") {
  config::Schedule schedule;
  schedule.cron = std::move(text);
  schedule.tz = std::move(tz);
  return Timetable::compile("test", schedule).value();
}

Timetable every(Duration period) {
  config::Schedule schedule;
  schedule.every = period;
  return Timetable::compile("test", schedule).value();
}

// The next `count` firings as local times with offset, the way people check them.
std::vector<std::string> next_local(const Timetable& table, std::string_view after, int count,
                                    const std::string& tz) {
  cctz::time_zone zone;
  REQUIRE(cctz::load_time_zone(tz, &zone));
  std::vector<std::string> out;
  auto from = at(after);
  for (int i = 0; i < count; ++i) {
    const auto found = table.next(from);
    if (!found) break;
    const auto second = std::chrono::floor<std::chrono::seconds>(*found);
    out.push_back(
        cctz::format("%m-%d %H:%M%Ez", std::chrono::system_clock::time_point(second), zone));
    from = *found;
  }
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a time of the day that does not exist fires at the next instant that does, once") {
  const auto berlin = cron("30 2 * * *", "Europe/Berlin");
  CHECK(next_local(berlin, "2026-03-27T12:00:00Z", 3, "Europe/Berlin") ==
        Texts{"03-28 02:30+01:00", "03-29 03:00+02:00", "03-30 02:30+02:00"});
  const auto york = cron("30 2 * * *", "America/New_York");
  CHECK(next_local(york, "2026-03-07T12:00:00Z", 2, "America/New_York") ==
        Texts{"03-08 03:00-04:00", "03-09 02:30-04:00"});
  // Lord Howe moves by half an hour: 02:00 to 02:30.
  const auto howe = cron("15 2 * * *", "Australia/Lord_Howe");
  CHECK(next_local(howe, "2026-10-02T12:00:00Z", 3, "Australia/Lord_Howe") ==
        Texts{"10-03 02:15+10:30", "10-04 02:30+11:00", "10-05 02:15+11:00"});
  // Several that fall into the gap are one; one right behind it is its own and the same moment.
  const auto many = cron("0,20,40 2,3 * * *", "Europe/Berlin");
  CHECK(next_local(many, "2026-03-29T00:30:00Z", 3, "Europe/Berlin") ==
        Texts{"03-29 03:00+02:00", "03-29 03:20+02:00", "03-29 03:40+02:00"});
}

TEST_CASE("a time of the day that occurs twice fires the first time alone") {
  const auto berlin = cron("30 2 * * *", "Europe/Berlin");
  CHECK(next_local(berlin, "2026-10-24T12:00:00Z", 2, "Europe/Berlin") ==
        Texts{"10-25 02:30+02:00", "10-26 02:30+01:00"});
  // Also when asked in the middle of the second pass.
  CHECK(next_local(berlin, "2026-10-25T01:10:00Z", 1, "Europe/Berlin") ==
        Texts{"10-26 02:30+01:00"});
  const auto york = cron("15,45 1 * * *", "America/New_York");
  CHECK(next_local(york, "2026-10-31T12:00:00Z", 3, "America/New_York") ==
        Texts{"11-01 01:15-04:00", "11-01 01:45-04:00", "11-02 01:15-05:00"});
  const auto howe = cron("45 1 * * *", "Australia/Lord_Howe");
  CHECK(next_local(howe, "2026-04-03T20:00:00Z", 2, "Australia/Lord_Howe") ==
        Texts{"04-05 01:45+11:00", "04-06 01:45+10:30"});
}

TEST_CASE("with every hour allowed real time counts: left out in the gap, both of a pair") {
  const auto hourly = cron("30 * * * *", "Europe/Berlin");
  CHECK(next_local(hourly, "2026-03-29T00:00:00Z", 3, "Europe/Berlin") ==
        Texts{"03-29 01:30+01:00", "03-29 03:30+02:00", "03-29 04:30+02:00"});
  CHECK(next_local(hourly, "2026-10-25T00:00:00Z", 3, "Europe/Berlin") ==
        Texts{"10-25 02:30+02:00", "10-25 02:30+01:00", "10-25 03:30+01:00"});
  const auto often = cron("*/15 * * * *", "Australia/Lord_Howe");
  CHECK(next_local(often, "2026-04-04T14:30:00Z", 5, "Australia/Lord_Howe") ==
        Texts{"04-05 01:45+11:00", "04-05 01:30+10:30", "04-05 01:45+10:30", "04-05 02:00+10:30",
              "04-05 02:15+10:30"});
  CHECK(next_local(often, "2026-10-03T15:15:00Z", 3, "Australia/Lord_Howe") ==
        Texts{"10-04 02:30+11:00", "10-04 02:45+11:00", "10-04 03:00+11:00"});
}

TEST_CASE("midnight that does not exist, a day that does not exist") {
  // Cairo 2026: the clocks go from 24 April 00:00 to 01:00.
  const auto cairo = cron("0 0 * * *", "Africa/Cairo");
  CHECK(next_local(cairo, "2026-04-23T12:00:00Z", 2, "Africa/Cairo") ==
        Texts{"04-24 01:00+03:00", "04-25 00:00+03:00"});
  // Samoa had no 30 December 2011.
  const auto apia = cron("0 12 * * *", "Pacific/Apia");
  CHECK(next_local(apia, "2011-12-29T00:00:00Z", 3, "Pacific/Apia") ==
        Texts{"12-29 12:00-10:00", "12-31 00:00+14:00", "12-31 12:00+14:00"});
  CHECK(next_local(cron("0 */6 30 * *", "Pacific/Apia"), "2011-12-05T00:00:00Z", 1,
                   "Pacific/Apia") == Texts{"01-30 00:00+14:00"});
}

TEST_CASE("rare days are found, and summer time goes on after 2037") {
  CHECK(cron("0 0 29 2 *").next(at("2097-01-01T00:00:00Z")) == at("2104-02-29T00:00:00Z"));
  CHECK(cron("0 0 29 2 */7").next(at("2072-02-28T12:00:00Z")) == at("2088-02-29T00:00:00Z"));
  CHECK(cron("0 12 1 7 *", "Europe/Berlin").next(at("2044-08-01T00:00:00Z")) ==
        at("2045-07-01T10:00:00Z"));
  CHECK(cron("0 0 31 * *").next(at("2026-01-31T00:00:00Z")) == at("2026-03-31T00:00:00Z"));
  CHECK_FALSE(cron("0 0 * * *").next(TimePoint::max()).has_value());
  CHECK(cron("0 0 * * *").next(TimePoint::min()) == at("1970-01-01T00:00:00Z"));
}

TEST_CASE("every is anchored at the epoch, at fires once") {
  const auto quarter = every(15min);
  CHECK(quarter.next(at("2026-11-23T10:07:12.5Z")) == at("2026-11-23T10:15:00Z"));
  CHECK(quarter.next(at("2026-11-23T10:15:00Z")) == at("2026-11-23T10:30:00Z"));
  CHECK(quarter.next(at("2026-11-23T10:14:59.999Z")) == at("2026-11-23T10:15:00Z"));
  CHECK(every(7 * 24h).next(at("1970-01-01T00:00:00Z")) == at("1970-01-08T00:00:00Z"));
  config::Schedule single;
  single.at = at("2031-01-01T00:00:00+01:00");
  const auto once = Timetable::compile("new-year", single).value();
  CHECK(once.is_single());
  CHECK(once.next(at("2026-01-01T00:00:00Z")) == at("2030-12-31T23:00:00Z"));
  CHECK_FALSE(once.next(at("2030-12-31T23:00:00Z")).has_value());
}

TEST_CASE("what cannot fire is refused with the key it stands under") {
  const auto refusal = [](config::Schedule schedule) {
    const auto table = Timetable::compile("nightly", schedule);
    REQUIRE_FALSE(table.has_value());
    return table.error().message;
  };
  config::Schedule schedule;
  CHECK(refusal(schedule) == "source.nightly.cron: give exactly one of cron, every and at");
  schedule.cron = "0 0 30 2 *";
  CHECK(refusal(schedule).starts_with("source.nightly.cron: \"0 0 30 2 *\" never fires"));
  schedule.cron = "0 0 * * *";
  schedule.tz = "Mars/Base";
  CHECK(refusal(schedule).starts_with("source.nightly.tz: there is no time zone \"Mars/Base\""));
  schedule.every = 1h;
  CHECK(refusal(schedule).find("exactly one") != std::string::npos);
  schedule.cron.clear();
  schedule.jitter = 1h;
  CHECK(refusal(schedule) == "source.nightly.jitter: must be shorter than every");
  schedule.every = 10ms;
  schedule.jitter = 0s;
  CHECK(refusal(schedule) == "source.nightly.every: must be at least 1s");
}

TEST_CASE("the newest of a long span are found without walking all of it") {
  const auto minutely = cron("* * * * *");
  const auto found = minutely.newest(at("1990-01-01T00:00:00Z"), at("2026-11-23T10:00:30Z"), 3);
  REQUIRE(found.size() == 3);
  CHECK(found.front() == at("2026-11-23T09:58:00Z"));
  CHECK(found.back() == at("2026-11-23T10:00:00Z"));
  CHECK(minutely.newest(at("2026-11-23T10:00:00Z"), at("2026-11-23T10:00:00Z"), 3).empty());
  const auto yearly = cron("@yearly");
  CHECK(yearly.newest(at("1990-01-01T00:00:00Z"), at("2026-11-23T00:00:00Z"), 2).size() == 2);
  CHECK(yearly.newest(at("2026-01-01T00:00:00Z"), at("2026-11-23T00:00:00Z"), 2).empty());
}

TEST_CASE("jitter differs from firing to firing, stays within its bound and is always the same") {
  config::Schedule schedule;
  schedule.every = 1h;
  schedule.jitter = 10min;
  const auto table = Timetable::compile("poll", schedule).value();
  const auto other = Timetable::compile("other", schedule).value();
  std::set<Duration> seen;
  int same_as_other = 0;
  for (int i = 0; i < 200; ++i) {
    const TimePoint nominal = at("2026-11-23T00:00:00Z") + i * 1h;
    const auto late = table.fires_at(nominal) - nominal;
    CHECK(late >= Duration{0});
    CHECK(late < 10min);
    CHECK(late == Timetable::compile("poll", schedule)->fires_at(nominal) - nominal);
    if (late == other.fires_at(nominal) - nominal) ++same_as_other;
    seen.insert(late);
  }
  CHECK(seen.size() > 190);
  CHECK(same_as_other < 5);
  CHECK(every(1h).fires_at(at("2026-11-23T00:00:00Z")) == at("2026-11-23T00:00:00Z"));
}

TEST_CASE("the form changes with the times and with nothing else") {
  config::Schedule schedule;
  schedule.cron = "0 0 * * *";
  const auto form = [&] { return Timetable::compile("x", schedule)->form(); };
  const auto before = form();
  schedule.jitter = 5min;
  schedule.subject = "else";
  schedule.misfire = config::Misfire::skip;
  CHECK(form() == before);
  schedule.tz = "Europe/Berlin";
  CHECK(form() != before);
}

TEST_CASE("misfire rules after a week away") {
  config::Schedule rules;
  rules.cron = "0 6 * * *";
  const auto handled = at("2026-11-16T06:00:00Z");
  const auto now = at("2026-11-23T10:00:00Z");  // seven were missed
  const auto due = [&] {
    return due_firings(Timetable::compile("daily", rules).value(), rules, handled, now);
  };
  SUBCASE("skip drops all of them") {
    rules.misfire = config::Misfire::skip;
    const auto out = due();
    CHECK(out.fire.empty());
    CHECK(out.dropped == 7);
    CHECK(out.seen == at("2026-11-23T06:00:00Z"));
  }
  SUBCASE("run_once fires the newest and says how many it makes up for") {
    const auto out = due();
    REQUIRE(out.fire.size() == 1);
    CHECK(out.fire[0].nominal == at("2026-11-23T06:00:00Z"));
    CHECK(out.fire[0].missed == 6);
    CHECK(out.fire[0].kind == Firing::Kind::made_up);
    CHECK(out.seen == at("2026-11-23T06:00:00Z"));
  }
  SUBCASE("run_all fires each, oldest first") {
    rules.misfire = config::Misfire::run_all;
    const auto out = due();
    REQUIRE(out.fire.size() == 7);
    CHECK(out.fire.front().nominal == at("2026-11-17T06:00:00Z"));
    CHECK(out.fire.back().nominal == at("2026-11-23T06:00:00Z"));
    CHECK(out.dropped == 0);
  }
  SUBCASE("one within the grace is no misfire and makes up for the late ones") {
    rules.cron = "0 6,10 * * *";
    rules.misfire_grace = 1min;
    auto out = due();
    REQUIRE(out.fire.size() == 1);
    CHECK(out.fire[0].kind == Firing::Kind::regular);
    CHECK(out.fire[0].nominal == now);
    CHECK(out.fire[0].missed == 14);
    rules.misfire = config::Misfire::skip;
    out = due();
    REQUIRE(out.fire.size() == 1);
    CHECK(out.fire[0].missed == 0);
  }
  SUBCASE("run_all gives up the oldest beyond its bound") {
    rules.cron = "* * * * *";
    rules.misfire = config::Misfire::run_all;
    const auto out = due();
    CHECK(out.fire.size() == missed_max);
    CHECK(out.dropped > 0);
    CHECK(out.fire.back().nominal == now);
  }
}

TEST_CASE("nothing is due before its moment with jitter, and then it is in time") {
  config::Schedule rules;
  rules.every = 1h;
  rules.jitter = 30min;
  const auto table = Timetable::compile("poll", rules).value();
  const auto nominal = at("2026-11-23T10:00:00Z");
  const auto moment = table.fires_at(nominal);
  REQUIRE(moment > nominal);
  CHECK(due_firings(table, rules, nominal - 1us, moment - 1us).fire.empty());
  CHECK(due_firings(table, rules, nominal - 1us, moment - 1us).seen == nominal - 1us);
  const auto out = due_firings(table, rules, nominal - 1us, moment);
  REQUIRE(out.fire.size() == 1);
  CHECK(out.fire[0].kind == Firing::Kind::regular);
}

TEST_CASE("one held back by the jitter of the one before is not a misfire") {
  config::Schedule rules;
  rules.cron = "* * * * *";
  rules.jitter = 2h;
  rules.misfire = config::Misfire::skip;
  const auto table = Timetable::compile("wild", rules).value();
  auto handled = at("2026-11-23T10:00:00Z");
  int fired = 0;
  for (auto now = handled; now < handled + 6h && fired < 60;) {
    const auto next = table.next(handled);
    now = std::max(now, table.fires_at(*next));
    const auto out = due_firings(table, rules, handled, now);
    CHECK(out.dropped == 0);
    fired += static_cast<int>(out.fire.size());
    handled = out.seen;
  }
  CHECK(fired >= 60);
}

TEST_CASE("overlap rules, while the last firing is still at work") {
  using config::Overlap;
  constexpr auto regular = Firing::Kind::regular;
  constexpr auto made_up = Firing::Kind::made_up;
  CHECK(on_overlap(Overlap::skip, regular, 0) == Verdict::drop);
  CHECK(on_overlap(Overlap::skip, made_up, 3) == Verdict::wait);
  CHECK(on_overlap(Overlap::buffer_one, regular, 0) == Verdict::wait);
  CHECK(on_overlap(Overlap::buffer_one, regular, 1) == Verdict::drop);
  CHECK(on_overlap(Overlap::buffer_one, made_up, 1) == Verdict::wait);
  CHECK(on_overlap(Overlap::buffer_all, regular, 10) == Verdict::wait);
  CHECK(on_overlap(Overlap::buffer_all, regular, missed_max) == Verdict::drop);
  CHECK(on_overlap(Overlap::cancel_other, regular, 0) == Verdict::cancel_and_fire);
  CHECK(on_overlap(Overlap::allow_all, regular, 0) == Verdict::fire);
}
