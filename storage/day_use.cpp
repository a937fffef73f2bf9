#include "storage/day_use.hpp"

#include "storage/database.hpp"

namespace vigil::storage {
namespace {

SetAside set_aside_of(Cursor row) {
  if (!row.next()) return {};
  return {Duration{row.integer(0)}, row.integer(1), row.integer(2)};
}

}  // namespace

Day day_at(TimePoint now) {
  const auto from = std::chrono::floor<std::chrono::days>(now);
  return {to_rfc3339(from).substr(0, 10), from, from + std::chrono::days{1}};
}

std::int64_t DayUse::spent(const std::string& account, const Day& day, const char* kind) {
  return database_.number("SELECT amount FROM spend WHERE day = ? AND entity = ? AND kind = ?",
                          day.name, account, std::string(kind));
}

SetAside DayUse::reserved(const Day& day) {
  return set_aside_of(database_.query(
      R"sql(SELECT coalesce(sum(reserved), 0), coalesce(sum(reserved_tokens), 0),
                   coalesce(sum(reserved_micros), 0)
            FROM swarm INDEXED BY swarm_reserved
            WHERE ended IS NULL AND asked >= ? AND asked < ?)sql",
      day.from, day.until));
}

SetAside DayUse::reserved(const Day& day, const std::string& entity) {
  return set_aside_of(database_.query(
      R"sql(SELECT coalesce(sum(reserved), 0), coalesce(sum(reserved_tokens), 0),
                   coalesce(sum(reserved_micros), 0)
            FROM swarm INDEXED BY swarm_reserved
            WHERE entity = ? AND ended IS NULL AND asked >= ? AND asked < ?)sql",
      entity, day.from, day.until));
}

SetAside DayUse::reserved(const Day& day, const std::string& entity, CaseId of) {
  return set_aside_of(database_.query(
      R"sql(SELECT coalesce(sum(reserved), 0), coalesce(sum(reserved_tokens), 0),
                   coalesce(sum(reserved_micros), 0)
            FROM swarm INDEXED BY swarm_reserved
            WHERE entity = ? AND case_id = ? AND ended IS NULL AND asked >= ? AND asked < ?)sql",
      entity, of.value, day.from, day.until));
}

void DayUse::reserve(SwarmId swarm, const SetAside& amounts) {
  database_.run(
      R"sql(UPDATE swarm SET reserved = ?, reserved_tokens = ?, reserved_micros = ?
            WHERE id = ? AND ended IS NULL)sql",
      amounts.compute.count(), amounts.tokens, amounts.money_micros, swarm.value);
}

}  // namespace vigil::storage
