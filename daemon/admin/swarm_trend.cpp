// How swarms became faster, more correct and more parallel, or did not: their numbers by day.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/thread_pool.hpp>
#include <boost/json/array.hpp>
#include <map>

#include "core/log.hpp"
#include "core/on_pool.hpp"
#include "daemon/admin/handlers.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

constexpr int days_default = 14;
constexpr int days_max = 366;
constexpr int swarms_max = 100'000;

struct Sum {
  std::int64_t swarms = 0;
  std::int64_t ok = 0;
  std::int64_t tasks = 0;
  std::int64_t done = 0;
  std::int64_t attempts = 0;
  std::int64_t first_time_right = 0;
  std::int64_t reused = 0;
  Duration task_sum{0};
  Duration wall{0};
  Duration wasted{0};
  Duration saved{0};

  void add(const storage::SwarmNumbers& one) {
    ++swarms;
    if (one.state == "done") ++ok;
    tasks += one.tasks;
    done += one.done;
    attempts += one.attempts;
    first_time_right += one.first_time_right;
    reused += one.reused;
    task_sum += one.task_sum;
    wall += one.wall;
    wasted += one.wasted;
    saved += one.saved;
  }
};

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}
double per_second(std::int64_t count, Duration time) { return share(count, time.count()) * 1e6; }

// The first three factors have the fourth as their product, but where nothing was done.
json::object view_of(const Sum& sum) {
  return {{"swarms", sum.swarms},
          {"ok", sum.ok},
          {"tasks", sum.tasks},
          {"done", sum.done},
          {"attempts", sum.attempts},
          {"first_time_right", sum.first_time_right},
          {"reused", sum.reused},
          {"task_sum_us", sum.task_sum.count()},
          {"wall_us", sum.wall.count()},
          {"wasted_us", sum.wasted.count()},
          {"saved_us", sum.saved.count()},
          {"speed", per_second(sum.done, sum.task_sum)},
          {"correctness", share(sum.first_time_right, sum.done)},
          {"parallelism", share(sum.task_sum.count(), sum.wall.count())},
          {"right_per_second", per_second(sum.first_time_right, sum.wall)},
          {"wasted_share", share(sum.wasted.count(), (sum.task_sum + sum.wasted).count())}};
}

struct Asked {
  std::string state_dir;
  std::string entity;
  int days = days_default;
  TimePoint since;
};

Result<json::object> trend_of(const Asked& asked) {
  auto stores = storage::Stores::open_reader(asked.state_dir);
  if (!stores) return std::unexpected(std::move(stores.error()));
  const auto rows = (*stores)->swarms.numbers(asked.entity, asked.since, swarms_max);
  std::map<std::string, Sum> days;
  Sum total;
  for (const auto& row : rows) {
    days[to_rfc3339(row.ended).substr(0, 10)].add(row);
    total.add(row);
  }
  json::array views;
  for (const auto& [day, sum] : days) {
    auto view = view_of(sum);
    view["day"] = day;
    views.push_back(std::move(view));
  }
  json::object out{{"days", asked.days}, {"since", to_rfc3339(asked.since)}};
  out["entity"] = asked.entity.empty() ? json::value() : json::value(asked.entity);
  out["by_day"] = std::move(views);
  out["total"] = view_of(total);
  out["cut"] = rows.size() >= static_cast<std::size_t>(swarms_max);
  return out;
}

}  // namespace

asio::awaitable<Answer> swarm_trend(Desk& desk, Call call) {
  Asked asked;
  asked.state_dir = desk.parts.state_dir;
  asked.entity = call.text("entity");
  if (const auto given = call.text("days"); !given.empty()) {
    const auto days = parse_id(given);
    if (!days || *days > days_max) {
      co_return refuse(400,
                       fmt::format("days={} is not a number from 1 to {}", quoted(given), days_max),
                       "days=7 is the last week, today included");
    }
    asked.days = static_cast<int>(*days);
  }
  const auto today = std::chrono::floor<std::chrono::days>(desk.parts.clock.now());
  asked.since = today - std::chrono::days{asked.days - 1};
  const auto entity = asked.entity;
  auto work = [asked = std::move(asked)] { return trend_of(asked); };
  auto reading = on_pool(desk.long_reads().get_executor(), desk.parts.executor, std::move(work));
  Result<json::object> trend = co_await std::move(reading);
  if (!trend) co_return refuse(trend.error());
  const bool is_known = entity.empty() || desk.parts.settings().entities.contains(entity);
  if (!is_known && trend->at("by_day").as_array().empty()) {
    co_return refuse(404, fmt::format("there is no entity {}", quoted(entity)),
                     "vigilctl entities list shows who there is");
  }
  co_return json_response(*trend);
}

}  // namespace vigil::admin
