#include "storage/seen.hpp"

#include "storage/database.hpp"

namespace vigil::storage {

std::optional<std::string> Seen::get(const std::string& source, const std::string& item) {
  auto row = database_.query("SELECT value FROM seen WHERE source = ? AND item = ?", source, item);
  if (!row.next()) return std::nullopt;
  return row.text(0);
}

void Seen::put(const std::string& source, const std::string& item, const std::string& value,
               TimePoint at) {
  database_.run(R"sql(INSERT INTO seen (source, item, value, at) VALUES (?, ?, ?, ?)
                      ON CONFLICT (source, item)
                      DO UPDATE SET value = excluded.value, at = excluded.at)sql",
                source, item, value, at);
}

void Seen::erase(const std::string& source, const std::string& item) {
  database_.run("DELETE FROM seen WHERE source = ? AND item = ?", source, item);
}

std::vector<Seen::Row> Seen::all(const std::string& source) {
  auto row = database_.query("SELECT item, value FROM seen WHERE source = ? ORDER BY item", source);
  std::vector<Row> out;
  while (row.next()) out.push_back({row.text(0), row.text(1)});
  return out;
}

std::int64_t Seen::count(const std::string& source) {
  return database_.number("SELECT count(*) FROM seen WHERE source = ?", source);
}

std::int64_t Seen::keep_newest(const std::string& source, std::int64_t count) {
  return database_.run(
      R"sql(DELETE FROM seen WHERE source = ? AND item IN
              (SELECT item FROM seen WHERE source = ?
               ORDER BY at DESC, item DESC LIMIT -1 OFFSET ?))sql",
      source, source, count);
}

void Seen::forget(const std::string& source) {
  database_.run("DELETE FROM seen WHERE source = ?", source);
}

}  // namespace vigil::storage
