#include "storage/swarms.hpp"

#include <algorithm>

#include "storage/columns.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

constexpr double newest_weight = 0.3;

// Columns: those of every SELECT of swarms below, in its order.
Swarm swarm_of(const Cursor& row) {
  Swarm swarm;
  swarm.id = row.id<SwarmId>(0);
  swarm.entity = row.text(1);
  swarm.case_id = row.id<CaseId>(2);
  swarm.case_key = row.text(3);
  swarm.decision = row.id<DecisionId>(4);
  swarm.title = row.text(5);
  swarm.plan = packed_json_of(row.bytes(6));
  swarm.state = row.text(7);
  swarm.created = row.time(8);
  swarm.started = row.time(9);
  swarm.ended = row.time(10);
  swarm.report = packed_json_of(row.bytes(11));
  return swarm;
}

std::vector<Swarm> all_of(Cursor row) {
  std::vector<Swarm> out;
  while (row.next()) out.push_back(swarm_of(row));
  return out;
}

}  // namespace

SwarmId Swarms::add(const Swarm& swarm) {
  database_.run(R"sql(INSERT INTO swarm (entity, case_id, decision, title, plan, state, created)
                      VALUES (?, ?, ?, ?, ?, ?, ?))sql",
                swarm.entity, swarm.case_id, swarm.decision, swarm.title,
                Blob{packed_column_of(swarm.plan)}, swarm.state, swarm.created);
  return SwarmId{database_.last_id()};
}

std::optional<Swarm> Swarms::find(SwarmId id) {
  auto row = database_.query(
      R"sql(SELECT s.id, s.entity, s.case_id, c.key, s.decision, s.title, s.plan, s.state,
                   s.created, s.started, s.ended, s.report
            FROM swarm s LEFT JOIN case_ c ON c.id = s.case_id WHERE s.id = ?)sql",
      id.value);
  if (!row.next()) return std::nullopt;
  return swarm_of(row);
}

std::vector<Swarm> Swarms::unfinished() {
  return all_of(database_.query(
      R"sql(SELECT s.id, s.entity, s.case_id, c.key, s.decision, s.title, s.plan, s.state,
                   s.created, s.started, s.ended, s.report
            FROM swarm s INDEXED BY swarm_open LEFT JOIN case_ c ON c.id = s.case_id
            WHERE s.ended IS NULL ORDER BY s.id)sql"));
}

std::vector<Swarm> Swarms::unfinished_of(CaseId case_id) {
  return all_of(database_.query(
      R"sql(SELECT s.id, s.entity, s.case_id, c.key, s.decision, s.title, s.plan, s.state,
                   s.created, s.started, s.ended, s.report
            FROM swarm s INDEXED BY swarm_open_case LEFT JOIN case_ c ON c.id = s.case_id
            WHERE s.case_id = ? AND s.ended IS NULL ORDER BY s.id)sql",
      case_id));
}

std::vector<Swarm> Swarms::list(const std::string& entity, SwarmId before, int limit) {
  const auto end = before ? before.value : INT64_MAX;
  if (entity.empty()) {
    return all_of(database_.query(
        R"sql(SELECT s.id, s.entity, s.case_id, c.key, s.decision, s.title, s.plan, s.state,
                     s.created, s.started, s.ended, s.report
              FROM swarm s LEFT JOIN case_ c ON c.id = s.case_id
              WHERE s.id < ? ORDER BY s.id DESC LIMIT ?)sql",
        end, limit));
  }
  return all_of(database_.query(
      R"sql(SELECT s.id, s.entity, s.case_id, c.key, s.decision, s.title, s.plan, s.state,
                   s.created, s.started, s.ended, s.report
            FROM swarm s INDEXED BY swarm_entity LEFT JOIN case_ c ON c.id = s.case_id
            WHERE s.entity = ? AND s.id < ? ORDER BY s.id DESC LIMIT ?)sql",
      entity, end, limit));
}

int Swarms::running(const std::string& entity) {
  return static_cast<int>(database_.number(
      R"sql(SELECT count(*) FROM swarm INDEXED BY swarm_open_entity
            WHERE entity = ? AND ended IS NULL)sql",
      entity));
}

void Swarms::start(SwarmId id, TimePoint now) {
  database_.run(R"sql(UPDATE swarm SET state = 'running', started = coalesce(started, ?)
                      WHERE id = ? AND ended IS NULL)sql",
                now, id.value);
}

void Swarms::task_started(SwarmId id, const std::string& task, int attempt, std::int64_t fence,
                          TimePoint now) {
  database_.run(R"sql(INSERT INTO task (swarm, name, state, attempt, fence, started, took)
                      VALUES (?, ?, 'running', ?, ?, ?, 0)
                      ON CONFLICT (swarm, name) DO UPDATE SET state = 'running',
                        attempt = excluded.attempt, fence = excluded.fence,
                        started = excluded.started, took = 0, outcome = NULL
                      WHERE excluded.fence >= task.fence)sql",
                id.value, task, attempt, fence, now);
}

bool Swarms::task_ended(const SwarmTask& task) {
  return database_.run(
             R"sql(INSERT INTO task (swarm, name, state, attempt, fence, started, took, outcome)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                   ON CONFLICT (swarm, name) DO UPDATE SET state = excluded.state,
                     attempt = excluded.attempt, fence = excluded.fence,
                     started = excluded.started, took = excluded.took, outcome = excluded.outcome
                   WHERE excluded.fence >= task.fence)sql",
             task.swarm.value, task.name, task.state, task.attempt, task.fence, task.started,
             task.took.count(), Blob{packed_column_of(task.outcome)}) > 0;
}

std::vector<SwarmTask> Swarms::tasks(SwarmId id) {
  auto row = database_.query(
      R"sql(SELECT swarm, name, state, attempt, fence, started, took, outcome
            FROM task WHERE swarm = ? ORDER BY name)sql",
      id.value);
  std::vector<SwarmTask> out;
  while (row.next()) {
    SwarmTask task;
    task.swarm = row.id<SwarmId>(0);
    task.name = row.text(1);
    task.state = row.text(2);
    task.attempt = row.small(3);
    task.fence = row.integer(4);
    task.started = row.time(5);
    task.took = Duration{row.integer(6)};
    task.outcome = packed_json_of(row.bytes(7));
    out.push_back(std::move(task));
  }
  return out;
}

std::int64_t Swarms::fence_max(SwarmId id) {
  return database_.number("SELECT max(fence) FROM task WHERE swarm = ?", id.value);
}

bool Swarms::finish(SwarmId id, const std::string& state, const json::value& report,
                    TimePoint now) {
  return database_.run(R"sql(UPDATE swarm SET state = ?, report = ?, ended = ?
                             WHERE id = ? AND ended IS NULL)sql",
                       state, Blob{packed_column_of(report)}, now, id.value) > 0;
}

bool Swarms::reopen(SwarmId id) {
  return database_.run(R"sql(UPDATE swarm SET state = 'planned', report = NULL, started = NULL,
                                              ended = NULL
                             WHERE id = ? AND state IN ('failed', 'cancelled')
                               AND ended IS NOT NULL)sql",
                       id.value) > 0;
}

std::string learned_name(const std::string& task) {
  const auto slash = task.rfind('/');
  const bool is_item = slash != std::string::npos && slash + 1 < task.size() &&
                       task.find_first_not_of("0123456789", slash + 1) == std::string::npos;
  return is_item ? task.substr(0, slash + 1) : task;
}

void Swarms::learn(const std::string& entity, const std::string& task, Duration took) {
  database_.run(R"sql(INSERT INTO learned (entity, task, took, runs) VALUES (?1, ?2, ?3, 1)
                      ON CONFLICT (entity, task) DO UPDATE SET runs = runs + 1,
                        deviation = learned.deviation * (1.0 - ?4)
                                    + abs(excluded.took - learned.took) * ?4,
                        took = learned.took * (1.0 - ?4) + excluded.took * ?4)sql",
                entity, learned_name(task), static_cast<double>(took.count()), newest_weight);
}

std::vector<Swarms::Learned> Swarms::learned(const std::string& entity, int limit) {
  auto row = database_.query(
      "SELECT task, took, deviation, runs FROM learned WHERE entity = ? LIMIT ?", entity, limit);
  std::vector<Learned> all;
  while (row.next()) {
    all.push_back({row.text(0), Duration{static_cast<std::int64_t>(row.real(1))},
                   Duration{static_cast<std::int64_t>(row.real(2))}, row.small(3)});
  }
  return all;
}

std::optional<Duration> Swarms::learned(const std::string& entity, const std::string& task) {
  auto row = database_.query("SELECT took FROM learned WHERE entity = ? AND task = ?", entity,
                             learned_name(task));
  if (!row.next()) return std::nullopt;
  return Duration{static_cast<std::int64_t>(row.real(0))};
}

void Swarms::keep(const std::string& key, const Kept& kept, TimePoint now) {
  database_.run("INSERT OR REPLACE INTO kept (key, result, took, at) VALUES (?, ?, ?, ?)", key,
                Blob{packed_column_of(kept.result)}, kept.took.count(), now);
}

std::optional<Swarms::Kept> Swarms::kept(const std::string& key) {
  auto row = database_.query("SELECT result, took FROM kept WHERE key = ?", key);
  if (!row.next()) return std::nullopt;
  return Kept{packed_json_of(row.bytes(0)), Duration{row.integer(1)}};
}

int Swarms::erase_kept(TimePoint before, int count_max) {
  const auto count = database_.number("SELECT count(*) FROM kept");
  const auto over = std::max<std::int64_t>(count - count_max, 0);
  int erased = database_.run("DELETE FROM kept WHERE at < ?", before);
  if (over > erased) {
    erased += database_.run(
        "DELETE FROM kept WHERE key IN (SELECT key FROM kept ORDER BY at LIMIT ?)", over - erased);
  }
  return erased;
}

}  // namespace vigil::storage
