// The ledger and the audit are chained: any change of a row, any row taken out or put in between
// shows; retention does not break the chain.
#include "storage/chain.hpp"

#include "place.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

constexpr int rows = 40;

Entry entry_number(int n) {
  Entry entry;
  entry.at = TimePoint{std::chrono::hours{n}};
  entry.entity = "clerk";
  entry.wake_kind = "event";
  entry.verdict = "noted";
  entry.why = "number " + std::to_string(n);
  if (n % 3 == 0) entry.asked = {{"facts", n}};
  return entry;
}

// A database with rows in both chains, at rest.
struct Kept {
  Kept() {
    House house(dir.path());
    house.must([](Stores& s) {
      for (int n = 0; n < rows; ++n) {
        s.ledger.append(entry_number(n));
        s.audit.append({.at = TimePoint{std::chrono::hours{n}},
                        .uid = 1000,
                        .pid = n,
                        .who = "sam",
                        .role = "admin",
                        .what = "POST /v1/config/reload",
                        .detail = {}});
      }
      return 0;
    });
  }
  ChainLook look(Chain chain) {
    const auto database = Database::open(path(), Use::check);
    return look_at_chain(*database, chain);
  }
  // As somebody with a tool of their own would.
  template <class... Values>
  void tamper(Sql sql, const Values&... values) {
    const auto database = Database::open(path(), Use::write);
    database->script("DROP TRIGGER IF EXISTS decision_stays; DROP TRIGGER IF EXISTS audit_stays;");
    CHECK(database->run(sql, values...) == 1);
  }
  std::string path() const { return dir.file("vigil.db"); }
  TempDir dir;
};

TEST_CASE("chains are whole, and their heads tell them apart") {
  Kept kept;
  const auto ledger = kept.look(Chain::ledger);
  CHECK(ledger.rows == rows);
  CHECK(ledger.unchained == 0);
  CHECK_FALSE(ledger.broken_at);
  const auto audit = kept.look(Chain::audit);
  CHECK(audit.rows == rows);
  CHECK_FALSE(audit.broken_at);
  CHECK(audit.head != ledger.head);
  CHECK(verify(kept.path()).has_value());
}

TEST_CASE("every row that is changed or taken out shows where it was") {
  for (int id = 1; id <= rows; ++id) {
    CAPTURE(id);
    {
      Kept kept;
      kept.tamper("UPDATE decision SET why = why || '.' WHERE id = ?", id);
      CHECK(kept.look(Chain::ledger).broken_at == id);
      CHECK_FALSE(verify(kept.path()).has_value());
    }
    Kept kept;
    kept.tamper("DELETE FROM audit WHERE id = ?", id);
    const auto look = kept.look(Chain::audit);
    // The last one leaves no gap: the head, noted elsewhere, is what tells.
    if (id < rows) CHECK(look.broken_at == id + 1);
    if (id == rows) CHECK_FALSE(look.broken_at);
    if (id == rows) CHECK(look.head != Kept().look(Chain::audit).head);
  }
}

TEST_CASE("each column counts, and where one ends and the next begins") {
  for (const auto& sql : {Sql("UPDATE decision SET at = at + 1 WHERE id = ?"),
                          Sql("UPDATE decision SET entity = 'clerks' WHERE id = ?"),
                          Sql("UPDATE decision SET case_id = 7 WHERE id = ?"),
                          Sql("UPDATE decision SET wake_kind = 'timer' WHERE id = ?"),
                          Sql("UPDATE decision SET events = '[1]' WHERE id = ?"),
                          Sql("UPDATE decision SET verdict = 'acted' WHERE id = ?"),
                          Sql("UPDATE decision SET rule = 'x' WHERE id = ?"),
                          Sql("UPDATE decision SET took = 1 WHERE id = ?"),
                          Sql("UPDATE decision SET asked = '{}' WHERE id = ?"),
                          Sql("UPDATE decision SET digest = zeroblob(32) WHERE id = ?"),
                          Sql("UPDATE decision SET digest = NULL WHERE id = ?"),
                          Sql("UPDATE decision SET verdict = 'not', rule = 'ed' WHERE id = ?")}) {
    CAPTURE(sql.text());
    Kept kept;
    kept.tamper(sql, 20);
    CHECK(kept.look(Chain::ledger).broken_at == 20);
  }
}

TEST_CASE("rows are not changed by mistake") {
  Kept kept;
  const auto database = Database::open(kept.path(), Use::write);
  CHECK_THROWS_AS(database->run("UPDATE decision SET why = 'x' WHERE id = 1"), DatabaseError);
  CHECK_THROWS_AS(database->run("UPDATE audit SET who = 'x' WHERE id = 1"), DatabaseError);
}

TEST_CASE("what was erased because it was old does not break the chain") {
  Kept kept;
  {
    House house(kept.dir.path());
    Writer::Retention old;
    old.ledger_before = TimePoint{std::chrono::hours{15}};
    CHECK(house.await(house.writer->retain(old)).value() == 15);
    house.must([](Stores& s) { return s.ledger.append(entry_number(rows)).value; });
  }
  const auto look = kept.look(Chain::ledger);
  CHECK(look.rows == rows - 15 + 1);
  CHECK_FALSE(look.broken_at);
  kept.tamper("DELETE FROM decision WHERE id = ?", 16);
  CHECK(kept.look(Chain::ledger).broken_at == 17);
}

}  // namespace
}  // namespace vigil::storage
