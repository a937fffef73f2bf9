// Recurrence rules in civil time: libical's own cases, and what must end quickly.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

#include "entities/calendar/rule.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::calendar;
using cctz::civil_second;

namespace {

std::string text_of(const civil_second& at, bool date) {
  auto day = fmt::format("{:04}{:02}{:02}", at.year(), at.month(), at.day());
  if (date) return day;
  return day + fmt::format("T{:02}{:02}{:02}", at.hour(), at.minute(), at.second());
}

std::string joined(const std::string& rule_text, const Written& start, civil_second from) {
  auto rule = read_rule(rule_text);
  REQUIRE_MESSAGE(rule.has_value(), rule_text);
  civil_second last(9'000, 1, 1);
  if (rule->until) {
    last = rule->until->date ? civil_second(cctz::civil_day(rule->until->at) + 1) - 1
                             : rule->until->at;
  }
  Instances instances(*rule, start.at, from, last);
  std::string out;
  for (auto one = instances.next(); one; one = instances.next()) {
    if (*one < from) continue;
    out += (out.empty() ? "" : ",") + text_of(*one, start.date) + (start.utc ? "Z" : "");
  }
  CHECK_FALSE(instances.cut());
  return out;
}

std::vector<std::string> take(const std::string& rule_text, const std::string& start, int count,
                              const std::string& from = "") {
  const auto rule = read_rule(rule_text);
  REQUIRE_MESSAGE(rule.has_value(), rule_text);
  const auto at = read_written(start)->at;
  const auto begin = from.empty() ? at : read_written(from)->at;
  Instances instances(*rule, at, begin, civil_second(9'999, 1, 1));
  std::vector<std::string> out;
  while (std::ssize(out) < count) {
    const auto one = instances.next();
    if (!one) break;
    if (*one >= begin) out.push_back(text_of(*one, false));
  }
  return out;
}

}  // namespace

TEST_CASE("every case of libical's recurrence tests has exactly its instances") {
  std::ifstream file(source_dir() + "/../shared/data/calendar/rrule-cases.txt");
  if (!file) {
    MESSAGE("skipped: the shared data are not here");
    return;
  }
  std::string line, rule, start, begin;
  int cases = 0;
  while (std::getline(file, line)) {
    if (line.starts_with("RRULE:")) rule = line.substr(6);
    if (line.starts_with("DTSTART:")) start = line.substr(8);
    if (line.starts_with("START-AT:")) begin = line.substr(9);
    if (!line.starts_with("INSTANCES:")) continue;
    ++cases;
    const auto at = *read_written(start);
    const auto from = begin.empty() ? at.at : read_written(begin)->at;
    const auto wanted = line.substr(10);
    CHECK_MESSAGE(joined(rule, at, from) == wanted, rule, " from ", start);
    begin.clear();
  }
  CHECK(cases == 50);
}

TEST_CASE("a rule that asks for endless work ends quickly and says so") {
  for (const std::string text :
       {"FREQ=SECONDLY", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=2",
        "FREQ=MINUTELY;BYHOUR=3;BYMONTHDAY=31;BYMONTH=4,6,9,11", "FREQ=SECONDLY;COUNT=2000000000",
        "FREQ=YEARLY;INTERVAL=2000000000", "FREQ=DAILY;BYYEARDAY=366;BYMONTH=1",
        "FREQ=HOURLY;BYSETPOS=300;BYMINUTE=1", "FREQ=SECONDLY;INTERVAL=2147483647;BYSECOND=7"}) {
    const auto rule = read_rule(text);
    REQUIRE(rule.has_value());
    const civil_second start(1970, 1, 1);
    Instances instances(*rule, start, start, civil_second(11'970, 1, 1));
    std::int64_t count = 0;
    while (instances.next()) ++count;
    CHECK(count <= work_max);
    CHECK(instances.work_left() >= -400);
  }
}

TEST_CASE("a question far from the start of a rule without a count is answered from there") {
  CHECK(take("FREQ=SECONDLY", "19700101T000000", 2, "20240701T120000") ==
        std::vector<std::string>{"20240701T120000", "20240701T120001"});
  CHECK(take("FREQ=HOURLY;INTERVAL=5", "19700101T000000", 1, "20240701T000000") ==
        std::vector<std::string>{"20240701T000000"});
  CHECK(take("FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,FR", "19700105T090000", 2, "20240701T000000") ==
        take("FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,FR;COUNT=100000", "19700105T090000", 2,
             "20240701T000000"));
  CHECK(take("FREQ=MONTHLY;BYDAY=-1FR", "19700130T090000", 1, "20240701T000000") ==
        std::vector<std::string>{"20240726T090000"});
}

TEST_CASE("what programs write against the letter is read, what is none is refused") {
  CHECK_FALSE(read_rule("FREQ=DAILY;COUNT=-1")->count.has_value());
  CHECK_FALSE(read_rule("FREQ=DAILY;UNTIL=")->until.has_value());
  CHECK(read_rule("freq=weekly;byday=mo;")->weekdays.size() == 1);
  CHECK_FALSE(read_rule("COUNT=3").has_value());
  CHECK_FALSE(read_rule("FREQ=SOMETIMES").has_value());
  CHECK_FALSE(read_rule("FREQ=DAILY;BYHOUR=24").has_value());
  CHECK_FALSE(read_rule("FREQ=DAILY;BYDAY=XX").has_value());
  CHECK_FALSE(read_rule("RSCALE=CHINESE;FREQ=YEARLY").has_value());
  CHECK_FALSE(read_written("20240231").has_value());
  CHECK_FALSE(read_written("2024").has_value());
  CHECK(read_written("20240229T235960Z").has_value());
}
