// What a day allows, what was spent of it and what is set aside, for all who have a budget.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdlib>
#include <map>

#include "daemon/admin/handlers.hpp"
#include "daemon/admin/views.hpp"
#include "daemon/runtime/budgets.hpp"

namespace vigil::admin {
namespace {

constexpr std::size_t cases_shown = 100;

using Rows = std::vector<storage::Spend::Row>;

std::int64_t cents(std::int64_t micros) { return (micros + 9'999) / 10'000; }

json::object amounts_of(const storage::SetAside& of) {
  return {{"tokens", of.tokens},
          {"money_cents", cents(of.money_micros)},
          {"compute_us", of.compute.count()}};
}

json::object of_all(const Rows& rows, const config::Settings& settings, storage::DayUse& use,
                    const storage::Day& day) {
  return {{"entity", runtime::all_entities},
          {"scope", "all"},
          {"limits", view_of(settings.budget)},
          {"spent", spent_of(rows, runtime::all_entities)},
          {"reserved", amounts_of(use.reserved(day))}};
}

bool is_of(const std::string& account, std::string_view what) { return account.starts_with(what); }

// Entities of the configuration, and those that are gone but spent something that day.
json::array of_entities(const Rows& rows, const config::Settings& settings, storage::DayUse& use,
                        const storage::Day& day) {
  std::map<std::string, json::object> all;
  for (const auto& [name, entity] : settings.entities) {
    all[name] = {{"limits", view_of(runtime::allowance_of(entity.budget))}};
  }
  for (const auto& row : rows) {
    const bool is_entity = row.entity != runtime::all_entities && !is_of(row.entity, "case:") &&
                           !is_of(row.entity, "model:");
    if (is_entity) all.try_emplace(row.entity);
  }
  json::array out;
  for (auto& [name, view] : all) {
    view["entity"] = name;
    view["scope"] = "entity";
    view["spent"] = spent_of(rows, name);
    view["reserved"] = amounts_of(use.reserved(day, name));
    out.push_back(std::move(view));
  }
  return out;
}

// Cases whose entity limits each of them, and that took something that day.
json::array of_cases(const Rows& rows, const config::Settings& settings, storage::Stores& stores,
                     const storage::Day& day, std::size_t& left_out) {
  storage::DayUse use(stores.database());
  json::array out;
  std::string last;
  for (const auto& row : rows) {
    if (!is_of(row.entity, "case:") || row.entity == last) continue;
    last = row.entity;
    if (out.size() >= cases_shown) {
      ++left_out;
      continue;
    }
    const CaseId id{std::strtoll(last.c_str() + std::string_view("case:").size(), nullptr, 10)};
    const auto of = stores.cases.find(id);
    json::object view{
        {"entity", last}, {"scope", "case"}, {"case", id.value}, {"spent", spent_of(rows, last)}};
    if (of) {
      view["case_key"] = of->key;
      view["of"] = of->entity;
      view["reserved"] = amounts_of(use.reserved(day, of->entity, id));
      const auto who = settings.entities.find(of->entity);
      if (who != settings.entities.end()) view["limits"] = view_of(*who->second.budget.of_case);
    }
    out.push_back(std::move(view));
  }
  return out;
}

json::array of_models(const Rows& rows, const config::Settings& settings,
                      const json::object& reserved) {
  json::array out;
  for (const auto& [name, model] : settings.models) {
    const auto account = "model:" + name;
    auto spent = spent_of(rows, account);
    for (const auto* kind : {"compute_us", "notifications", "swarms"}) spent.erase(kind);
    spent.emplace("requests", 0);
    json::object view{{"entity", account},
                      {"scope", "model"},
                      {"limits",
                       {{"tokens", model.budget.tokens},
                        {"money_cents", model.budget.money_cents},
                        {"requests", model.budget.requests}}},
                      {"spent", std::move(spent)}};
    if (const auto* of = reserved.if_contains(name)) view["reserved"] = *of;
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace

json::object spent_of(const std::vector<storage::Spend::Row>& rows, const std::string& account) {
  json::object out{
      {"tokens", 0}, {"money_cents", 0}, {"compute_us", 0}, {"notifications", 0}, {"swarms", 0}};
  for (const auto& row : rows) {
    if (row.entity != account) continue;
    out[row.kind] = row.amount;
    if (row.kind == "money_micros") out["money_cents"] = cents(row.amount);
  }
  return out;
}

json::object budget_view(storage::Stores& stores, const std::string& entity,
                         const config::Settings& settings, TimePoint now) {
  const auto day = storage::day_at(now);
  storage::DayUse use(stores.database());
  json::object out{{"day", day.name},
                   {"spent", spent_of(stores.spend.of_day(day.name), entity)},
                   {"reserved", amounts_of(use.reserved(day, entity))}};
  const auto known = settings.entities.find(entity);
  if (known != settings.entities.end()) {
    out["limits"] = view_of(runtime::allowance_of(known->second.budget));
  }
  return out;
}

Answer get_budget(Desk& desk, const Call& call) {
  auto day = storage::day_at(desk.parts.clock.now());
  const auto today = day.name;
  if (const std::string name(call.text("day")); !name.empty()) {
    const auto at = parse_rfc3339(name + "T00:00:00Z");
    if (!at) {
      return refuse(400, fmt::format("day={} is not a day", quoted(name)), "give it as 2026-11-23");
    }
    day = storage::day_at(*at);
  }
  auto& stores = desk.reader();
  const auto& settings = desk.parts.settings();
  const auto rows = stores.spend.of_day(day.name);
  storage::DayUse use(stores.database());
  json::array out{of_all(rows, settings, use, day)};
  const auto append = [&](json::array more) {
    for (auto& one : more) out.push_back(std::move(one));
  };
  append(of_entities(rows, settings, use, day));
  std::size_t left_out = 0;
  append(of_cases(rows, settings, stores, day, left_out));
  const bool goes_on = day.name == today && desk.parts.models_reserved;
  append(of_models(rows, settings, goes_on ? desk.parts.models_reserved() : json::object()));
  return json_response(json::object{{"day", day.name},
                                    {"ends", to_rfc3339(day.until)},
                                    {"budgets", std::move(out)},
                                    {"cases_left_out", left_out}});
}

}  // namespace vigil::admin
