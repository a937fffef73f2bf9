// What a cron expression says, what it refuses, and how it says so.
#include "daemon/ingress/cron.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using vigil::ingress::Cron;
using vigil::ingress::parse_cron;

namespace {

std::vector<int> values(const auto& set) {
  std::vector<int> out;
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (set[i]) out.push_back(static_cast<int>(i));
  }
  return out;
}

Cron read(const char* text) {
  auto cron = parse_cron(text);
  REQUIRE_MESSAGE(cron.has_value(), text, ": ", cron ? "" : cron.error().message);
  return *cron;
}

std::string refusal(const char* text) {
  const auto cron = parse_cron(text);
  REQUIRE_MESSAGE(!cron.has_value(), text);
  return cron.error().message;
}

}  // namespace

TEST_CASE("each field is a set of lists, ranges and steps") {
  const auto cron = read("0,30 9-17/4 1,15-17 */6 1-5");
  CHECK(values(cron.minutes) == std::vector{0, 30});
  CHECK(values(cron.hours) == std::vector{9, 13, 17});
  CHECK(values(cron.days) == std::vector{1, 15, 16, 17});
  CHECK(values(cron.months) == std::vector{1, 7});
  CHECK(values(cron.weekdays) == std::vector{1, 2, 3, 4, 5});
  CHECK(values(read("50/4 * * * *").minutes) == std::vector{50, 54, 58});
  CHECK(values(read("*/25 * * * *").minutes) == std::vector{0, 25, 50});
}

TEST_CASE("names stand for numbers in any case, and Sunday is 0 and 7") {
  CHECK(values(read("0 0 * jan,DEC *").months) == std::vector{1, 12});
  CHECK(values(read("0 0 * mar-may *").months) == std::vector{3, 4, 5});
  CHECK(values(read("0 0 * * Sun,wed").weekdays) == std::vector{0, 3});
  CHECK(read("0 0 * * 7") == read("0 0 * * 0"));
  CHECK(values(read("0 0 * * 5-7").weekdays) == std::vector{0, 5, 6});
  CHECK(values(read("0 0 * * fri-sun").weekdays) == std::vector{0, 5, 6});
  CHECK(values(read("0 0 * * 0-0").weekdays) == std::vector{0});
  CHECK(values(read("0 0 * * sun-sun").weekdays) == std::vector{0});
  CHECK(values(read("0 0 * * 0-7").weekdays) == std::vector{0, 1, 2, 3, 4, 5, 6});
  CHECK(values(read("0 0 * * */2").weekdays) == std::vector{0, 2, 4, 6});
}

TEST_CASE("macros are what they stand for") {
  CHECK(read("@hourly") == read("0 * * * *"));
  CHECK(read("@daily") == read("0 0 * * *"));
  CHECK(read("@midnight") == read("@daily"));
  CHECK(read("@weekly") == read("0 0 * * sun"));
  CHECK(read("@monthly") == read("0 0 1 * *"));
  CHECK(read(" @Yearly ") == read("@annually"));
  CHECK(refusal("@reboot").find("@hourly") != std::string::npos);
}

TEST_CASE("two restricted day fields are alternatives, one restricted alone decides") {
  const auto both = read("0 0 13 * fri");
  CHECK(both.fits_day(3, 13, 1));
  CHECK(both.fits_day(3, 6, 5));
  CHECK_FALSE(both.fits_day(3, 12, 4));
  const auto day = read("0 0 13 * *");
  CHECK(day.fits_day(3, 13, 1));
  CHECK_FALSE(day.fits_day(3, 6, 5));
  const auto weekday = read("0 0 * * fri");
  CHECK(weekday.fits_day(3, 6, 5));
  CHECK_FALSE(weekday.fits_day(3, 13, 1));
  // A field that begins with * is no alternative: the first days of odd counting that are Mondays.
  const auto stepped = read("0 0 */2 * mon");
  CHECK(stepped.fits_day(3, 1, 1));
  CHECK_FALSE(stepped.fits_day(3, 2, 1));
  CHECK_FALSE(stepped.fits_day(3, 1, 2));
}

TEST_CASE("mistakes name the field, its column and what it may hold") {
  CHECK(refusal("61 * * * *") ==
        "column 1: \"61\" is no minute: it goes from 0 to 59; write something like 0, 15-45, */10 "
        "or 5,35");
  CHECK(refusal("0 7,24 * * *").find("column 5: \"24\" is no hour") == 0);
  CHECK(refusal("0 0 0 * *").find("day of the month: it goes from 1 to 31") != std::string::npos);
  CHECK(refusal("0 0 * foo *").find("column 7: \"foo\" is no month") == 0);
  CHECK(refusal("0 0 * * 8").find("day of the week") != std::string::npos);
  CHECK(refusal("*/0 * * * *").find("a step is 1 to 59") != std::string::npos);
  CHECK(refusal("30-10 * * * *").find("the range runs backwards") != std::string::npos);
  CHECK(refusal("* * * *").find("has 4 fields") != std::string::npos);
  CHECK(refusal("* * * * * *").find("has 6 fields") != std::string::npos);
  CHECK(refusal("").find("has 0 fields") != std::string::npos);
  for (const auto* text :
       {"1, * * * *", "-1 * * * *", "1- * * * *", "1/ * * * *", "a * * * *", "1-2-3 * * * *",
        "** * * * *", "*/*/2 * * * *", "+1 * * * *", "99999999999 * * * *", "1.5 * * * *",
        "\xC3\xA4 * * * *", ", * * * *", "0 0 L * *", "0 0 * * mon#1", "0 0 ? * *"}) {
    CHECK_FALSE(parse_cron(text).has_value());
  }
}

TEST_CASE("an expression that fits no day of any year is refused at once") {
  CHECK(refusal("0 0 30 2 *").find("never fires") != std::string::npos);
  CHECK(refusal("0 0 31 apr,jun,sep,nov *").find("never fires") != std::string::npos);
  CHECK(refusal("0 0 30,31 feb */2").find("never fires") != std::string::npos);
  (void)read("0 0 29 2 *");
  (void)read("0 0 30 2 mon");  // Mondays of February
  (void)read("0 0 31 4,5 *");
}

TEST_CASE("no text breaks the reader, and what it takes fits some day") {
  constexpr unsigned seed = 11;
  MESSAGE("seed: ", seed);
  std::mt19937 random(seed);
  constexpr std::string_view letters = "0123456789*/,- \tmonfrijanfeb@hourly7\xff";
  int taken = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text = i % 2 == 0 ? "0 0 1 1 1" : "";
    const auto size = std::uniform_int_distribution<std::size_t>(1, 12)(random);
    for (std::size_t j = 0; j < size; ++j) {
      const char c = letters[random() % letters.size()];
      const auto place = text.empty() ? 0 : random() % text.size();
      if (random() % 2 == 0 && !text.empty()) {
        text[place] = c;
      } else {
        text.insert(place, 1, c);
      }
    }
    const auto cron = parse_cron(text);
    if (!cron) {
      REQUIRE_FALSE(cron.error().message.empty());
      continue;
    }
    ++taken;
    REQUIRE(cron->minutes.any());
    REQUIRE(cron->hours.any());
    REQUIRE(cron->months.any());
    REQUIRE_FALSE(cron->months[0]);
    REQUIRE((cron->days.any() && !cron->days[0]));
  }
  CHECK(taken > 100);
}
