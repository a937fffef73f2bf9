#include "entities/ops/costs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <vector>

#include "core/csv.hpp"
#include "core/log.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::size_t file_bytes_max = 1024UL * 1024 * 1024;
constexpr std::size_t keys_max = 5000;  // of each kind; a bill with more is summed under "others"
constexpr std::size_t days_told_max = 400;
constexpr std::size_t services_told_max = 200;
constexpr std::size_t days_behind = 7;

struct Columns {
  std::size_t cost = 0;
  std::size_t start = 0;
  std::size_t currency = 0;
  std::size_t provider = 0;
  std::size_t service = 0;
  std::size_t account = 0;
  std::size_t account_id = 0;
  std::size_t frequency = 0;
  std::size_t category = 0;
  std::size_t needed = 0;  // so many fields a row must have
};
constexpr std::size_t absent = static_cast<std::size_t>(-1);

Result<Columns> columns_of(const std::vector<std::string>& heading, const std::string& cost) {
  const auto at = [&](std::string_view name) {
    const auto found = std::ranges::find(heading, name);
    return found == heading.end() ? absent : static_cast<std::size_t>(found - heading.begin());
  };
  Columns out{at(cost),
              at("ChargePeriodStart"),
              at("BillingCurrency"),
              at("ProviderName"),
              at("ServiceName"),
              at("SubAccountName"),
              at("SubAccountId"),
              at("ChargeFrequency"),
              at("ChargeCategory"),
              0};
  for (const auto& [place, name] :
       {std::pair<std::size_t, std::string>{out.cost, cost}, {out.start, "ChargePeriodStart"}}) {
    if (place == absent) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("there is no column {}: it is no bill in the FOCUS form, or `column` "
                              "names another one",
                              name));
    }
    out.needed = std::max(out.needed, place + 1);
  }
  return out;
}

std::string_view field(const std::vector<std::string>& row, std::size_t at) {
  if (at == absent || at >= row.size() || row[at] == "NULL" || row[at] == "null") return {};
  return row[at];
}

std::string keyed(const std::map<std::string, CostSum>& all, std::string_view text) {
  std::string key = plain(text.empty() ? std::string_view("(none)") : text, 200);
  return all.size() >= keys_max && !all.contains(key) ? "others" : key;
}

bool is_day(std::string_view text) {
  return text.size() == 10 && parse_rfc3339(std::string(text) + "T00:00:00Z").has_value();
}

bool add(CostSum& sum, const Decimal& cost, bool usage) {
  ++sum.rows;
  return sum.cost.add(cost) && (!usage || sum.usage.add(cost));
}

Result<void> add_row(const std::vector<std::string>& row, const Columns& columns, Bill& bill) {
  const auto refuse = [](std::string why) {
    return fail(ErrorCode::invalid_input, std::move(why));
  };
  if (row.size() < columns.needed) return refuse("has fewer fields than the heading");
  const auto text = field(row, columns.cost);
  const auto cost = text.empty() ? Result<Decimal>(Decimal()) : Decimal::parse(text);
  if (!cost) return refuse("the cost " + cost.error().message);
  const auto day = std::string(field(row, columns.start).substr(0, 10));
  if (!is_day(day)) return refuse(fmt::format("ChargePeriodStart {} is no date", quoted(day)));
  // Purchases and taxes come once; credits and usage go on.
  const auto category = field(row, columns.category);
  const auto frequency = field(row, columns.frequency);
  const bool usage = (category.empty() || category == "Usage" || category == "Credit") &&
                     (frequency.empty() || frequency == "Usage-Based");
  const auto currency = plain(field(row, columns.currency), 10);
  if (bill.size() >= 50 && !bill.contains(currency)) return refuse("is in a 51st currency");
  auto& costs = bill[currency];
  auto account = field(row, columns.account);
  if (account.empty()) account = field(row, columns.account_id);
  const auto service = keyed(costs.services, field(row, columns.service));
  const auto provider = keyed(costs.providers, field(row, columns.provider));
  const auto name = keyed(costs.accounts, account);
  const bool fits =
      add(costs.total, *cost, usage) && add(costs.providers[provider], *cost, usage) &&
      add(costs.services[service], *cost, usage) && add(costs.accounts[name], *cost, usage) &&
      add(costs.days[day], *cost, usage) && add(costs.service_days[day][service], *cost, usage);
  if (!fits) return refuse("makes the sum too large to be kept exactly");
  return {};
}

std::chrono::year_month_day date_of(const std::string& day) {
  const auto at = parse_rfc3339(day + "T00:00:00Z").value_or(TimePoint{});
  return std::chrono::floor<std::chrono::days>(at);
}

std::string day_before(const std::string& day, int days) {
  const auto at = parse_rfc3339(day + "T00:00:00Z").value_or(TimePoint{});
  return to_rfc3339(at - std::chrono::days{days}).substr(0, 10);
}

// Of use, on the whole days before the last one; days without a row cost nothing.
std::vector<double> last_whole_days(const Costs& costs) {
  std::vector<double> out;
  if (costs.days.empty()) return out;
  const auto& last = costs.days.rbegin()->first;
  const auto& first = costs.days.begin()->first;
  for (std::size_t back = 1; back <= days_behind; ++back) {
    const auto day = day_before(last, static_cast<int>(back));
    if (day < first) break;
    const auto found = costs.days.find(day);
    out.push_back(found == costs.days.end() ? 0.0 : found->second.usage.number());
  }
  return out;
}

// One extraordinary day is no habit: the largest and the smallest are left out of five and more.
double usual_of(std::vector<double> days) {
  if (days.empty()) return 0;
  std::ranges::sort(days);
  if (days.size() >= 5) days = {days.begin() + 1, days.end() - 1};
  double sum = 0;
  for (const double one : days) sum += one;
  return sum / static_cast<double>(days.size());
}

void tell_sums(Readings& out, std::string_view name, const char* label,
               const std::map<std::string, CostSum>& sums, const std::string& currency) {
  std::vector<const std::pair<const std::string, CostSum>*> largest;
  for (const auto& one : sums) largest.push_back(&one);
  std::ranges::sort(largest, [](const auto* a, const auto* b) {
    return a->second.cost != b->second.cost ? a->second.cost > b->second.cost : a->first < b->first;
  });
  if (largest.size() > services_told_max) largest.resize(services_told_max);
  for (const auto* one : largest) {
    out.add(name, one->second.cost.number(), currency, {{label, one->first}});
  }
}

void tell_days(Readings& out, const Costs& costs, const std::string& currency) {
  std::size_t left = costs.days.size();
  for (const auto& [day, sum] : costs.days) {
    if (left-- > days_told_max) continue;
    out.add(
        {"cost.day", {}, sum.cost.number(), currency, parse_rfc3339(day + "T00:00:00Z").value()});
  }
}

// The last whole day beside the days before it.
void tell_change(Readings& out, const Costs& costs, const std::string& currency) {
  if (costs.days.size() < 3) return;
  const auto last = day_before(costs.days.rbegin()->first, 1);
  const auto found = costs.days.find(last);
  const double spent = found == costs.days.end() ? 0 : found->second.usage.number();
  auto before = last_whole_days(costs);
  before.erase(before.begin());
  const double usual = usual_of(before);
  out.add("cost.last_day", spent, currency);
  if (usual > 0) out.add("cost.last_day_change", 100 * (spent - usual) / usual, "percent");
  const auto services = costs.service_days.find(last);
  if (services == costs.service_days.end()) return;
  tell_sums(out, "cost.last_day_service", "service", services->second, currency);
}

json::array exact(const Bill& bill) {
  json::array out;
  const auto tell = [&](const std::string& currency, std::string_view key,
                        const std::map<std::string, CostSum>& sums) {
    for (const auto& [name, sum] : sums) {
      if (out.size() >= Readings::count_max) return;
      out.push_back(json::object{{"key", key},
                                 {"value", name},
                                 {"currency", currency},
                                 {"cost", sum.cost.text()},
                                 {"rows", sum.rows}});
    }
  };
  for (const auto& [currency, costs] : bill) {
    tell(currency, "total", {{"", costs.total}});
    tell(currency, "provider", costs.providers);
    tell(currency, "service", costs.services);
    tell(currency, "subaccount", costs.accounts);
    tell(currency, "day", costs.days);
  }
  return out;
}

}  // namespace

Result<void> read_costs(std::string_view text, const std::string& column, Bill& bill) {
  CsvReader reader(text);
  const auto heading = reader.next();
  if (!heading) return fail(ErrorCode::invalid_input, "it is empty");
  auto columns = columns_of(*heading, column);
  if (!columns) return std::unexpected(columns.error());
  Bill grown = bill;
  while (const auto row = reader.next()) {
    if (reader.cut()) {
      return fail(
          ErrorCode::invalid_input,
          fmt::format("line {}: the file ends within quotes: it was cut off", reader.line()));
    }
    if (auto added = add_row(*row, *columns, grown); !added) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("line {}: {}", reader.line(), added.error().message));
    }
  }
  bill = std::move(grown);
  return {};
}

std::optional<MonthCost> month_of(const Costs& costs) {
  if (costs.days.empty()) return std::nullopt;
  const auto& last = costs.days.rbegin()->first;
  MonthCost out;
  out.month = last.substr(0, 7);
  Decimal last_day;
  for (const auto& [day, sum] : costs.days) {
    if (!day.starts_with(out.month)) continue;
    if (!out.so_far.add(sum.cost)) return std::nullopt;
    if (day == last) last_day = sum.usage;
  }
  const auto date = date_of(last);
  const auto days = static_cast<unsigned>((date.year() / date.month() / std::chrono::last).day());
  out.days_left = static_cast<int>(days - static_cast<unsigned>(date.day()));
  const auto usual = usual_of(last_whole_days(costs));
  // The last day is under way, unless the month ends with it: it will come to a usual one at least.
  const double rest = out.days_left > 0 ? std::max(0.0, usual - last_day.number()) : 0;
  out.forecast = out.so_far.number() + rest + usual * out.days_left;
  return out;
}

Result<Budgets> budgets_of(const json::value& budget) {
  Budgets out;
  const auto take = [&](std::string_view currency, const json::value& value) {
    double number = value.is_number() ? value.to_number<double>() : 0;
    if (value.is_string()) {
      const auto amount = Decimal::parse(value.get_string());
      number = amount ? amount->number() : 0;
    }
    if (number > 0) out[std::string(currency)] = number;
    return number > 0;
  };
  bool good = true;
  if (budget.is_object()) {
    for (const auto& [currency, value] : budget.get_object()) {
      good = good && take(currency, value);
    }
  } else if (!budget.is_null()) {
    good = take("", budget);
  }
  if (good) return out;
  return fail(ErrorCode::invalid_input,
              "budget: expected what a month may cost, more than 0: 1000, or { EUR = 1000 }");
}

Readings cost_readings(const Bill& bill, const Budgets& budgets) {
  Readings out;
  for (const auto& [currency, costs] : bill) {
    out.add("cost.total", costs.total.cost.number(), currency);
    if (const auto month = month_of(costs)) {
      const Labels of{{"month", month->month}};
      out.add("cost.month", month->so_far.number(), currency, of);
      out.add("cost.month_forecast", month->forecast, currency, of);
      out.add("cost.month_days_left", month->days_left, "days", of);
      auto budget = budgets.find(currency);
      if (budget == budgets.end()) budget = budgets.find("");
      if (budget != budgets.end()) {
        const auto share = [&](double cost) { return 100 * cost / budget->second; };
        const Labels which{{"currency", currency}, {"month", month->month}};
        out.add("cost.month_of_budget", share(month->so_far.number()), "percent", which);
        out.add("cost.forecast_of_budget", share(month->forecast), "percent", which);
      }
    }
    tell_change(out, costs, currency);
    tell_sums(out, "cost.provider", "provider", costs.providers, currency);
    tell_sums(out, "cost.service", "service", costs.services, currency);
    tell_sums(out, "cost.account", "account", costs.accounts, currency);
    tell_days(out, costs, currency);
  }
  return out;
}

Result<json::value> run_costs(const Request& request) {
  if (auto known = known_members(request.input, {"files", "column", "budget"}); !known) {
    return std::unexpected(known.error());
  }
  const auto files = texts_in(request.input, "files");
  if (!files) return std::unexpected(files.error());
  if (files->empty()) return fail(ErrorCode::invalid_input, "files: name at least one CSV file");
  Bill bill;
  for (const auto& path : *files) {
    const auto text = read_bounded(path, file_bytes_max);
    if (!text) return std::unexpected(text.error());
    auto read = read_costs(*text, text_in(request.input, "column", "BilledCost"), bill);
    if (!read) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("{}: {}", quoted(path), read.error().message));
    }
  }
  const auto* given = find_path(request.input, "budget");
  const auto budgets = budgets_of(given == nullptr ? json::value() : *given);
  if (!budgets) return std::unexpected(budgets.error());
  const auto readings = cost_readings(bill, *budgets);
  auto out = readings.to_json();
  out["totals"] = exact(bill);
  return json::value(std::move(out));
}

}  // namespace vigil::entities::ops
