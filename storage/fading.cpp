#include "storage/fading.hpp"

#include "storage/columns.hpp"
#include "storage/database.hpp"

namespace vigil::storage {

void note_use(Database& database, const std::string& entity, const std::vector<std::string>& keys,
              TimePoint now) {
  const TimePoint lately = now - std::chrono::hours{24};
  for (const auto& key : keys) {
    database.run("UPDATE fact SET used = ? WHERE entity = ? AND key = ? AND used <= ?", now, entity,
                 key, lately);
  }
}

std::map<std::string, TimePoint> last_uses(Database& database, const std::string& entity,
                                           const std::string& prefix, int limit) {
  auto row = database.query(R"sql(SELECT key, used FROM fact
                                  WHERE entity = ? AND key >= ? AND key < ?
                                  ORDER BY key LIMIT ?)sql",
                            entity, prefix, end_of(prefix), limit);
  std::map<std::string, TimePoint> out;
  while (row.next()) {
    if (row.integer(1) > 0) out.emplace(row.text(0), row.time(1));
  }
  return out;
}

std::int64_t episodes_after(Database& database, const std::string& entity, std::int64_t episode) {
  return database.number(
      "SELECT count(*) FROM episode INDEXED BY episode_entity WHERE entity = ? AND id > ?", entity,
      episode);
}

Faded fade(Database& database, const std::string& entity, TimePoint now, Duration unused_after,
           double forget_below) {
  Faded out;
  out.halved = database.run(R"sql(UPDATE fact SET confidence = confidence / 2, faded = ?
                                  WHERE entity = ? AND max(updated, used, faded) <= ?)sql",
                            now, entity, now - unused_after);
  out.forgotten =
      database.run("DELETE FROM fact WHERE entity = ? AND confidence < ?", entity, forget_below);
  return out;
}

}  // namespace vigil::storage
