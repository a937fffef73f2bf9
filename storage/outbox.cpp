#include "storage/outbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "storage/columns.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

// Columns: those of every SELECT below, in its order.
Action action_of(const Cursor& row) {
  Action action;
  action.id = row.id<ActionId>(0);
  action.key = row.text(1);
  action.decision = row.id<DecisionId>(2);
  action.entity = row.text(3);
  action.case_id = row.id<CaseId>(4);
  action.case_key = row.text(5);
  action.kind = row.text(6);
  action.sink = row.text(7);
  action.payload = object_of(row.bytes(8));
  action.sticky_key = row.text(9);
  action.state = row.text(10);
  action.taint = row.taint(11);
  action.attempts = row.small(12);
  action.created = row.time(13);
  action.not_before = row.time(14);
  if (!row.is_null(15)) action.expires = row.time(15);
  action.settled = row.time(16);
  action.result = json_of(row.bytes(17));
  action.error = row.text(18);
  return action;
}

std::vector<Action> all_of(Cursor row) {
  std::vector<Action> out;
  while (row.next()) out.push_back(action_of(row));
  return out;
}

}  // namespace

ActionId Outbox::add(const Action& action) {
  if (action.state != "proposed" && action.state != "approved") {
    throw std::invalid_argument(
        fmt::format("an action begins proposed or approved, not '{}'", action.state));
  }
  if (!action.sticky_key.empty()) {
    // One that is on its way is not called back: its answer is still to come.
    database_.run(R"sql(UPDATE action SET state = 'superseded', settled = ?
                        WHERE entity = ? AND sink = ? AND sticky_key = ? AND sticky_key <> ''
                          AND case_id IS ? AND state IN ('proposed', 'approved'))sql",
                  action.created, action.entity, action.sink, action.sticky_key, action.case_id);
  }
  database_.run(
      R"sql(INSERT INTO action (key, decision, entity, case_id, kind, sink, payload, sticky_key,
                                state, taint, attempts, created, not_before, expires, result, error)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql",
      action.key, action.decision, action.entity, action.case_id, action.kind, action.sink,
      column_of(json::value(action.payload)), action.sticky_key, action.state, action.taint,
      action.attempts, action.created, action.not_before, action.expires, column_of(action.result),
      action.error);
  return ActionId{database_.last_id()};
}

std::optional<Action> Outbox::find(ActionId id) {
  auto row = database_.query(
      R"sql(SELECT a.id, a.key, a.decision, a.entity, a.case_id, c.key, a.kind, a.sink, a.payload,
                   a.sticky_key, a.state, a.taint, a.attempts, a.created, a.not_before, a.expires,
                   a.settled, a.result, a.error
            FROM action a LEFT JOIN case_ c ON c.id = a.case_id WHERE a.id = ?)sql",
      id.value);
  if (!row.next()) return std::nullopt;
  return action_of(row);
}

std::vector<Action> Outbox::due(TimePoint now, int limit) {
  return all_of(database_.query(
      R"sql(SELECT a.id, a.key, a.decision, a.entity, a.case_id, c.key, a.kind, a.sink, a.payload,
                   a.sticky_key, a.state, a.taint, a.attempts, a.created, a.not_before, a.expires,
                   a.settled, a.result, a.error
            FROM action a INDEXED BY action_due LEFT JOIN case_ c ON c.id = a.case_id
            WHERE a.state = 'approved' AND a.not_before <= ?
            ORDER BY a.not_before, a.id LIMIT ?)sql",
      now, limit));
}

std::vector<Action> Outbox::expired(TimePoint now, int limit) {
  return all_of(database_.query(
      R"sql(SELECT a.id, a.key, a.decision, a.entity, a.case_id, c.key, a.kind, a.sink, a.payload,
                   a.sticky_key, a.state, a.taint, a.attempts, a.created, a.not_before, a.expires,
                   a.settled, a.result, a.error
            FROM action a INDEXED BY action_expires LEFT JOIN case_ c ON c.id = a.case_id
            WHERE a.state = 'proposed' AND a.expires IS NOT NULL AND a.expires <= ?
            ORDER BY a.expires, a.id LIMIT ?)sql",
      now, limit));
}

std::optional<TimePoint> Outbox::earliest() {
  std::optional<TimePoint> out;
  const auto look = [&out](Cursor row) {
    if (row.next()) out = std::min(out.value_or(TimePoint::max()), row.time(0));
  };
  look(database_.query(R"sql(SELECT not_before FROM action INDEXED BY action_due
                             WHERE state = 'approved'
                             ORDER BY not_before LIMIT 1)sql"));
  look(database_.query(R"sql(SELECT expires FROM action INDEXED BY action_expires
                             WHERE state = 'proposed' AND expires IS NOT NULL
                             ORDER BY expires LIMIT 1)sql"));
  return out;
}

bool Outbox::begin(ActionId id) {
  return database_.run(R"sql(UPDATE action SET state = 'sending', attempts = attempts + 1
                             WHERE id = ? AND state = 'approved')sql",
                       id.value) > 0;
}

void Outbox::retry(ActionId id, TimePoint not_before, const std::string& error) {
  database_.run(R"sql(UPDATE action SET state = 'approved', not_before = ?, error = ?
                      WHERE id = ? AND state = 'sending')sql",
                not_before, error, id.value);
}

bool Outbox::settle(ActionId id, const std::string& state, const json::value& result,
                    const std::string& error, TimePoint now) {
  const auto is = [&](std::initializer_list<const char*> states) {
    return std::ranges::find(states, state) != states.end();
  };
  if (is({"delivered", "failed", "unknown"})) {
    // `failed` also from approved: what can never be sent, such as to a sink that is gone.
    return database_.run(R"sql(UPDATE action SET state = ?1, result = ?2, error = ?3, settled = ?4
                               WHERE id = ?5 AND (state = 'sending'
                                                  OR state = 'approved' AND ?1 = 'failed'))sql",
                         state, column_of(result), error, now, id.value) > 0;
  }
  if (is({"denied", "expired", "superseded"})) {
    return database_.run(R"sql(UPDATE action SET state = ?, result = ?, error = ?, settled = ?
                               WHERE id = ? AND state IN ('proposed', 'approved'))sql",
                         state, column_of(result), error, now, id.value) > 0;
  }
  throw std::invalid_argument(fmt::format("'{}' is no final state of an action", state));
}

bool Outbox::approve(ActionId id, TimePoint now) {
  return database_.run(R"sql(UPDATE action SET state = 'approved', not_before = ?, settled = NULL
                             WHERE id = ? AND state IN ('proposed', 'unknown', 'failed'))sql",
                       now, id.value) > 0;
}

std::vector<Action> Outbox::in_state(const std::string& state, int limit) {
  return all_of(database_.query(
      R"sql(SELECT a.id, a.key, a.decision, a.entity, a.case_id, c.key, a.kind, a.sink, a.payload,
                   a.sticky_key, a.state, a.taint, a.attempts, a.created, a.not_before, a.expires,
                   a.settled, a.result, a.error
            FROM action a INDEXED BY action_state LEFT JOIN case_ c ON c.id = a.case_id
            WHERE a.state = ? ORDER BY a.id DESC LIMIT ?)sql",
      state, limit));
}

std::vector<Action> Outbox::list(const std::string& entity, ActionId before, int limit) {
  const auto end = before ? before.value : INT64_MAX;
  if (entity.empty()) {
    return all_of(database_.query(
        R"sql(SELECT a.id, a.key, a.decision, a.entity, a.case_id, c.key, a.kind, a.sink, a.payload,
                     a.sticky_key, a.state, a.taint, a.attempts, a.created, a.not_before, a.expires,
                     a.settled, a.result, a.error
              FROM action a LEFT JOIN case_ c ON c.id = a.case_id
              WHERE a.id < ? ORDER BY a.id DESC LIMIT ?)sql",
        end, limit));
  }
  return all_of(database_.query(
      R"sql(SELECT a.id, a.key, a.decision, a.entity, a.case_id, c.key, a.kind, a.sink, a.payload,
                   a.sticky_key, a.state, a.taint, a.attempts, a.created, a.not_before, a.expires,
                   a.settled, a.result, a.error
            FROM action a INDEXED BY action_entity LEFT JOIN case_ c ON c.id = a.case_id
            WHERE a.entity = ? AND a.id < ? ORDER BY a.id DESC LIMIT ?)sql",
      entity, end, limit));
}

std::vector<Action> Outbox::list(const std::string& entity, const std::string& state,
                                 ActionId before, int limit) {
  if (state.empty()) return list(entity, before, limit);
  const auto end = before ? before.value : INT64_MAX;
  if (entity.empty()) {
    return all_of(database_.query(
        R"sql(SELECT a.id, a.key, a.decision, a.entity, a.case_id, c.key, a.kind, a.sink, a.payload,
                     a.sticky_key, a.state, a.taint, a.attempts, a.created, a.not_before, a.expires,
                     a.settled, a.result, a.error
              FROM action a INDEXED BY action_state LEFT JOIN case_ c ON c.id = a.case_id
              WHERE a.state = ? AND a.id < ? ORDER BY a.id DESC LIMIT ?)sql",
        state, end, limit));
  }
  return all_of(database_.query(
      R"sql(SELECT a.id, a.key, a.decision, a.entity, a.case_id, c.key, a.kind, a.sink, a.payload,
                   a.sticky_key, a.state, a.taint, a.attempts, a.created, a.not_before, a.expires,
                   a.settled, a.result, a.error
            FROM action a INDEXED BY action_entity_state LEFT JOIN case_ c ON c.id = a.case_id
            WHERE a.entity = ? AND a.state = ? AND a.id < ? ORDER BY a.id DESC LIMIT ?)sql",
      entity, state, end, limit));
}

std::int64_t Outbox::count_in_state(const std::string& state) {
  auto row =
      database_.query("SELECT count(*) FROM action INDEXED BY action_state WHERE state = ?", state);
  return row.next() ? row.integer(0) : 0;
}

std::optional<json::value> Outbox::last_result(const std::string& entity, CaseId case_id,
                                               const std::string& sink,
                                               const std::string& sticky_key) {
  if (sticky_key.empty()) return std::nullopt;
  auto row = database_.query(
      R"sql(SELECT result FROM action
            WHERE entity = ? AND sink = ? AND sticky_key = ? AND sticky_key <> ''
              AND case_id IS ? AND state = 'delivered'
            ORDER BY id DESC LIMIT 1)sql",
      entity, sink, sticky_key, case_id);
  if (!row.next()) return std::nullopt;
  return json_of(row.bytes(0));
}

std::optional<Action> Outbox::last_delivered(const Action& like) {
  if (like.sticky_key.empty()) return std::nullopt;
  auto row = database_.query(
      R"sql(SELECT a.id, a.key, a.decision, a.entity, a.case_id, c.key, a.kind, a.sink, a.payload,
                   a.sticky_key, a.state, a.taint, a.attempts, a.created, a.not_before, a.expires,
                   a.settled, a.result, a.error
            FROM action a LEFT JOIN case_ c ON c.id = a.case_id
            WHERE a.entity = ? AND a.sink = ? AND a.sticky_key = ? AND a.sticky_key <> ''
              AND a.case_id IS ? AND a.state = 'delivered' AND a.id < ?
            ORDER BY a.id DESC LIMIT 1)sql",
      like.entity, like.sink, like.sticky_key, like.case_id, like.id.value);
  if (!row.next()) return std::nullopt;
  return action_of(row);
}

}  // namespace vigil::storage
