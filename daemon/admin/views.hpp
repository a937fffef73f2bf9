#pragma once
// Rows as the API shows them. Pure. Times are RFC 3339 texts, null when they never came; durations
// are whole microseconds in members that end in _us.
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config/settings.hpp"
#include "core/event.hpp"
#include "core/json.hpp"
#include "storage/stores.hpp"
#include "swarm/report.hpp"

namespace vigil::admin {

enum class Detail { brief, full };

json::value time_or_null(TimePoint at);
std::string_view name_of(Taint taint);
std::string_view name_of(config::Autonomy autonomy);

json::object view_of(const Event& event, Detail detail);  // brief: without payload and headers
json::object view_of(const storage::Case& row, Detail detail);
json::object view_of(const storage::Entry& entry);
json::object view_of(const storage::Action& action, Detail detail);
json::object view_of(const storage::Swarm& swarm);  // without plan, report and tasks
json::object view_of(const storage::Timer& timer);
json::object view_of(const storage::Wake& wake);
json::object view_of(const storage::Fact& fact);
json::object view_of(const storage::Preference& preference);
json::object view_of(const storage::Episode& episode);
json::object view_of(const storage::Found& found);
json::object view_of(const storage::Entities::Row& row);
json::object view_of(const config::Allowance& budget);  // 0 is no limit
// What an account spent, of the rows of a day.
json::object spent_of(const std::vector<storage::Spend::Row>& rows, const std::string& account);
// An entity's day: spent, set aside, and its limits if it is configured.
json::object budget_view(storage::Stores& stores, const std::string& entity,
                         const config::Settings& settings, TimePoint now);

// The report's numbers without its tasks.
json::object numbers_of(const swarm::Report& report);

// The tasks of a swarm: planned ones, joined with what is known of them from the report (it ended)
// or the checkpoints (it runs).
enum class Results { hidden, shown };
// How long tasks took before, by storage::learned_name. What is not done yet tells it.
using LearnedTimes = std::unordered_map<std::string, Duration>;
json::array tasks_of(const storage::Swarm& swarm, const std::vector<storage::SwarmTask>& rows,
                     Results results, const LearnedTimes& learned = {});

template <class Rows>
json::array views_of(const Rows& rows) {
  json::array out;
  out.reserve(rows.size());
  for (const auto& row : rows) out.push_back(view_of(row));
  return out;
}
template <class Rows>
json::array views_of(const Rows& rows, Detail detail) {
  json::array out;
  out.reserve(rows.size());
  for (const auto& row : rows) out.push_back(view_of(row, detail));
  return out;
}

// {"events": [...], "next_before": 17}: what to ask for the next page; null on the last one.
template <class Rows>
json::object page_of(std::string_view name, json::array views, const Rows& rows, int limit) {
  json::object out;
  out[name] = std::move(views);
  out["next_before"] = nullptr;
  if (static_cast<int>(rows.size()) >= limit) {
    if constexpr (requires { rows.back().id; }) {
      out["next_before"] = rows.back().id.value;
    } else {
      out["next_before"] = rows.back()->id.value;
    }
  }
  return out;
}

}  // namespace vigil::admin
