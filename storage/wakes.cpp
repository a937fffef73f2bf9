#include "storage/wakes.hpp"

#include "storage/columns.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

// Columns: those of every SELECT below, in its order.
Wake wake_of(const Cursor& row) {
  Wake wake;
  wake.id = row.id<WakeId>(0);
  wake.entity = row.text(1);
  wake.case_id = row.id<CaseId>(2);
  wake.case_key = row.text(3);
  wake.kind = row.text(4);
  wake.events = events_of(row.bytes(5));
  wake.payload = json_of(row.bytes(6));
  wake.gathering = row.integer(7) != 0;
  wake.created = row.time(8);
  wake.not_before = row.time(9);
  wake.attempts = row.small(10);
  wake.dead = row.integer(11) != 0;
  wake.error = row.text(12);
  wake.bytes = row.integer(13);
  return wake;
}

std::optional<Wake> first_of(Cursor row) {
  if (!row.next()) return std::nullopt;
  return wake_of(row);
}

std::vector<Wake> all_of(Cursor row) {
  std::vector<Wake> out;
  while (row.next()) out.push_back(wake_of(row));
  return out;
}

}  // namespace

WakeId Wakes::add(const Wake& wake) {
  database_.run(
      R"sql(INSERT INTO wake (entity, case_id, kind, events, payload, gathering, created, not_before,
                              attempts, dead, error, bytes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql",
      wake.entity, wake.case_id, wake.kind, column_of(wake.events), column_of(wake.payload),
      wake.gathering, wake.created, wake.not_before, wake.attempts, wake.dead, wake.error,
      wake.bytes);
  return WakeId{database_.last_id()};
}

std::optional<Wake> Wakes::find(WakeId id) {
  return first_of(database_.query(
      R"sql(SELECT w.id, w.entity, w.case_id, c.key, w.kind, w.events, w.payload, w.gathering,
                   w.created, w.not_before, w.attempts, w.dead, w.error, w.bytes
            FROM wake w LEFT JOIN case_ c ON c.id = w.case_id WHERE w.id = ?)sql",
      id.value));
}

std::optional<Wake> Wakes::gathering_of(CaseId case_id) {
  return first_of(database_.query(
      R"sql(SELECT w.id, w.entity, w.case_id, c.key, w.kind, w.events, w.payload, w.gathering,
                   w.created, w.not_before, w.attempts, w.dead, w.error, w.bytes
            FROM wake w LEFT JOIN case_ c ON c.id = w.case_id
            WHERE w.case_id = ? AND w.gathering = 1 AND w.dead = 0
            ORDER BY w.id DESC LIMIT 1)sql",
      case_id));
}

std::optional<Wake> Wakes::oldest_of(CaseId case_id) {
  return first_of(database_.query(
      R"sql(SELECT w.id, w.entity, w.case_id, c.key, w.kind, w.events, w.payload, w.gathering,
                   w.created, w.not_before, w.attempts, w.dead, w.error, w.bytes
            FROM wake w LEFT JOIN case_ c ON c.id = w.case_id
            WHERE w.case_id = ? AND w.dead = 0 ORDER BY w.id LIMIT 1)sql",
      case_id));
}

void Wakes::extend(WakeId id, const std::vector<EventId>& more, std::int64_t bytes,
                   TimePoint not_before) {
  const auto added = column_of(more);
  if (more.empty()) {
    database_.run("UPDATE wake SET not_before = ? WHERE id = ?", not_before, id.value);
    return;
  }
  // [1,2] and [3]: the brackets between them become a comma.
  database_.run(
      R"sql(UPDATE wake SET not_before = ?, bytes = bytes + ?, events = CASE events WHEN '[]' THEN ?
                        ELSE substr(events, 1, length(events) - 1) || ',' || ? END
                      WHERE id = ?)sql",
      not_before, bytes, added, std::string_view(added).substr(1), id.value);
}

void Wakes::close_gathering(WakeId id, TimePoint not_before) {
  database_.run("UPDATE wake SET gathering = 0, not_before = ? WHERE id = ?", not_before, id.value);
}

void Wakes::begin_attempt(WakeId id) {
  database_.run("UPDATE wake SET attempts = attempts + 1 WHERE id = ?", id.value);
}

void Wakes::retry(WakeId id, TimePoint not_before, const std::string& error) {
  database_.run("UPDATE wake SET not_before = ?, error = ? WHERE id = ?", not_before, error,
                id.value);
}

void Wakes::bury(WakeId id, const std::string& error) {
  database_.run("UPDATE wake SET dead = 1, gathering = 0, error = ? WHERE id = ?", error, id.value);
}

bool Wakes::revive(WakeId id, TimePoint now) {
  return database_.run(R"sql(UPDATE wake SET dead = 0, attempts = 0, error = '', not_before = ?
                             WHERE id = ? AND dead = 1)sql",
                       now, id.value) > 0;
}

bool Wakes::erase(WakeId id) {
  return database_.run("DELETE FROM wake WHERE id = ?", id.value) > 0;
}

std::vector<Wake> Wakes::open(WakeId after, int limit) {
  return all_of(database_.query(
      R"sql(SELECT w.id, w.entity, w.case_id, c.key, w.kind, w.events, w.payload, w.gathering,
                   w.created, w.not_before, w.attempts, w.dead, w.error, w.bytes
            FROM wake w LEFT JOIN case_ c ON c.id = w.case_id
            WHERE w.id > ? AND w.dead = 0 ORDER BY w.id LIMIT ?)sql",
      after.value, limit));
}

std::vector<Wake> Wakes::dead(int limit) {
  return all_of(database_.query(
      R"sql(SELECT w.id, w.entity, w.case_id, c.key, w.kind, w.events, w.payload, w.gathering,
                   w.created, w.not_before, w.attempts, w.dead, w.error, w.bytes
            FROM wake w INDEXED BY wake_dead LEFT JOIN case_ c ON c.id = w.case_id
            WHERE w.dead = 1 ORDER BY w.id DESC LIMIT ?)sql",
      limit));
}

std::int64_t Wakes::count_open() {
  return database_.number("SELECT count(*) FROM wake WHERE dead = 0");
}

std::int64_t Wakes::count_dead() {
  return database_.number("SELECT count(*) FROM wake INDEXED BY wake_dead WHERE dead = 1");
}

}  // namespace vigil::storage
