#include "storage/swarms.hpp"

#include "storage/columns.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

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
  swarm.tasks = row.is_null(12) ? -1 : row.small(12);
  swarm.run = row.small(13);
  swarm.asked = row.is_null(14) ? swarm.created : row.time(14);
  swarm.reserved = Duration{row.integer(15)};
  if (row.is_null(16) || swarm.ended == TimePoint{}) return swarm;
  auto& numbers = swarm.numbers.emplace();
  numbers.swarm = swarm.id;
  numbers.entity = swarm.entity;
  numbers.ended = swarm.ended;
  numbers.title = swarm.title;
  numbers.state = swarm.state;
  numbers.run = swarm.run;
  numbers.tasks = row.small(16);
  numbers.done = row.small(17);
  numbers.task_sum = Duration{row.integer(18)};
  numbers.wall = Duration{row.integer(19)};
  return swarm;
}

std::vector<Swarm> all_of(Cursor row) {
  std::vector<Swarm> out;
  while (row.next()) out.push_back(swarm_of(row));
  return out;
}

}  // namespace

SwarmId Swarms::add(const Swarm& swarm) {
  const auto asked = swarm.asked == TimePoint{} ? swarm.created : swarm.asked;
  const auto tasks = swarm.tasks < 0 ? std::nullopt : std::optional(swarm.tasks);
  database_.run(R"sql(INSERT INTO swarm (entity, case_id, decision, title, plan, state, created,
                                         tasks, asked, reserved)
                      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql",
                swarm.entity, swarm.case_id, swarm.decision, swarm.title,
                Blob{packed_column_of(swarm.plan)}, swarm.state, swarm.created, tasks, asked,
                swarm.reserved.count());
  return SwarmId{database_.last_id()};
}

std::optional<Swarm> Swarms::find(SwarmId id) {
  auto row = database_.query(
      R"sql(SELECT s.id, s.entity, s.case_id, c.key, s.decision, s.title, s.plan, s.state,
                   s.created, s.started, s.ended, s.report, s.tasks, s.run, s.asked, s.reserved,
                   n.tasks, n.done, n.task_sum, n.wall
            FROM swarm s LEFT JOIN case_ c ON c.id = s.case_id
                         LEFT JOIN swarm_numbers n ON n.swarm = s.id
            WHERE s.id = ?)sql",
      id.value);
  if (!row.next()) return std::nullopt;
  return swarm_of(row);
}

std::optional<Swarm> Swarms::brief(SwarmId id) {
  auto row = database_.query(
      R"sql(SELECT s.id, s.entity, s.case_id, c.key, s.decision, s.title,
                   CASE WHEN s.tasks IS NULL THEN s.plan END, s.state, s.created, s.started,
                   s.ended, CASE WHEN n.swarm IS NULL THEN s.report END, s.tasks, s.run, s.asked,
                   s.reserved, n.tasks, n.done, n.task_sum, n.wall
            FROM swarm s LEFT JOIN case_ c ON c.id = s.case_id
                         LEFT JOIN swarm_numbers n ON n.swarm = s.id
            WHERE s.id = ?)sql",
      id.value);
  if (!row.next()) return std::nullopt;
  return swarm_of(row);
}

std::vector<Swarm> Swarms::unfinished() {
  return all_of(database_.query(
      R"sql(SELECT s.id, s.entity, s.case_id, c.key, s.decision, s.title,
                   CASE WHEN s.tasks IS NULL THEN s.plan END, s.state, s.created, s.started,
                   s.ended, CASE WHEN n.swarm IS NULL THEN s.report END, s.tasks, s.run, s.asked,
                   s.reserved, n.tasks, n.done, n.task_sum, n.wall
            FROM swarm s INDEXED BY swarm_open LEFT JOIN case_ c ON c.id = s.case_id
                         LEFT JOIN swarm_numbers n ON n.swarm = s.id
            WHERE s.ended IS NULL ORDER BY s.id)sql"));
}

std::vector<Swarm> Swarms::unfinished_of(CaseId case_id) {
  return all_of(database_.query(
      R"sql(SELECT s.id, s.entity, s.case_id, c.key, s.decision, s.title,
                   CASE WHEN s.tasks IS NULL THEN s.plan END, s.state, s.created, s.started,
                   s.ended, CASE WHEN n.swarm IS NULL THEN s.report END, s.tasks, s.run, s.asked,
                   s.reserved, n.tasks, n.done, n.task_sum, n.wall
            FROM swarm s INDEXED BY swarm_open_case LEFT JOIN case_ c ON c.id = s.case_id
                         LEFT JOIN swarm_numbers n ON n.swarm = s.id
            WHERE s.case_id = ? AND s.ended IS NULL ORDER BY s.id)sql",
      case_id));
}

std::vector<Swarm> Swarms::list(const std::string& entity, SwarmId before, int limit) {
  const auto end = before ? before.value : INT64_MAX;
  if (entity.empty()) {
    return all_of(database_.query(
        R"sql(SELECT s.id, s.entity, s.case_id, c.key, s.decision, s.title,
                   CASE WHEN s.tasks IS NULL THEN s.plan END, s.state, s.created, s.started,
                   s.ended, CASE WHEN n.swarm IS NULL THEN s.report END, s.tasks, s.run, s.asked,
                   s.reserved, n.tasks, n.done, n.task_sum, n.wall
            FROM swarm s LEFT JOIN case_ c ON c.id = s.case_id
                         LEFT JOIN swarm_numbers n ON n.swarm = s.id
            WHERE s.id < ? ORDER BY s.id DESC LIMIT ?)sql",
        end, limit));
  }
  return all_of(database_.query(
      R"sql(SELECT s.id, s.entity, s.case_id, c.key, s.decision, s.title,
                   CASE WHEN s.tasks IS NULL THEN s.plan END, s.state, s.created, s.started,
                   s.ended, CASE WHEN n.swarm IS NULL THEN s.report END, s.tasks, s.run, s.asked,
                   s.reserved, n.tasks, n.done, n.task_sum, n.wall
            FROM swarm s INDEXED BY swarm_entity LEFT JOIN case_ c ON c.id = s.case_id
                         LEFT JOIN swarm_numbers n ON n.swarm = s.id
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

bool Swarms::reopen(SwarmId id, TimePoint asked, Duration reserved) {
  const bool reopened =
      database_.run(R"sql(UPDATE swarm SET state = 'planned', report = NULL, started = NULL,
                                           ended = NULL, run = run + 1, asked = ?, reserved = ?
                          WHERE id = ? AND state IN ('failed', 'cancelled')
                            AND ended IS NOT NULL)sql",
                    asked, reserved.count(), id.value) > 0;
  if (!reopened) return false;
  // Their fences stay: those of the new run are larger.
  database_.run(R"sql(UPDATE task SET state = 'waiting', outcome = NULL, took = 0
                      WHERE swarm = ? AND state <> 'done')sql",
                id.value);
  return true;
}

std::vector<WakeId> Swarms::untold_ends(SwarmId id) {
  auto row = database_.query(
      R"sql(SELECT w.id, w.payload FROM swarm s
            JOIN wake w INDEXED BY wake_case ON w.case_id = s.case_id
            WHERE s.id = ? AND w.kind = 'swarm' AND w.dead = 0)sql",
      id.value);
  std::vector<WakeId> out;
  while (row.next()) {
    if (find_integer(json_of(row.bytes(1)), "swarm") == id.value) out.push_back(row.id<WakeId>(0));
  }
  return out;
}

}  // namespace vigil::storage
