// Occurrences of real calendars: every question of the recurring set, zones, and hostile files.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "entities/calendar/analysers.hpp"
#include "entities/calendar/calendar.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::calendar;
namespace fs = std::filesystem;
using cctz::civil_second;

namespace {

const fs::path shared = fs::path(source_dir()) / "../shared/data/calendar";

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> split(const std::string& line, char at) {
  std::vector<std::string> out{""};
  for (const char c : line) {
    if (c == at) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

std::string local(const Occurrence& one) {
  return std::string(find_text(json::value(to_json(one)), "local").value_or(""));
}

std::size_t count_in(const Calendar& calendar, const std::string& from, const std::string& to) {
  const auto window = Window::of_days(read_period(from)->from, read_period(to)->from);
  return occurrences(calendar, window).occurrences.size();
}

Found at(const Calendar& calendar, const std::string& text) {
  const auto period = *read_period(text);
  return occurrences(calendar, Window::of_days(period.from, period.to));
}

Found all_of(const Calendar& calendar) {
  return occurrences(calendar, Window::of_days(civil_second(1, 1, 1), civil_second(9'000, 1, 1)));
}

std::string wrap(const std::string& events) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + events + "END:VCALENDAR\r\n";
}

Calendar read(const std::string& events, const std::string& zone = "UTC") {
  auto calendar = read_calendar(wrap(events), *Zone::find(zone));
  REQUIRE_MESSAGE(calendar.has_value(), events);
  return std::move(*calendar);
}

void answer(const Calendar& calendar, const std::vector<std::string>& row) {
  const auto& question = row[1];
  const auto words = split(row[2], ' ');
  if (question == "all") {
    CHECK(fmt::format("{}", all_of(calendar).occurrences.size()) == row[3]);
  } else if (question == "at") {
    CHECK(fmt::format("{}", at(calendar, row[2]).occurrences.size()) == row[3]);
  } else if (question == "between") {
    CHECK(fmt::format("{}", count_in(calendar, words[0], words[1])) == row[3]);
  } else if (question == "at-first" || question == "first") {
    const auto found = question == "first" ? all_of(calendar) : at(calendar, row[2]);
    REQUIRE_FALSE(found.occurrences.empty());
    CHECK(local(found.occurrences.front()).substr(0, 16) == row[3].substr(0, 16));
  } else if (question == "contains-start") {
    const auto found = at(calendar, row[2]);
    const auto begins = std::ranges::any_of(found.occurrences, [&](const Occurrence& one) {
      return one.start.at >= read_period(row[2])->from;
    });
    CHECK(begins == (row[3] == "1"));
  } else if (question == "at-instant") {
    auto name = words.size() > 1 ? words[1] : "UTC";
    const auto zone = name.starts_with('(') ? *calendar.zone : *Zone::find(name);
    const auto instant = zone.instant(read_period(words[0])->from);
    const auto window = Window::of_instants(instant, instant + std::chrono::seconds(1));
    CHECK(fmt::format("{}", occurrences(calendar, window).occurrences.size()) == row[3]);
  } else {
    FAIL("an unknown question: ", question);
  }
}

}  // namespace

TEST_CASE("every question about the recurring calendars is answered as their tests do") {
  std::ifstream file(shared / "recurring/expected.tsv");
  if (!file) {
    MESSAGE("skipped: the shared data are not here");
    return;
  }
  std::string line;
  std::getline(file, line);
  int questions = 0;
  while (std::getline(file, line)) {
    const auto row = split(line, '\t');
    if (row.size() < 4 || row[0].empty()) continue;
    CAPTURE(line);
    const auto calendar = read_calendar(bytes_of(shared / "recurring" / row[0]), Zone::utc());
    REQUIRE(calendar.has_value());
    answer(*calendar, row);
    ++questions;
  }
  CHECK(questions == 69);
}

TEST_CASE("what the notes beside the questions say holds, too") {
  if (!fs::exists(shared)) {
    MESSAGE("skipped: the shared data are not here");
    return;
  }
  const auto file = [](const char* name) {
    return *read_calendar(bytes_of(shared / "recurring" / name), Zone::utc());
  };
  const auto swapped = file("end_before_start_event.ics");
  const auto one = all_of(swapped).occurrences.at(0);
  CHECK(local(one) == "2019-03-04T08:00:00");
  CHECK(one.ends - one.begins == std::chrono::minutes(30));
  const auto edited = file("issue_148_ignored_exdate.ics");
  const auto both = all_of(edited).occurrences;
  REQUIRE(both.size() == 2);
  CHECK(both[0].part->summary == "test123 - edited");
  CHECK(local(both[1]) == "2024-07-29");
  const auto period = file("issue_113_period_rdate_duration.ics");
  const auto lasting = at(period, "20240913").occurrences.at(0);
  CHECK(lasting.ends - lasting.begins == std::chrono::hours(2));
  const auto summer = file("daylight_saving_time.ics");
  const auto before = at(summer, "20190320").occurrences.at(0);
  const auto after = at(summer, "20190424").occurrences.at(0);
  CHECK(to_rfc3339(before.begins).substr(0, 16) == "2019-03-20T18:00");
  CHECK(to_rfc3339(after.begins).substr(0, 16) == "2019-04-24T17:00");
}

TEST_CASE("every calendar file is read, and cut short anywhere, without a crash") {
  if (!fs::exists(shared)) {
    MESSAGE("skipped: the shared data are not here");
    return;
  }
  int files = 0;
  for (const auto* folder : {"libical", "recurring"}) {
    for (const auto& entry : fs::directory_iterator(shared / folder)) {
      if (entry.path().extension() == ".tsv") continue;
      const auto whole = bytes_of(entry.path());
      ++files;
      for (std::size_t part = 1; part <= 4; ++part) {
        const auto calendar = read_calendar(whole.substr(0, whole.size() * part / 4), Zone::utc());
        if (calendar) (void)all_of(*calendar);
      }
      auto damaged = whole;
      for (std::size_t at = 7; at < damaged.size(); at += 97) damaged[at] = static_cast<char>(at);
      const auto calendar = read_calendar(damaged, Zone::utc());
      if (calendar) (void)all_of(*calendar);
    }
  }
  CHECK(files >= 48);
}

TEST_CASE("all of the wall clock: changes of the offset, times that are not there or twice") {
  const auto calendar = read(
      "BEGIN:VEVENT\r\nUID:a\r\nDTSTART;TZID=W. Europe Standard Time:20240330T023000\r\n"
      "DTEND;TZID=W. Europe Standard Time:20240330T033000\r\nRRULE:FREQ=DAILY;COUNT=3\r\n"
      "END:VEVENT\r\n");
  const auto found = all_of(calendar).occurrences;
  REQUIRE(found.size() == 3);
  CHECK(to_rfc3339(found[0].begins) == "2024-03-30T01:30:00.000Z");
  CHECK(to_rfc3339(found[1].begins) == "2024-03-31T01:30:00.000Z");  // 02:30 is skipped: 03:30
  CHECK(to_rfc3339(found[2].begins) == "2024-04-01T00:30:00.000Z");
  const auto zone = *Zone::find("Europe/Berlin");
  CHECK(to_rfc3339(zone.instant(civil_second(2024, 10, 27, 2, 30, 0))) ==
        "2024-10-27T00:30:00.000Z");
}

TEST_CASE("zones are found by the names programs use") {
  CHECK(Zone::find("/freeassociation.sourceforge.net/Europe/Berlin")->name() == "Europe/Berlin");
  CHECK(Zone::find("/citadel.org/20190914_1/America/Argentina/Ushuaia")->name() ==
        "America/Argentina/Ushuaia");
  CHECK(Zone::find("Eastern Standard Time")->name() == "America/New_York");
  CHECK_FALSE(Zone::find("../../etc/passwd").has_value());
  CHECK_FALSE(Zone::find("/etc/localtime").has_value());
  CHECK_FALSE(Zone::find("localtime").has_value());
  for (const auto& [windows, iana] : windows_zones()) {
    CAPTURE(windows);
    CHECK(Zone::find(windows)->name() == iana);
  }
  CHECK(std::ranges::is_sorted(windows_zones(), {}, &WindowsZone::windows));
}

TEST_CASE("a VTIMEZONE of an unknown name speaks for itself") {
  const std::string own =
      "BEGIN:VTIMEZONE\r\nTZID:Our Office\r\n"
      "BEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"
      "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\n"
      "BEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
      "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n";
  const auto calendar = read(own +
                             "BEGIN:VEVENT\r\nUID:a\r\nDTSTART;TZID=Our Office:20240330T023000\r\n"
                             "RRULE:FREQ=WEEKLY;COUNT=40\r\nEND:VEVENT\r\n");
  const auto berlin = *Zone::find("Europe/Berlin");
  const auto& zone = *calendar.zones.at("Our Office");
  for (const auto& one : all_of(calendar).occurrences) {
    CHECK(one.begins == berlin.instant(one.start.at));
    CHECK(zone.civil(one.begins) == berlin.civil(one.begins));
  }
  for (int hour = 0; hour < 24 * 366; ++hour) {
    const auto at = civil_second(2024, 1, 1) + hour * 3'600;
    REQUIRE(zone.instant(at) == berlin.instant(at));
    REQUIRE(zone.civil(berlin.instant(at)) == berlin.civil(berlin.instant(at)));
  }
}

TEST_CASE("one occurrence is moved, one cancelled, and from one on all are later") {
  const std::string start = "BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:plain\r\n";
  const std::string rule = "RRULE:FREQ=WEEKLY;COUNT=6\r\n";
  const auto calendar = read(
      start + "DTSTART:20240101T090000Z\r\nDTEND:20240101T100000Z\r\n" + rule + "END:VEVENT\r\n" +
      start + "RECURRENCE-ID:20240108T090000Z\r\nDTSTART:20240109T110000Z\r\n" +
      "DTEND:20240109T120000Z\r\nSEQUENCE:1\r\nEND:VEVENT\r\n" + start +
      "RECURRENCE-ID:20240115T090000Z\r\nDTSTART:20240115T090000Z\r\nSTATUS:CANCELLED\r\n" +
      "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:later\r\n"
      "RECURRENCE-ID;RANGE=THISANDFUTURE:20240129T090000Z\r\nDTSTART:20240129T133000Z\r\n"
      "DTEND:20240129T140000Z\r\nEND:VEVENT\r\n");
  std::string text;
  for (const auto& one : all_of(calendar).occurrences) {
    text +=
        fmt::format("{} {} {}m {}\n", one.id, to_rfc3339(one.begins).substr(5, 11),
                    std::chrono::duration_cast<std::chrono::minutes>(one.ends - one.begins).count(),
                    one.part->summary);
  }
  CHECK(text ==
        "20240101T090000Z 01-01T09:00 60m plain\n"
        "20240108T090000Z 01-09T11:00 60m plain\n"
        "20240122T090000Z 01-22T09:00 60m plain\n"
        "20240129T090000Z 01-29T13:30 30m later\n"
        "20240205T090000Z 02-05T13:30 30m later\n");
}

TEST_CASE("a malicious calendar is cut, not followed") {
  std::string events;
  for (int i = 0; i < 20; ++i) {
    events += fmt::format(
        "BEGIN:VEVENT\r\nUID:{}\r\nDTSTART:19000101T000000Z\r\nRRULE:FREQ=SECONDLY\r\n"
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\nDURATION:P99999999W\r\nEND:VEVENT\r\n",
        i);
  }
  const auto calendar = read(events);
  const auto found = all_of(calendar);
  CHECK(found.cut);
  CHECK(found.occurrences.size() <= occurrences_max);
  CHECK_FALSE(read_calendar("BEGIN:VCARD\r\nEND:VCARD\r\n", Zone::utc()).has_value());
  CHECK_FALSE(read_calendar("", Zone::utc()).has_value());
}
