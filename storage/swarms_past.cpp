// What swarms leave behind for those that follow: how long tasks take, results that may be taken
// again, and the numbers of each run.
#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "storage/columns.hpp"
#include "storage/database.hpp"
#include "storage/swarms.hpp"

namespace vigil::storage {
namespace {

constexpr double newest_weight = 0.3;

struct Mean {
  double took = 0;
  double deviation = 0;
  int runs = 0;
};

void fold(Mean& mean, Duration duration) {
  const auto took = static_cast<double>(duration.count());
  if (mean.runs++ == 0) {
    mean.took = took;
    return;
  }
  mean.deviation += (std::abs(took - mean.took) - mean.deviation) * newest_weight;
  mean.took += (took - mean.took) * newest_weight;
}

Duration duration_of(double us) { return Duration{static_cast<std::int64_t>(us)}; }

// Columns: those of both SELECTs of numbers below, in their order.
SwarmNumbers numbers_of(const Cursor& row) {
  SwarmNumbers out;
  out.swarm = row.id<SwarmId>(0);
  out.entity = row.text(1);
  out.ended = row.time(2);
  out.title = row.text(3);
  out.state = row.text(4);
  out.run = row.small(5);
  out.tasks = row.small(6);
  out.done = row.small(7);
  out.attempts = row.small(8);
  out.first_time_right = row.small(9);
  out.reused = row.small(10);
  out.task_sum = Duration{row.integer(11)};
  out.wall = Duration{row.integer(12)};
  out.lower_bound = Duration{row.integer(13)};
  out.wasted = Duration{row.integer(14)};
  out.saved = Duration{row.integer(15)};
  return out;
}

}  // namespace

std::string learned_name(const std::string& task) {
  const auto slash = task.rfind('/');
  const bool is_item = slash != std::string::npos && slash + 1 < task.size() &&
                       task.find_first_not_of("0123456789", slash + 1) == std::string::npos;
  return is_item ? task.substr(0, slash + 1) : task;
}

void Swarms::learn(const std::string& entity, const std::string& task, Duration took,
                   TimePoint now) {
  learn(entity, std::vector<Took>{{task, took}}, now);
}

void Swarms::learn(const std::string& entity, const std::vector<Took>& tasks, TimePoint now) {
  std::unordered_map<std::string, Mean> means;
  for (const auto& [task, took] : tasks) {
    const auto name = learned_name(task);
    const auto known = means.find(name);
    if (known != means.end()) {
      fold(known->second, took);
      continue;
    }
    if (means.size() >= learned_names_max) continue;
    auto& mean = means[name];
    auto row = database_.query(
        "SELECT took, deviation, runs FROM learned WHERE entity = ? AND task = ?", entity, name);
    if (row.next()) mean = {row.real(0), row.real(1), row.small(2)};
    fold(mean, took);
  }
  for (const auto& [name, mean] : means) {
    database_.run(R"sql(INSERT INTO learned (entity, task, took, deviation, runs, at)
                        VALUES (?, ?, ?, ?, ?, ?)
                        ON CONFLICT (entity, task) DO UPDATE SET took = excluded.took,
                          deviation = excluded.deviation, runs = excluded.runs,
                          at = excluded.at)sql",
                  entity, name, mean.took, mean.deviation, mean.runs, now);
  }
}

std::vector<Swarms::Learned> Swarms::learned(const std::string& entity, int limit) {
  auto row = database_.query(
      R"sql(SELECT task, took, deviation, runs FROM learned INDEXED BY learned_at
            WHERE entity = ? ORDER BY at DESC LIMIT ?)sql",
      entity, limit);
  std::vector<Learned> all;
  while (row.next()) {
    all.push_back({row.text(0), duration_of(row.real(1)), duration_of(row.real(2)), row.small(3)});
  }
  return all;
}

std::optional<Duration> Swarms::learned(const std::string& entity, const std::string& task) {
  auto row = database_.query("SELECT took FROM learned WHERE entity = ? AND task = ?", entity,
                             learned_name(task));
  if (!row.next()) return std::nullopt;
  return duration_of(row.real(0));
}

int Swarms::erase_learned(const std::string& entity, int names_max) {
  return database_.run(
      R"sql(DELETE FROM learned WHERE entity = ?1 AND task IN (
              SELECT task FROM learned INDEXED BY learned_at
              WHERE entity = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2))sql",
      entity, names_max);
}

std::int64_t Swarms::keep(const std::string& key, const Kept& kept, TimePoint now) {
  const auto packed = packed_column_of(kept.result);
  database_.run(R"sql(INSERT INTO kept (key, result, took, at, bytes) VALUES (?, ?, ?, ?, ?)
                      ON CONFLICT (key) DO UPDATE SET result = excluded.result,
                        took = excluded.took, at = excluded.at, bytes = excluded.bytes)sql",
                key, Blob{packed}, kept.took.count(), now, packed.size());
  return static_cast<std::int64_t>(packed.size());
}

std::optional<Swarms::Kept> Swarms::kept(const std::string& key) {
  auto row = database_.query("SELECT result, took FROM kept WHERE key = ?", key);
  if (!row.next()) return std::nullopt;
  return Kept{packed_json_of(row.bytes(0)), Duration{row.integer(1)}};
}

int Swarms::erase_kept(TimePoint before, std::int64_t bytes_max, int at_once) {
  // A row costs its key and place, too.
  constexpr std::int64_t row_bytes = 100;
  auto over =
      database_.number("SELECT sum(bytes) + count(*) * ? FROM kept INDEXED BY kept_at", row_bytes);
  over -= bytes_max;
  std::vector<std::string> gone;
  {
    auto row =
        database_.query("SELECT key, at, bytes FROM kept ORDER BY at, bytes LIMIT ?", at_once);
    while (row.next()) {
      if (over <= 0 && row.time(1) >= before) break;
      gone.push_back(row.text(0));
      over -= row.integer(2) + row_bytes;
    }
  }
  for (const auto& key : gone) database_.run("DELETE FROM kept WHERE key = ?", key);
  return static_cast<int>(gone.size());
}

void Swarms::note(const SwarmNumbers& numbers) {
  database_.run("DELETE FROM swarm_numbers WHERE swarm = ?", numbers.swarm.value);
  database_.run(R"sql(INSERT INTO swarm_numbers (swarm, entity, ended, title, state, run, tasks,
                        done, attempts, first_time_right, reused, task_sum, wall, lower_bound,
                        wasted, saved)
                      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql",
                numbers.swarm.value, numbers.entity, numbers.ended, numbers.title, numbers.state,
                numbers.run, numbers.tasks, numbers.done, numbers.attempts,
                numbers.first_time_right, numbers.reused, numbers.task_sum.count(),
                numbers.wall.count(), numbers.lower_bound.count(), numbers.wasted.count(),
                numbers.saved.count());
}

std::vector<SwarmNumbers> Swarms::numbers(const std::string& entity, TimePoint since, int limit) {
  auto row = entity.empty()
                 ? database_.query(
                       R"sql(SELECT swarm, entity, ended, title, state, run, tasks, done, attempts,
                             first_time_right, reused, task_sum, wall, lower_bound, wasted, saved
                      FROM swarm_numbers INDEXED BY swarm_numbers_swarm
                      WHERE ended >= ? ORDER BY swarm DESC LIMIT ?)sql",
                       since, limit)
                 : database_.query(
                       R"sql(SELECT swarm, entity, ended, title, state, run, tasks, done, attempts,
                             first_time_right, reused, task_sum, wall, lower_bound, wasted, saved
                      FROM swarm_numbers WHERE entity = ? AND ended >= ?
                      ORDER BY ended DESC, swarm DESC LIMIT ?)sql",
                       entity, since, limit);
  std::vector<SwarmNumbers> out;
  while (row.next()) out.push_back(numbers_of(row));
  return out;
}

}  // namespace vigil::storage
