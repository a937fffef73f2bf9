#include "storage/memory.hpp"

#include "storage/columns.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

Fact fact_of(const Cursor& row) {
  return {row.text(0),  row.text(1), json_of(row.bytes(2)), row.real(3), row.text(4),
          row.taint(5), row.time(6)};
}

Preference preference_of(const Cursor& row) {
  return {row.text(0), row.text(1), json_of(row.bytes(2)), row.text(3), row.time(4), row.taint(5)};
}

Episode episode_of(const Cursor& row) {
  return {row.integer(0), row.text(1), row.id<CaseId>(2),     row.time(3),
          row.text(4),    row.text(5), json_of(row.bytes(6)), row.taint(7)};
}

}  // namespace

std::int64_t Memory::add(const Episode& episode) {
  database_.run(R"sql(INSERT INTO episode (entity, case_id, at, kind, text, data, taint)
                      VALUES (?, ?, ?, ?, ?, ?, ?))sql",
                episode.entity, episode.case_id.value, episode.at, episode.kind, episode.text,
                column_of(episode.data), episode.taint);
  return database_.last_id();
}

void Memory::put(const Fact& fact) {
  if (fact.value.is_null()) {
    database_.run("DELETE FROM fact WHERE entity = ? AND key = ?", fact.entity, fact.key);
    return;
  }
  database_.run(R"sql(INSERT INTO fact (entity, key, value, confidence, provenance, taint, updated)
                      VALUES (?, ?, ?, ?, ?, ?, ?)
                      ON CONFLICT (entity, key) DO UPDATE SET value = excluded.value,
                        confidence = excluded.confidence, provenance = excluded.provenance,
                        taint = excluded.taint, updated = excluded.updated)sql",
                fact.entity, fact.key, column_of(fact.value), fact.confidence, fact.provenance,
                fact.taint, fact.updated);
}

void Memory::put(const Preference& preference) {
  if (preference.value.is_null()) {
    database_.run("DELETE FROM preference WHERE entity = ? AND key = ?", preference.entity,
                  preference.key);
    return;
  }
  database_.run(R"sql(INSERT INTO preference (entity, key, value, why, updated, taint)
                      VALUES (?, ?, ?, ?, ?, ?)
                      ON CONFLICT (entity, key) DO UPDATE SET value = excluded.value,
                        why = excluded.why, updated = excluded.updated,
                        taint = excluded.taint)sql",
                preference.entity, preference.key, column_of(preference.value), preference.why,
                preference.updated, preference.taint);
}

void Memory::put(const Document& document) {
  if (document.body.empty()) {
    forget_passages(document.entity, document.key, document.key + '\0');
    database_.run("DELETE FROM document WHERE entity = ? AND key = ?", document.entity,
                  document.key);
    return;
  }
  database_.run(R"sql(INSERT INTO document (entity, key, title, body, taint, updated)
                      VALUES (?, ?, ?, ?, ?, ?)
                      ON CONFLICT (entity, key) DO UPDATE SET title = excluded.title,
                        body = excluded.body, taint = excluded.taint, updated = excluded.updated
                )sql",
                document.entity, document.key, document.title, document.body, document.taint,
                document.updated);
  const auto id = database_.number("SELECT id FROM document WHERE entity = ? AND key = ?",
                                   document.entity, document.key);
  const Passages::Source source{id, document.entity, document.title, document.body};
  passages.put({&source, 1});
}

void Memory::forget_passages(const std::string& entity, const std::string& from,
                             const std::string& to) {
  std::vector<std::int64_t> ids;
  {
    auto row = database_.query("SELECT id FROM document WHERE entity = ? AND key >= ? AND key < ?",
                               entity, from, to);
    while (row.next()) ids.push_back(row.integer(0));
  }
  for (const auto id : ids) passages.erase(id);
}

std::optional<Fact> Memory::fact(const std::string& entity, const std::string& key) {
  auto row = database_.query(R"sql(SELECT entity, key, value, confidence, provenance, taint, updated
                                   FROM fact WHERE entity = ? AND key = ?)sql",
                             entity, key);
  if (!row.next()) return std::nullopt;
  return fact_of(row);
}

std::vector<Fact> Memory::facts(const std::string& entity, const std::string& prefix, int limit) {
  auto row = database_.query(R"sql(SELECT entity, key, value, confidence, provenance, taint, updated
                                   FROM fact WHERE entity = ? AND key >= ? AND key < ?
                                   ORDER BY key LIMIT ?)sql",
                             entity, prefix, end_of(prefix), limit);
  std::vector<Fact> out;
  while (row.next()) out.push_back(fact_of(row));
  return out;
}

std::optional<Preference> Memory::preference(const std::string& entity, const std::string& key) {
  auto row = database_.query(R"sql(SELECT entity, key, value, why, updated, taint
                                   FROM preference WHERE entity = ? AND key = ?)sql",
                             entity, key);
  if (!row.next()) return std::nullopt;
  return preference_of(row);
}

std::vector<Preference> Memory::preferences(const std::string& entity, const std::string& prefix,
                                            int limit) {
  auto row = database_.query(R"sql(SELECT entity, key, value, why, updated, taint
                                   FROM preference WHERE entity = ? AND key >= ? AND key < ?
                                   ORDER BY key LIMIT ?)sql",
                             entity, prefix, end_of(prefix), limit);
  std::vector<Preference> out;
  while (row.next()) out.push_back(preference_of(row));
  return out;
}

std::optional<Document> Memory::document(const std::string& entity, const std::string& key) {
  auto row = database_.query(R"sql(SELECT entity, key, title, body, taint, updated
                                   FROM document WHERE entity = ? AND key = ?)sql",
                             entity, key);
  if (!row.next()) return std::nullopt;
  return Document{row.text(0), row.text(1), row.text(2), row.text(3), row.taint(4), row.time(5)};
}

std::vector<Episode> Memory::episodes(const std::string& entity, CaseId case_id, int limit) {
  auto row = case_id ? database_.query(
                           R"sql(SELECT id, entity, case_id, at, kind, text, data, taint
                                 FROM episode WHERE entity = ? AND case_id = ?
                                 ORDER BY id DESC LIMIT ?)sql",
                           entity, case_id, limit)
                     : database_.query(
                           R"sql(SELECT id, entity, case_id, at, kind, text, data, taint
                                 FROM episode INDEXED BY episode_entity WHERE entity = ?
                                 ORDER BY id DESC LIMIT ?)sql",
                           entity, limit);
  std::vector<Episode> out;
  while (row.next()) out.push_back(episode_of(row));
  return out;
}

int Memory::forget(const std::string& entity, const std::string& prefix) {
  const auto end = end_of(prefix);
  int gone = database_.run("DELETE FROM fact WHERE entity = ? AND key >= ? AND key < ?", entity,
                           prefix, end);
  gone += database_.run("DELETE FROM preference WHERE entity = ? AND key >= ? AND key < ?", entity,
                        prefix, end);
  forget_passages(entity, prefix, end);
  gone += database_.run("DELETE FROM document WHERE entity = ? AND key >= ? AND key < ?", entity,
                        prefix, end);
  return gone;
}

}  // namespace vigil::storage
