#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>

#include "core/json.hpp"
#include "entities/series/analysers.hpp"
#include "entities/series/counter.hpp"

using namespace vigil;
using namespace vigil::entities::series;

namespace {

Point at(int second, double value) { return {from_unix_us(second * 1'000'000LL), value}; }

}  // namespace

TEST_CASE("a counter's rate is taken over uneven times, gaps and starts from 0") {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Point> points{at(0, 100),   at(10, 120), at(10, 500), at(40, 150),
                                  at(50, none), at(60, 190), at(70, 5),   at(80, 5)};
  const auto rates = rates_of(points);
  REQUIRE(rates.size() == 5);
  CHECK(rates[0].value == 2);
  CHECK(rates[1].value == 1);
  CHECK(rates[2].value == 2);  // over what was no number
  CHECK(rates[3].value == 0.5);
  CHECK(rates[4].value == 0);
  const auto totals = totals_of(points);
  REQUIRE(totals.size() == 6);
  CHECK(totals.front().value == 100);
  CHECK(totals[3].value == 190);
  CHECK(totals.back().value == 195);
}

TEST_CASE("a counter of one point, or none, has no rate") {
  CHECK(rates_of({}).empty());
  CHECK(rates_of(std::vector{at(0, 7)}).empty());
  CHECK(totals_of(std::vector{at(0, 7)}).size() == 1);
}

TEST_CASE("by hand a counter is told from other series") {
  const auto path = std::filesystem::temp_directory_path() / "vigil_series_counter_test.csv";
  {
    std::ofstream file(path);
    file << "time,count\n";
    long count = 0;  // grows by 20 to 26 a minute, and starts anew in the middle and near the end
    for (int minute = 0; minute < 900; ++minute) {
      count += 20 + minute % 7;
      if (minute == 450 || minute == 850) count = 22;
      if (minute == 700) count += 100'000;
      file << minute * 60 << ',' << count << '\n';
    }
  }
  const auto run = [&](std::string_view name, json::object input) {
    const auto table = analysers();
    const auto found = std::ranges::find(table, name, &entities::Analyser::name);
    REQUIRE(found != table.end());
    input["files"] = json::array{path.string()};
    entities::Request request;
    request.input = std::move(input);
    return found->run(request);
  };
  const auto told = run("series.anomalies", {{"counter", "yes"}});
  REQUIRE(told);
  const auto& anomalies = told->at("anomalies").as_array();
  REQUIRE(anomalies.size() == 1);
  CHECK(anomalies[0].at("at").as_string() == "1970-01-01T11:40:00.000Z");
  const auto full = run("series.forecast", {{"counter", true}, {"limit", 1e6}});
  REQUIRE(full);
  CHECK(full->at("per_day").as_double() > 20 * 1440);
  CHECK_FALSE(run("series.anomalies", {{"counter", "maybe"}}));
  std::filesystem::remove(path);
}
