#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "entities/ops/reading.hpp"
#include "entities/ops/watch_look.hpp"

using namespace vigil;
using namespace vigil::entities::ops;

TEST_CASE("readings survive the way to JSON and back, and a watch reads the same") {
  Readings readings;
  readings.add("disk.free", 12.5, "percent", {{"mount", "/"}});
  readings.add({"cost.day", {}, 3, "USD", *parse_rfc3339("2024-09-02T00:00:00Z")});
  readings.problem("no pressure files");
  const json::value as_json(readings.to_json());
  const auto back = Readings::from_json(as_json);
  REQUIRE(back.all().size() == 2);
  CHECK(back.all()[0].series() == "disk.free{mount=\"/\"}");
  CHECK(back.all()[0].value == 12.5);
  CHECK(back.all()[0].unit == "percent");
  CHECK(back.all()[1].at == parse_rfc3339("2024-09-02T00:00:00Z").value());
  CHECK(back.problems() == std::vector<std::string>{"no pressure files"});
  const auto look = read_look(as_json);
  REQUIRE(look.readings.size() == 2);
  CHECK(look.readings[0].series() == back.all()[0].series());
  CHECK(look.problems.size() == 1);
  const auto text = std::string(*find_text(as_json, "text"));
  CHECK(text.find("12.5 percent") != std::string::npos);
  CHECK(text.find("not read: no pressure files") != std::string::npos);
}

TEST_CASE("readings are bounded, and what is no number is said") {
  Readings readings;
  readings.add("a", NAN);
  readings.add("b", INFINITY);
  for (std::size_t at = 0; at < Readings::count_max + 7; ++at) readings.add("c", 1);
  CHECK(readings.all().size() == Readings::count_max);
  CHECK(readings.beyond() == 7);
  CHECK(readings.problems().size() == 2);
  for (int at = 0; at < 500; ++at) readings.problem("again");
  CHECK(readings.problems().size() == Readings::problems_max);
  const json::value as_json(readings.to_json());
  CHECK(find_path(as_json, "problems")->get_array().size() == Readings::problems_max + 2);
}

TEST_CASE("what is no reading is passed over, and counted") {
  const auto given = parse_json(
      R"({"readings": [1, null, {"name": "x"}, {"value": 1}, {"name": "y", "value": "7"},
          {"name": "z", "value": 2, "labels": {"a": 1, "b": [], "c": "d"}}],
          "problems": [1, "p"]})");
  REQUIRE(given);
  const auto read = Readings::from_json(*given);
  REQUIRE(read.all().size() == 1);
  CHECK(read.all()[0].labels == Labels{{"a", "1"}, {"c", "d"}});
  CHECK(read.problems() == std::vector<std::string>{"p", "5 entries are no readings"});
  CHECK(Readings::from_json(json::value("text")).all().empty());
}

TEST_CASE("amounts are told as a person reads them") {
  CHECK(amount_text(25276063744.0, "bytes") == "23.5 GiB");
  CHECK(amount_text(1023, "bytes") == "1023 bytes");
  CHECK(amount_text(-2048, "bytes") == "-2.0 KiB");
  CHECK(amount_text(80.93138109, "percent") == "80.9314 percent");
  CHECK(amount_text(2500000, "") == "2500000");
  CHECK(amount_text(0.000256, "seconds") == "0.000256 seconds");
  CHECK(amount_text(1e300, "") == "1e+300");
}
