#include "storage/audit.hpp"

#include <string>

#include "storage/chain.hpp"
#include "storage/database.hpp"

namespace vigil::storage {

void Audit::append(const AuditEntry& entry) {
  const auto id = database_.number("SELECT seq FROM sqlite_sequence WHERE name = 'audit'") + 1;
  const auto digest =
      chained(head_of(database_, Chain::audit),
              {std::to_string(id), std::to_string(to_unix_us(entry.at)), std::to_string(entry.uid),
               std::to_string(entry.pid), entry.who, entry.role, entry.what, entry.detail});
  database_.run(R"sql(INSERT INTO audit (id, digest, at, uid, pid, who, role, what, detail)
                      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?))sql",
                id, Blob{as_bytes(digest)}, entry.at, entry.uid, entry.pid, entry.who, entry.role,
                entry.what, entry.detail);
}

std::vector<AuditEntry> Audit::list(std::int64_t before, int limit) {
  std::vector<AuditEntry> out;
  auto row = database_.query(R"sql(SELECT id, at, uid, pid, who, role, what, detail FROM audit
                                   WHERE id < ? ORDER BY id DESC LIMIT ?)sql",
                             before == 0 ? INT64_MAX : before, limit);
  while (row.next()) {
    out.push_back({row.integer(0), row.time(1), row.small(2), row.small(3), row.text(4),
                   row.text(5), row.text(6), row.text(7)});
  }
  return out;
}

}  // namespace vigil::storage
