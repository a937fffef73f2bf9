#pragma once
// What a cloud bill in the FOCUS form says (https://focus.finops.org, versions 0.5 to 1.2; a CSV
// file with a heading): sums by provider, service, account and day in exact decimals, the running
// month and what it will come to. The sums are pure; run_costs reads files, blocking, for
// vigil-task.
#include <map>
#include <string>
#include <string_view>

#include "core/decimal.hpp"
#include "entities/analyser.hpp"
#include "entities/ops/reading.hpp"

namespace vigil::entities::ops {

struct CostSum {
  Decimal cost;
  Decimal usage;  // of it: what is charged for use, and so goes on day by day
  std::size_t rows = 0;
};

// Of one currency. Keys are texts of the file; days are "2024-09-01".
struct Costs {
  CostSum total;
  std::map<std::string, CostSum> providers;
  std::map<std::string, CostSum> services;
  std::map<std::string, CostSum> accounts;
  std::map<std::string, CostSum> days;
  std::map<std::string, std::map<std::string, CostSum>> service_days;  // by day
};
using Bill = std::map<std::string, Costs>;  // by currency

// Adds the rows of one file. `column` is what is summed: BilledCost, EffectiveCost... Fails, with
// the line, when the file is none of that form, and adds nothing then.
Result<void> read_costs(std::string_view text, const std::string& column, Bill& bill);

// The month of the last day that has costs: what it came to so far, and what it will come to when
// the days that are left cost what the last whole ones did. The last day itself is not whole yet.
struct MonthCost {
  std::string month;  // 2024-09
  Decimal so_far;
  double forecast = 0;
  int days_left = 0;
};
std::optional<MonthCost> month_of(const Costs& costs);

// What a month may cost, by currency; the one named "" is for every currency.
using Budgets = std::map<std::string, double>;
Result<Budgets> budgets_of(const json::value& budget);  // a number, or { EUR = 1000 }

Readings cost_readings(const Bill& bill, const Budgets& budgets = {});
Result<json::value> run_costs(const Request& request);  // vigil-task ops.costs

}  // namespace vigil::entities::ops
