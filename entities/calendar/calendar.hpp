#pragma once
// What an iCalendar file (RFC 5545) says, and when its events occur. read_calendar goes through
// libical and so belongs into a contained child; the rest is pure.
#include <cctz/civil_time.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"
#include "core/time.hpp"
#include "entities/calendar/rule.hpp"
#include "entities/calendar/zone.hpp"

namespace vigil::entities::calendar {

// A moment at a wall clock. A day alone is its first second.
struct Moment {
  cctz::civil_second at;
  const Zone* zone = nullptr;  // of the calendar it stands in
  bool date = false;
  TimePoint instant() const { return zone->instant(at); }
};

// P1DT2H: days go by the calendar, the rest by the clock (RFC 5545, 3.3.6).
struct Span {
  int days = 0;
  std::int64_t seconds = 0;
};
std::optional<Span> read_span(std::string_view text);

struct Person {
  std::string address;
  std::string name;
  std::string state;  // accepted, declined, tentative, needs-action
};

struct Addition {  // of RDATE
  Moment start;
  std::optional<Span> lasts;
};

// One VEVENT: an event, or what is different in one of its occurrences (`replaces`).
struct Part {
  std::string uid;
  std::optional<Moment> replaces;  // RECURRENCE-ID
  bool and_future = false;         // RANGE=THISANDFUTURE
  std::int64_t sequence = 0;
  std::string changed;  // LAST-MODIFIED, else DTSTAMP
  Moment start;
  Span lasts;
  std::vector<Rule> rules;
  std::vector<Addition> additions;
  std::vector<Moment> omitted;  // EXDATE
  std::string summary, location, description, url, status;
  Person organiser;
  std::vector<Person> attendees;
};

struct Calendar {
  std::string name;
  std::vector<Part> parts;
  std::vector<std::string> troubles;  // what could not be read
  const Zone* zone = nullptr;         // of times without one
  // Zones by the name the calendar uses.
  std::map<std::string, std::unique_ptr<Zone>> zones;
};

constexpr std::size_t calendar_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t parts_max = 100'000;

// `floating` is the zone of times that have none, unless the calendar says X-WR-TIMEZONE. Fails
// when the text is no calendar; an event that cannot be read is a trouble, no failure.
Result<Calendar> read_calendar(std::string_view text, const Zone& floating);

struct Occurrence {
  const Part* part = nullptr;
  Moment start;
  TimePoint begins;
  TimePoint ends;
  // Which of its event: the original start, in UTC or as a day; empty for what does not recur.
  std::string id;
};
struct Found {
  std::vector<Occurrence> occurrences;  // in the order of their begin
  bool cut = false;                     // a bound was reached: there are more
};

// Half open. Either two wall-clock times, compared in each event's own zone, or two instants.
struct Window {
  cctz::civil_second from, to;
  bool by_instant = false;
  TimePoint from_at{}, to_at{};
  static Window of_days(cctz::civil_second from, cctz::civil_second to);
  static Window of_instants(TimePoint from, TimePoint to);
};
constexpr std::size_t occurrences_max = 10'000;
// Those that touch the window, cancelled ones left out.
Found occurrences(const Calendar& calendar, const Window& window,
                  std::size_t most = occurrences_max);

json::object to_json(const Occurrence& occurrence);

}  // namespace vigil::entities::calendar
