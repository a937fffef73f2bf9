#include "entities/ops/costs.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/csv.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::ops;
namespace fs = std::filesystem;

namespace {

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

const std::string heading =
    "BilledCost,BillingCurrency,ChargePeriodStart,ServiceName,ChargeCategory,ChargeFrequency\n";

std::string row(const std::string& cost, const std::string& day, const std::string& service = "vm",
                const std::string& kind = "Usage,Usage-Based") {
  return fmt::format("{},EUR,{} 00:00:00,{},{}\n", cost, day, service, kind);
}

}  // namespace

TEST_CASE("a real bill comes to the exact sums") {
  const fs::path data = fs::path(source_dir()) / "../shared/data/cost";
  if (!fs::exists(data)) {
    MESSAGE("skipped: there is no " << data.string());
    return;
  }
  Bill bill;
  const auto read = read_costs(text_of(data / "focus-1.0-sample.csv"), "BilledCost", bill);
  REQUIRE_MESSAGE(read, read.error().message);
  Costs all;  // the table does not tell currencies apart
  const auto merge = [](std::map<std::string, CostSum>& to,
                        const std::map<std::string, CostSum>& from) {
    for (const auto& [key, sum] : from) {
      REQUIRE(to[key].cost.add(sum.cost));
      to[key].rows += sum.rows;
    }
  };
  for (const auto& [currency, costs] : bill) {
    REQUIRE(all.total.cost.add(costs.total.cost));
    all.total.rows += costs.total.rows;
    merge(all.providers, costs.providers);
    merge(all.services, costs.services);
    merge(all.accounts, costs.accounts);
    merge(all.days, costs.days);
  }
  const auto totals = text_of(data / "focus-1.0-totals.tsv");
  CsvReader table(totals, '\t');
  table.next();
  int count = 0;
  while (const auto line = table.next()) {
    REQUIRE(line->size() == 4);
    const auto& key = line->at(0);
    const auto& sums = key == "provider"     ? all.providers
                       : key == "service"    ? all.services
                       : key == "subaccount" ? all.accounts
                                             : all.days;
    CAPTURE(key);
    CAPTURE(line->at(1));
    if (key != "total" && !sums.contains(line->at(1))) {
      CHECK_MESSAGE(line->at(1).empty(), "missing");
      continue;
    }
    const auto& sum = key == "total" ? all.total : sums.at(line->at(1));
    CHECK(sum.cost.text() == Decimal::parse(line->at(2))->text());
    CHECK(std::to_string(sum.rows) == line->at(3));
    ++count;
  }
  CHECK(count > 100);
}

TEST_CASE("the month will come to what usual days make of it") {
  std::string text = heading;
  for (int day = 1; day <= 10; ++day) text += row("10", fmt::format("2026-11-{:02}", day));
  text += row("500", "2026-11-05", "licence", "Purchase,One-Time");
  text += row("90", "2026-11-06");  // one odd day
  text += row("4", "2026-11-11");   // under way
  Bill bill;
  REQUIRE(read_costs(text, "BilledCost", bill));
  const auto month = month_of(bill.at("EUR"));
  REQUIRE(month);
  CHECK(month->month == "2026-11");
  CHECK(month->so_far.text() == "694");
  CHECK(month->days_left == 19);
  CHECK(month->forecast == doctest::Approx(694 + 6 + 19 * 10));
  const auto readings = cost_readings(bill);
  CHECK(readings.find("cost.last_day")->value == 10);
  CHECK(readings.find("cost.last_day_change")->value == doctest::Approx(0));
  CHECK(readings.find("cost.service", {{"service", "licence"}})->value == 500);
  CHECK(readings.find("cost.last_day")->unit == "EUR");
}

TEST_CASE("the month beside its budget, by currency, and a budget that cannot be meant") {
  Bill bill;
  std::string text = heading;
  for (int day = 1; day <= 10; ++day) text += row("10", fmt::format("2024-09-{:02}", day));
  REQUIRE(read_costs(text, "BilledCost", bill));
  const auto percent = [&](const json::value& budget, std::string_view name) -> double {
    const auto budgets = budgets_of(budget);
    REQUIRE(budgets);
    const auto told = cost_readings(bill, *budgets).to_json();
    for (const auto& one : told.at("readings").as_array()) {
      if (find_text(one, "name") == name) return one.at("value").to_number<double>();
    }
    return -1;
  };
  CHECK(percent(200, "cost.month_of_budget") == doctest::Approx(50));
  CHECK(percent(200, "cost.forecast_of_budget") == doctest::Approx(150));
  CHECK(percent("400", "cost.month_of_budget") == doctest::Approx(25));
  CHECK(percent(json::object{{"EUR", 100}, {"USD", 1}}, "cost.month_of_budget") ==
        doctest::Approx(100));
  CHECK(percent(json::object{{"USD", 1}}, "cost.month_of_budget") == -1);
  CHECK(percent(nullptr, "cost.month_of_budget") == -1);
  for (const json::value& wrong : {json::value(0), json::value(-5), json::value("much"),
                                   json::value(json::array{1}), json::value({{"EUR", "x"}})}) {
    CHECK_FALSE(budgets_of(wrong).has_value());
  }
}

TEST_CASE("currencies are not added up, and nothing of a bad file is") {
  Bill bill;
  REQUIRE(read_costs(
      heading + row("1.10", "2026-11-01") + "0.5,USD,2026-11-01T00:00:00Z,vm,Credit,Usage-Based\n",
      "BilledCost", bill));
  CHECK(bill.size() == 2);
  CHECK(bill.at("USD").total.usage.text() == "0.5");
  const auto refused = [&](const std::string& text, std::string_view why) {
    const auto read = read_costs(text, "BilledCost", bill);
    REQUIRE_FALSE(read);
    CAPTURE(read.error().message);
    CHECK(read.error().message.find(why) != std::string::npos);
    CHECK(bill.at("EUR").total.cost.text() == "1.1");
  };
  refused(heading + row("1", "2026-11-01") + row("1,5", "2026-11-01"), "line 3");
  refused(heading + row("1", "2026-13-01"), "no date");
  refused(heading + "1,EUR\n", "fewer fields");
  refused(heading + "1,EUR,\"2026", "cut off");
  refused("a,b\n1,2\n", "no column BilledCost");
  refused("", "empty");
}
