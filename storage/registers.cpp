#include "storage/registers.hpp"

#include "storage/columns.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

// Columns: those of every SELECT of timers below, in its order.
std::vector<Timer> timers_of(Cursor row) {
  std::vector<Timer> out;
  while (row.next()) {
    out.push_back({row.id<TimerId>(0), row.text(1), row.id<CaseId>(2), row.text(3), row.text(4),
                   row.time(5), json_of(row.bytes(6))});
  }
  return out;
}

}  // namespace

// ---- timers

TimerId Timers::set(const Timer& timer) {
  // A timer that is set again is a new one: what was told about the old id must not reach it.
  clear(timer.case_id, timer.name);
  database_.run("INSERT INTO timer (entity, case_id, name, due, note) VALUES (?, ?, ?, ?, ?)",
                timer.entity, timer.case_id.value, timer.name, timer.due, column_of(timer.note));
  return TimerId{database_.last_id()};
}

bool Timers::clear(CaseId case_id, const std::string& name) {
  return database_.run("DELETE FROM timer WHERE case_id = ? AND name = ?", case_id.value, name) > 0;
}

bool Timers::erase(TimerId id) {
  return database_.run("DELETE FROM timer WHERE id = ?", id.value) > 0;
}

std::vector<Timer> Timers::due(TimePoint now, int limit) {
  return timers_of(database_.query(
      R"sql(SELECT t.id, t.entity, t.case_id, c.key, t.name, t.due, t.note
            FROM timer t LEFT JOIN case_ c ON c.id = t.case_id
            WHERE t.due <= ? ORDER BY t.due, t.id LIMIT ?)sql",
      now, limit));
}

std::optional<TimePoint> Timers::earliest() {
  auto row = database_.query("SELECT due FROM timer ORDER BY due LIMIT 1");
  if (!row.next()) return std::nullopt;
  return row.time(0);
}

std::vector<Timer> Timers::list(int limit) {
  return timers_of(database_.query(
      R"sql(SELECT t.id, t.entity, t.case_id, c.key, t.name, t.due, t.note
            FROM timer t LEFT JOIN case_ c ON c.id = t.case_id ORDER BY t.due, t.id LIMIT ?)sql",
      limit));
}

// ---- budgets

bool Spend::reserve(const std::string& entity, const std::string& day, const std::string& kind,
                    std::int64_t amount, std::int64_t limit) {
  return database_.run(
             R"sql(INSERT INTO spend (day, entity, kind, amount)
                   SELECT ?1, ?2, ?3, ?4 WHERE ?5 = 0 OR ?4 <= ?5
                   ON CONFLICT (day, entity, kind) DO UPDATE SET amount = amount + excluded.amount
                   WHERE ?5 = 0 OR amount + excluded.amount <= ?5)sql",
             day, entity, kind, amount, limit) > 0;
}

void Spend::settle(const std::string& entity, const std::string& day, const std::string& kind,
                   std::int64_t reserved, std::int64_t real) {
  database_.run(R"sql(INSERT INTO spend (day, entity, kind, amount)
                      VALUES (?1, ?2, ?3, max(0, ?5 - ?4))
                      ON CONFLICT (day, entity, kind)
                      DO UPDATE SET amount = max(0, amount - ?4 + ?5))sql",
                day, entity, kind, reserved, real);
}

std::vector<Spend::Row> Spend::of_day(const std::string& day) {
  auto row = database_.query(
      "SELECT entity, day, kind, amount FROM spend WHERE day = ? ORDER BY entity, kind", day);
  std::vector<Row> out;
  while (row.next()) out.push_back({row.text(0), row.text(1), row.text(2), row.integer(3)});
  return out;
}

// ---- entities

void Entities::seen(const std::string& name, const std::string& kind, TimePoint now) {
  database_.run(R"sql(INSERT INTO entity (name, kind, first_seen) VALUES (?, ?, ?)
                      ON CONFLICT (name) DO UPDATE SET kind = excluded.kind
                      WHERE kind <> excluded.kind)sql",
                name, kind, now);
}

bool Entities::set_paused(const std::string& name, bool paused) {
  return database_.run("UPDATE entity SET paused = ? WHERE name = ?", paused, name) > 0;
}

std::vector<Entities::Row> Entities::all() {
  auto row = database_.query(
      R"sql(SELECT name, kind, paused, first_seen,
                   (SELECT count(*) FROM case_ INDEXED BY case_open
                    WHERE case_.entity = entity.name AND closed = 0),
                   decisions, last_decision
            FROM entity ORDER BY name)sql");
  std::vector<Row> out;
  while (row.next()) {
    out.push_back({row.text(0), row.text(1), row.integer(2) != 0, row.time(3), row.integer(4),
                   row.integer(5), row.time(6)});
  }
  return out;
}

// ---- cursors

std::int64_t Cursors::get(const std::string& name) {
  return database_.number("SELECT value FROM cursor WHERE name = ?", name);
}

void Cursors::set(const std::string& name, std::int64_t value) {
  database_.run(R"sql(INSERT INTO cursor (name, value) VALUES (?, ?)
                      ON CONFLICT (name) DO UPDATE SET value = excluded.value)sql",
                name, value);
}

}  // namespace vigil::storage
