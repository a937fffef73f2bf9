#include "storage/chain.hpp"

#include <fmt/format.h>

#include "storage/database.hpp"

namespace vigil::storage {
namespace {

// Columns of both walks: id, digest, then the content.
constexpr Sql ledger_rows = R"sql(
  SELECT id, digest, at, entity, coalesce(case_id, 0), coalesce(wake, 0), wake_kind, events,
         verdict, rule, why, took, asked
  FROM decision ORDER BY id)sql";
constexpr Sql audit_rows = R"sql(
  SELECT id, digest, at, uid, pid, who, role, what, detail FROM audit ORDER BY id)sql";
constexpr int ledger_columns = 13;
constexpr int audit_columns = 9;

std::string_view name_of(Chain chain) { return chain == Chain::ledger ? "decision" : "audit"; }

void add(std::string& out, std::string_view field) {
  out += fmt::format("{}:", field.size());
  out += field;
}

// SQLite gives numbers as the decimal text they were chained as.
std::string content_of(const Cursor& row, int columns, std::string_view before) {
  std::string out(before);
  add(out, row.bytes(0));
  for (int column = 2; column < columns; ++column) add(out, row.bytes(column));
  return out;
}

struct Start {
  std::int64_t id = 1;
  std::string digest;
};

Start start_of(Database& database, Chain chain) {
  auto row = database.query("SELECT start, digest FROM chain WHERE name = ?", name_of(chain));
  if (!row.next()) return {1, std::string(32, '\0')};
  return {row.integer(0), row.text(1)};
}

}  // namespace

Sha256 chained(std::string_view before, std::initializer_list<std::string_view> fields) {
  std::string content(before);
  for (const auto field : fields) add(content, field);
  return sha256(content);
}

std::string head_of(Database& database, Chain chain) {
  auto row = chain == Chain::ledger
                 ? database.query("SELECT digest FROM decision ORDER BY id DESC LIMIT 1")
                 : database.query("SELECT digest FROM audit ORDER BY id DESC LIMIT 1");
  if (row.next() && !row.is_null(0)) return row.text(0);
  return start_of(database, chain).digest;
}

void move_start(Database& database, Chain chain, std::int64_t last) {
  std::string digest;
  {
    auto row = chain == Chain::ledger
                   ? database.query("SELECT digest FROM decision WHERE id = ?", last)
                   : database.query("SELECT digest FROM audit WHERE id = ?", last);
    if (!row.next() || row.is_null(0)) return;  // from before there was a chain
    digest = row.text(0);
  }
  database.run("UPDATE chain SET start = ?, digest = ? WHERE name = ?", last + 1, Blob{digest},
               name_of(chain));
}

ChainLook look_at_chain(Database& database, Chain chain) {
  const auto start = start_of(database, chain);
  ChainLook look;
  auto before = start.digest;
  auto row = database.query(chain == Chain::ledger ? ledger_rows : audit_rows);
  while (row.next()) {
    const auto id = row.integer(0);
    look.last = id;
    if (id < start.id && row.is_null(1)) {
      ++look.unchained;
      continue;
    }
    ++look.rows;
    if (look.broken_at) continue;
    const auto digest =
        sha256(content_of(row, chain == Chain::ledger ? ledger_columns : audit_columns, before));
    if (row.bytes(1) != as_bytes(digest)) look.broken_at = id;
    before = as_bytes(digest);
  }
  look.head = to_hex(before);
  return look;
}

}  // namespace vigil::storage
