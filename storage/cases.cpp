#include "storage/cases.hpp"

#include "storage/columns.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

// Columns: those of every SELECT below, in its order.
Case case_of(const Cursor& row) {
  Case out;
  out.id = row.id<CaseId>(0);
  out.entity = row.text(1);
  out.key = row.text(2);
  out.state = object_of(row.bytes(3));
  out.closed = row.integer(4) != 0;
  out.opened = row.time(5);
  out.updated = row.time(6);
  out.decisions = row.integer(7);
  out.last_acted = row.time(8);
  out.window_start = row.time(9);
  out.window_count = row.small(10);
  return out;
}

std::optional<Case> first_of(Cursor row) {
  if (!row.next()) return std::nullopt;
  return case_of(row);
}

}  // namespace

Case Cases::open(const std::string& entity, const std::string& key, TimePoint now) {
  auto found = find(entity, key);
  if (found && !found->closed) return *std::move(found);
  database_.run(R"sql(INSERT INTO case_ (entity, key, opened, updated) VALUES (?, ?, ?, ?)
                      ON CONFLICT (entity, key) DO UPDATE SET closed = 0, updated = excluded.updated
                )sql",
                entity, key, now, now);
  return *find(entity, key);
}

std::optional<Case> Cases::find(CaseId id) {
  return first_of(database_.query(
      R"sql(SELECT id, entity, key, state, closed, opened, updated, decisions, last_acted,
                   window_start, window_count
            FROM case_ WHERE id = ?)sql",
      id.value));
}

std::optional<Case> Cases::find(const std::string& entity, const std::string& key) {
  return first_of(database_.query(
      R"sql(SELECT id, entity, key, state, closed, opened, updated, decisions, last_acted,
                   window_start, window_count
            FROM case_ WHERE entity = ? AND key = ?)sql",
      entity, key));
}

void Cases::decided(CaseId id, const json::object* state, bool acted, bool close, TimePoint now) {
  std::optional<std::string> text;
  if (state != nullptr) text = column_of(json::value(*state));
  std::optional<TimePoint> acted_at;
  if (acted) acted_at = now;
  database_.run(R"sql(UPDATE case_ SET state = coalesce(?, state), closed = closed OR ?,
                        last_acted = coalesce(?, last_acted), updated = ?,
                        decisions = decisions + 1
                      WHERE id = ?)sql",
                text, close, acted_at, now, id.value);
}

void Cases::set_window(CaseId id, TimePoint start, int count) {
  database_.run("UPDATE case_ SET window_start = ?, window_count = ? WHERE id = ?", start, count,
                id.value);
}

std::vector<Case> Cases::list(const std::string& entity, CaseId before, int limit) {
  const auto end = before ? before.value : INT64_MAX;
  auto row = entity.empty()
                 ? database_.query(
                       R"sql(SELECT id, entity, key, state, closed, opened, updated, decisions,
                                    last_acted, window_start, window_count
                             FROM case_ WHERE id < ? ORDER BY id DESC LIMIT ?)sql",
                       end, limit)
                 : database_.query(
                       R"sql(SELECT id, entity, key, state, closed, opened, updated, decisions,
                                    last_acted, window_start, window_count
                             FROM case_ INDEXED BY case_entity WHERE entity = ? AND id < ?
                             ORDER BY id DESC LIMIT ?)sql",
                       entity, end, limit);
  std::vector<Case> out;
  while (row.next()) out.push_back(case_of(row));
  return out;
}

std::int64_t Cases::count() { return database_.number("SELECT count(*) FROM case_"); }

}  // namespace vigil::storage
