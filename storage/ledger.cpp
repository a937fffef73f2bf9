#include "storage/ledger.hpp"

#include <string>

#include "storage/chain.hpp"
#include "storage/columns.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

// Columns: those of every SELECT below, in its order.
Entry entry_of(const Cursor& row) {
  Entry entry;
  entry.id = row.id<DecisionId>(0);
  entry.at = row.time(1);
  entry.entity = row.text(2);
  entry.case_id = row.id<CaseId>(3);
  entry.case_key = row.text(4);
  entry.wake = row.id<WakeId>(5);
  entry.wake_kind = row.text(6);
  entry.events = events_of(row.bytes(7));
  entry.verdict = row.text(8);
  entry.rule = row.text(9);
  entry.why = row.text(10);
  entry.took = Duration{row.integer(11)};
  entry.asked = object_of(row.bytes(12));
  return entry;
}

std::vector<Entry> all_of(Cursor row) {
  std::vector<Entry> out;
  while (row.next()) out.push_back(entry_of(row));
  return out;
}

}  // namespace

DecisionId Ledger::next_id() {
  // The greatest id ever given, whether or not its row is still there.
  return DecisionId{database_.number("SELECT seq FROM sqlite_sequence WHERE name = 'decision'") +
                    1};
}

DecisionId Ledger::append(const Entry& entry) {
  const auto id = entry.id ? entry.id : next_id();
  const auto events = column_of(entry.events);
  const auto asked = entry.asked.empty() ? std::string() : column_of(json::value(entry.asked));
  const auto digest = chained(
      head_of(database_, Chain::ledger),
      {std::to_string(id.value), std::to_string(to_unix_us(entry.at)), entry.entity,
       std::to_string(entry.case_id.value), std::to_string(entry.wake.value), entry.wake_kind,
       events, entry.verdict, entry.rule, entry.why, std::to_string(entry.took.count()), asked});
  database_.run(
      R"sql(INSERT INTO decision (id, digest, at, entity, case_id, wake, wake_kind, events,
                                            verdict, rule, why, took, asked)
                      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql",
      id, Blob{as_bytes(digest)}, entry.at, entry.entity, entry.case_id, entry.wake,
      entry.wake_kind, events, entry.verdict, entry.rule, entry.why, entry.took.count(), asked);
  for (const auto event : entry.events) {
    database_.run("INSERT OR IGNORE INTO decision_event (event, decision) VALUES (?, ?)",
                  event.value, id.value);
  }
  if (entry.wake) {
    database_.run(R"sql(UPDATE entity SET decisions = decisions + 1, last_decision = ?
                        WHERE name = ?)sql",
                  entry.at, entry.entity);
  }
  return id;
}

std::optional<Entry> Ledger::find(DecisionId id) {
  auto row = database_.query(
      R"sql(SELECT d.id, d.at, d.entity, d.case_id, c.key, d.wake, d.wake_kind, d.events, d.verdict,
                   d.rule, d.why, d.took, d.asked
            FROM decision d LEFT JOIN case_ c ON c.id = d.case_id WHERE d.id = ?)sql",
      id.value);
  if (!row.next()) return std::nullopt;
  return entry_of(row);
}

std::vector<Entry> Ledger::of_event(EventId event) {
  return all_of(database_.query(
      R"sql(SELECT d.id, d.at, d.entity, d.case_id, c.key, d.wake, d.wake_kind, d.events, d.verdict,
                   d.rule, d.why, d.took, d.asked
            FROM decision_event e CROSS JOIN decision d ON d.id = e.decision
            LEFT JOIN case_ c ON c.id = d.case_id
            WHERE e.event = ? ORDER BY e.decision)sql",
      event.value));
}

std::vector<Entry> Ledger::of_case(CaseId case_id, int limit) {
  return all_of(database_.query(
      R"sql(SELECT d.id, d.at, d.entity, d.case_id, c.key, d.wake, d.wake_kind, d.events, d.verdict,
                   d.rule, d.why, d.took, d.asked
            FROM decision d INDEXED BY decision_case LEFT JOIN case_ c ON c.id = d.case_id
            WHERE d.case_id = ? ORDER BY d.id DESC LIMIT ?)sql",
      case_id, limit));
}

std::vector<Entry> Ledger::list(const std::string& entity, DecisionId before, int limit) {
  const auto end = before ? before.value : INT64_MAX;
  if (entity.empty()) {
    return all_of(database_.query(
        R"sql(SELECT d.id, d.at, d.entity, d.case_id, c.key, d.wake, d.wake_kind, d.events,
                     d.verdict, d.rule, d.why, d.took, d.asked
              FROM decision d LEFT JOIN case_ c ON c.id = d.case_id
              WHERE d.id < ? ORDER BY d.id DESC LIMIT ?)sql",
        end, limit));
  }
  return all_of(database_.query(
      R"sql(SELECT d.id, d.at, d.entity, d.case_id, c.key, d.wake, d.wake_kind, d.events, d.verdict,
                   d.rule, d.why, d.took, d.asked
            FROM decision d INDEXED BY decision_entity LEFT JOIN case_ c ON c.id = d.case_id
            WHERE d.entity = ? AND d.id < ? ORDER BY d.id DESC LIMIT ?)sql",
      entity, end, limit));
}

}  // namespace vigil::storage
