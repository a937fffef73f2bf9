// The search for the next firing against answers found in other ways: trying every minute, and the
// recurrence rules of a calendar library.
#include <cctz/civil_time.h>
#include <cctz/time_zone.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <bitset>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "core/task_group.hpp"
#include "daemon/ingress/cron.hpp"
#include "daemon/ingress/schedule.hpp"
#include "swarm/child.hpp"
#include "tests/support/places.hpp"

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

}  // namespace

namespace {

// The answer by trying every minute, to compare the search with.
std::optional<TimePoint> tried(const Cron& fields, const cctz::time_zone& zone, TimePoint after,
                               Duration span) {
  const auto local_at = [&](TimePoint when) {
    return cctz::convert(
        std::chrono::system_clock::time_point(std::chrono::floor<std::chrono::seconds>(when)),
        zone);
  };
  const auto fits = [&](cctz::civil_second local) {
    const cctz::civil_day day(local);
    const int weekday = (static_cast<int>(cctz::get_weekday(day)) + 1) % 7;
    return fields.minutes[local.minute()] && fields.hours[local.hour()] &&
           fields.fits_day(day.month(), day.day(), weekday);
  };
  auto minute = std::chrono::floor<std::chrono::minutes>(after) + 1min;
  for (; minute <= after + span; minute += 1min) {
    const auto local = local_at(minute);
    const auto expected = local_at(minute - 1min) + 60;
    if (fields.any_hour) {
      if (fits(local)) return minute;
      continue;
    }
    if (local < expected) continue;  // judged below, by its first occurrence
    for (auto gap = expected; gap < local; gap += 60) {
      if (fits(gap)) return minute;
    }
    const auto found = zone.lookup(local);
    const bool second_pass =
        found.kind == cctz::time_zone::civil_lookup::REPEATED &&
        std::chrono::floor<std::chrono::minutes>(found.pre) <
            std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::time_point(minute));
    if (!second_pass && fits(local)) return minute;
  }
  return std::nullopt;
}

std::string random_field(std::mt19937& random, int least, int most) {
  const auto pick = [&](int from, int to) {
    return std::uniform_int_distribution<int>(from, to)(random);
  };
  switch (pick(0, 5)) {
    case 0:
    case 1:
      return "*";
    case 2:
      return fmt::format("*/{}", pick(1, most));
    case 3: {
      const int from = pick(least, most);
      return fmt::format("{}-{}", from, pick(from, most));
    }
    case 4:
      return fmt::format("{},{}", pick(least, most), pick(least, most));
    default:
      return fmt::format("{}", pick(least, most));
  }
}

}  // namespace

TEST_CASE("the search agrees with trying every minute, around the clock changes of five zones") {
  constexpr unsigned seed = 20261123;
  MESSAGE("seed: ", seed);
  std::mt19937 random(seed);
  const std::vector<std::pair<std::string, std::string>> places{
      {"Europe/Berlin", "2026-03-28T20:00:00Z"},
      {"Europe/Berlin", "2026-10-24T20:00:00Z"},
      {"America/New_York", "2026-03-08T00:00:00Z"},
      {"America/New_York", "2026-11-01T00:00:00Z"},
      {"Australia/Lord_Howe", "2026-04-04T06:00:00Z"},
      {"Australia/Lord_Howe", "2026-10-03T06:00:00Z"},
      {"Africa/Cairo", "2026-04-23T12:00:00Z"},
      {"Africa/Cairo", "2026-10-29T12:00:00Z"},
      {"Asia/Kathmandu", "2026-02-27T12:00:00Z"}};
  int compared = 0;
  for (int i = 0; i < 400; ++i) {
    const auto text = fmt::format("{} {} {} {} {}", random_field(random, 0, 59),
                                  random_field(random, 0, 23), random_field(random, 1, 31),
                                  random_field(random, 1, 12), random_field(random, 0, 7));
    const auto fields = parse_cron(text);
    if (!fields) continue;  // 31 February
    const auto& [name, begin] = places[static_cast<std::size_t>(i) % places.size()];
    cctz::time_zone zone;
    REQUIRE(cctz::load_time_zone(name, &zone));
    const auto table = cron(text, name);
    auto from = at(begin);
    const auto until = from + 36h;
    for (int step = 0; step < 5 && from < until; ++step) {
      const auto expected = tried(*fields, zone, from, until - from);
      const auto found = table.next(from);
      ++compared;
      if (!expected) {
        CHECK_MESSAGE((!found || *found > until), text, " ", name);
        break;
      }
      REQUIRE_MESSAGE(found.has_value(), text, " ", name);
      REQUIRE_MESSAGE(*found == *expected, text, " ", name, " after ", to_rfc3339(from), ": ",
                      to_rfc3339(*found), " not ", to_rfc3339(*expected));
      from = *found;
    }
  }
  CHECK(compared > 300);
}

namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// The cron expression of a rule, when there is one: cron knows no intervals over days, no counting
// from the end, and its two day fields are alternatives.
std::optional<std::string> cron_of(const std::string& rule, const std::string& start) {
  std::map<std::string, std::string> parts;
  for (const auto& part : split(rule, ';')) {
    const auto equals = part.find('=');
    parts[part.substr(0, equals)] = part.substr(equals + 1);
  }
  for (const auto& [key, value] : parts) {
    const bool known = key == "FREQ" || key == "COUNT" || key == "UNTIL" || key == "WKST" ||
                       key == "BYMONTH" || key == "BYDAY" || key == "BYMONTHDAY" ||
                       key == "BYHOUR" || key == "BYMINUTE" || key == "INTERVAL";
    if (!known || (key == "INTERVAL" && value != "1")) return std::nullopt;
  }
  const auto freq = parts["FREQ"];
  const bool by_day = parts.contains("BYDAY");
  const bool by_month_day = parts.contains("BYMONTHDAY");
  if (freq != "DAILY" && freq != "WEEKLY" && freq != "MONTHLY" && freq != "YEARLY") {
    return std::nullopt;
  }
  if (by_day && by_month_day) return std::nullopt;
  static const std::map<std::string, std::string> weekdays{
      {"SU", "sun"}, {"MO", "mon"}, {"TU", "tue"}, {"WE", "wed"},
      {"TH", "thu"}, {"FR", "fri"}, {"SA", "sat"}};
  std::string weekday;
  for (const auto& day : by_day ? split(parts["BYDAY"], ',') : std::vector<std::string>{}) {
    if (!weekdays.contains(day)) return std::nullopt;  // 1FR, -1SU
    weekday += (weekday.empty() ? "" : ",") + weekdays.at(day);
  }
  const auto day = by_month_day ? parts["BYMONTHDAY"] : "*";
  const auto month = parts.contains("BYMONTH") ? parts["BYMONTH"] : "*";
  if (day.find('-') != std::string::npos) return std::nullopt;
  if (freq == "WEEKLY" && !by_day) return std::nullopt;
  if (freq == "MONTHLY" && !by_day && !by_month_day) return std::nullopt;
  if (freq == "YEARLY" && (month == "*" || (!by_day && !by_month_day))) return std::nullopt;
  const auto hour = parts.contains("BYHOUR") ? parts["BYHOUR"] : start.substr(9, 2);
  const auto minute = parts.contains("BYMINUTE") ? parts["BYMINUTE"] : start.substr(11, 2);
  return fmt::format("{} {} {} {} {}", minute, hour, day, month, weekday.empty() ? "*" : weekday);
}

TimePoint at_basic(const std::string& text) {  // 19970902T090000
  return at(fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2),
                        text.substr(6, 2), text.substr(9, 2), text.substr(11, 2),
                        text.substr(13, 2)));
}

}  // namespace

namespace {

template <std::size_t Size>
std::string listed(const std::bitset<Size>& set) {
  std::string out;
  for (std::size_t i = 0; i < Size; ++i) {
    if (set[i]) out += (out.empty() ? "" : ",") + std::to_string(i);
  }
  return out;
}

// The same as systemd's calendar events say it (systemd.time(7)).
std::string calendar_event(const Cron& fields) {
  constexpr std::array names{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  std::string weekdays;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (fields.weekdays[i]) weekdays += (weekdays.empty() ? "" : ",") + std::string(names[i]);
  }
  return fmt::format("{} *-{}-{} {}:{}:00 UTC", weekdays, listed(fields.months),
                     listed(fields.days), listed(fields.hours), listed(fields.minutes));
}

// What a program prints; empty when there is no such program.
std::string output_of(std::vector<std::string> argv) {
  boost::asio::io_context loop(1);
  swarm::ChildSpec spec;
  spec.argv = std::move(argv);
  spec.environment = {{"TZ", "UTC"}, {"LC_ALL", "C"}};
  spec.workdir = "/";
  spec.containment = swarm::Containment::none;
  auto child = swarm::Child::start(loop.get_executor(), spec);
  if (!child) return {};
  std::string out;
  TaskGroup group(loop.get_executor());
  group.spawn("child", [&]() -> boost::asio::awaitable<void> {
    while (true) {
      std::string some = co_await child->read_output();
      if (some.empty()) break;
      out += some;
    }
    const swarm::ChildExit ended = co_await child->wait();
    (void)ended;  // what it printed is compared
  });
  loop.run();
  return out;
}

}  // namespace

TEST_CASE("systemd finds the same next times for what both can say") {
  constexpr unsigned seed = 1124;
  MESSAGE("seed: ", seed);
  std::mt19937 random(seed);
  std::vector<std::string> expressions;
  std::vector<std::string> argv{"systemd-analyze", "calendar", "--iterations=5",
                                "--base-time=2027-11-13 20:29:00 UTC"};
  while (expressions.size() < 150) {
    const bool by_weekday = expressions.size() % 2 == 0;  // systemd knows no alternative days
    const auto text =
        fmt::format("{} {} {} {} {}", random_field(random, 0, 59), random_field(random, 0, 23),
                    by_weekday ? "*" : random_field(random, 1, 31), random_field(random, 1, 12),
                    by_weekday ? random_field(random, 0, 7) : "*");
    const auto fields = parse_cron(text);
    if (!fields) continue;
    expressions.push_back(text);
    argv.push_back(calendar_event(*fields));
  }
  const auto answer = output_of(std::move(argv));
  if (answer.empty()) {
    MESSAGE("skipped: systemd-analyze is needed");
    return;
  }
  std::size_t which = 0;
  std::size_t compared = 0;
  TimePoint from{};
  for (const auto& line : split(answer, '\n')) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const auto label = line.substr(0, colon);
    const bool is_first = label.ends_with("Next elapse");
    if (!is_first && label.find("Iter") == std::string::npos) continue;
    if (is_first) {
      from = at("2027-11-13T20:29:00Z");
      ++which;
    }
    const auto words = split(line.substr(colon + 2), ' ');  // Sun 2027-11-14 00:56:00 UTC
    REQUIRE(words.size() == 4);
    const auto& text = expressions.at(which - 1);
    const auto found = cron(text).next(from);
    REQUIRE_MESSAGE(found.has_value(), text);
    REQUIRE_MESSAGE(*found == at(words[1] + "T" + words[2] + "Z"), text, " after ",
                    to_rfc3339(from), ": ", to_rfc3339(*found), " not ", line);
    from = *found;
    ++compared;
  }
  CHECK(which == expressions.size());
  CHECK(compared > 5 * 140);
}

TEST_CASE("recurrence rules that cron can say have the instances a calendar library lists") {
  const std::filesystem::path path = source_dir() + "/../shared/data/calendar/rrule-cases.txt";
  std::ifstream file(path);
  if (!file) {
    MESSAGE("skipped: there is no ", path.string());
    return;
  }
  std::map<std::string, std::string> lines;
  int rules = 0;
  int instances = 0;
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) {
      lines.clear();
      continue;
    }
    lines[line.substr(0, colon)] = line.substr(colon + 1);
    if (!lines.contains("INSTANCES") || !lines.contains("DTSTART")) continue;
    if (lines.contains("START-AT")) continue;
    const auto text = cron_of(lines["RRULE"], lines["DTSTART"]);
    if (!text) continue;
    const auto table = cron(*text);
    ++rules;
    auto from = at_basic(lines["DTSTART"]) - 1us;
    for (const auto& instance : split(lines["INSTANCES"], ',')) {
      const auto found = table.next(from);
      REQUIRE_MESSAGE(found.has_value(), *text);
      CHECK_MESSAGE(*found == at_basic(instance), *text, " of ", lines["RRULE"], ": ",
                    to_rfc3339(*found), " not ", instance);
      from = *found;
      ++instances;
    }
  }
  MESSAGE(rules, " rules with ", instances, " instances");
  CHECK(rules >= 5);
}
