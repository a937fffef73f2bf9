// What follows from two looks at a calendar, without a calendar.
#include "daemon/ingress/calendar_course.hpp"

#include <doctest/doctest.h>

#include <boost/json/object.hpp>

using namespace vigil;
using namespace vigil::ingress;
using namespace std::chrono_literals;

namespace {

const auto noon = parse_rfc3339("2026-12-01T12:00:00Z").value();

void put(Occurrences& to, const std::string& key, TimePoint begins, const std::string& summary,
         bool all_day = false) {
  auto one = occurrence_of(json::object{{"key", key},
                                        {"summary", summary},
                                        {"begins", to_rfc3339(begins)},
                                        {"ends", to_rfc3339(begins + 1h)},
                                        {"all_day", all_day}});
  REQUIRE(one.has_value());
  to[key] = *one;
}

std::string told(const std::vector<Told>& all) {
  std::string out;
  for (const auto& one : all) {
    out += std::string(find_text(one.payload, "change").value_or("soon")) + " " +
           one.event.subject + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("two looks are told as added, moved, changed and cancelled") {
  Occurrences before, after;
  put(before, "same", noon + 1h, "same");
  put(after, "same", noon + 1h, "same");
  put(before, "moved", noon + 1h, "moved");
  put(after, "moved", noon + 3h, "moved");
  put(before, "named", noon + 1h, "old name");
  put(after, "named", noon + 1h, "new name");
  put(before, "off", noon + 5h, "called off");
  put(before, "over", noon - 2h, "over");
  put(after, "new", noon + 7h, "new");
  put(after, "far", noon + 90h, "came into sight");
  const auto all = changes("diary", Taint::untrusted, before, after, noon + 72h, noon);
  CHECK(told(all) == "moved moved\nchanged new name\nadded new\ncancelled called off\n");
  CHECK(find_text(all[0].payload, "before.begins") == to_rfc3339(noon + 1h));
  CHECK(find_text(all[0].payload, "event.begins") == to_rfc3339(noon + 3h));
  CHECK(all[0].event.type == "calendar.changed");
  CHECK(changes("diary", Taint::untrusted, after, after, noon + 72h, noon).empty());
}

TEST_CASE("an occurrence is told once for each lead, and again when it was moved") {
  Occurrences all;
  put(all, "a", noon + 30min, "review");
  const std::vector<Duration> leads{1h, 10min};
  auto due = due_at("diary", Taint::untrusted, all, leads, {}, noon);
  REQUIRE(due.told.size() == 1);
  CHECK(find_text(due.told[0].payload, "lead") == "1h");
  CHECK(find_integer(due.told[0].payload, "minutes_left") == 30);
  CHECK(due.next == noon + 20min);
  auto done = due.done;
  CHECK(due_at("diary", Taint::untrusted, all, leads, done, noon + 19min).told.empty());
  // The clock is set back: nothing is told twice.
  CHECK(due_at("diary", Taint::untrusted, all, leads, done, noon - 20min).told.empty());
  due = due_at("diary", Taint::untrusted, all, leads, done, noon + 20min);
  REQUIRE(due.told.size() == 1);
  CHECK(find_text(due.told[0].payload, "lead") == "10m");
  CHECK_FALSE(due.next.has_value());
  for (const auto& [key, begins] : due.done) done[key] = begins;
  put(all, "a", noon + 90min, "review");
  due = due_at("diary", Taint::untrusted, all, leads, done, noon + 40min);
  REQUIRE(due.told.size() == 1);
  CHECK(find_bool(due.told[0].payload, "moved") == true);
  CHECK(find_text(due.told[0].payload, "lead") == "1h");
}

TEST_CASE("after a time away the shortest lead is told, and nothing of what has begun") {
  Occurrences all;
  put(all, "late", noon + 5min, "nearly there");
  put(all, "begun", noon - 2min, "begun");
  const auto due = due_at("diary", Taint::untrusted, all, {24h, 1h, 15min}, {}, noon);
  REQUIRE(due.told.size() == 1);
  CHECK(due.told[0].event.subject == "nearly there");
  CHECK(find_text(due.told[0].payload, "lead") == "15m");
  CHECK(due.done.size() == 3);
  // A lead of nothing is told at the begin.
  const auto now = due_at("diary", Taint::untrusted, all, {Duration{0}}, {}, noon + 5min);
  REQUIRE(now.told.size() == 1);
  CHECK(find_integer(now.told[0].payload, "minutes_left") == 0);
}

TEST_CASE("a whole day is told by the hour, not by the minute") {
  Occurrences all;
  put(all, "day", noon + 12h, "holiday", true);
  const auto due = due_at("diary", Taint::untrusted, all, {24h, 15min}, {}, noon);
  REQUIRE(due.told.size() == 1);
  CHECK(find_text(due.told[0].payload, "lead") == "1d");
  CHECK_FALSE(due.next.has_value());
}

TEST_CASE("leads are sorted and told once, and what an analyser said is read") {
  config::Calendar settings;
  settings.soon = {"10m", "1h", "10m"};
  CHECK(leads_of(settings) == std::vector<Duration>{1h, 10min});
  CHECK_FALSE(looked_of(json::value("nothing")).has_value());
  CHECK_FALSE(occurrence_of(json::object{{"begins", "soon"}}).has_value());
}
