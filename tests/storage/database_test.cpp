#include "storage/database.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "core/digest.hpp"
#include "place.hpp"
#include "storage/backup.hpp"
#include "storage/compress.hpp"
#include "storage/migrations.hpp"

namespace vigil::storage {
namespace {

std::string error_of_opening(const std::string& dir) {
  auto opened = Writer::open(WriterOptions{.state_dir = dir});
  return opened ? "" : opened.error().message;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void run_sql(const std::string& path, const char* sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
  REQUIRE_MESSAGE(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) == SQLITE_OK,
                  sqlite3_errmsg(handle));
  sqlite3_close(handle);
}

TEST_CASE("values bind and read back, and a nought id is no value") {
  TempDir dir;
  auto database = Database::open(dir.file("x.db"), Use::write);
  database->script("CREATE TABLE t (i INTEGER, r REAL, t TEXT, b BLOB) STRICT");
  const std::string bytes("\0\xff\0", 3);
  database->run("INSERT INTO t VALUES (?, ?, ?, ?)", CaseId{}, 2.5, "täxt", Blob{bytes});
  database->run("INSERT INTO t VALUES (?, ?, ?, ?)", CaseId{7}, std::optional<double>(), "",
                Blob{});
  auto row = database->query("SELECT i, r, t, b FROM t ORDER BY rowid");
  REQUIRE(row.next());
  CHECK(row.is_null(0));
  CHECK(row.id<CaseId>(0) == CaseId{});
  CHECK(row.real(1) == 2.5);
  CHECK(row.text(2) == "täxt");
  CHECK(row.bytes(3) == bytes);
  REQUIRE(row.next());
  CHECK(row.id<CaseId>(0) == CaseId{7});
  CHECK(row.is_null(1));
  CHECK_FALSE(row.is_null(2));
  CHECK_FALSE(row.is_null(3));
  CHECK_FALSE(row.next());
}

TEST_CASE("a transaction that is not committed leaves nothing, a savepoint only itself") {
  TempDir dir;
  auto database = Database::open(dir.file("x.db"), Use::write);
  database->script("CREATE TABLE t (i INTEGER PRIMARY KEY) STRICT");
  {
    const Transaction transaction(*database);
    database->run("INSERT INTO t VALUES (1)");
  }
  CHECK(database->number("SELECT count(*) FROM t") == 0);
  Transaction transaction(*database);
  database->run("INSERT INTO t VALUES (2)");
  {
    Savepoint savepoint(*database);
    database->run("INSERT INTO t VALUES (3)");
  }
  {
    Savepoint savepoint(*database);
    database->run("INSERT INTO t VALUES (4)");
    savepoint.release();
  }
  transaction.commit();
  CHECK(database->number("SELECT count(*) FROM t") == 2);
  CHECK(database->number("SELECT max(i) FROM t") == 4);
}

TEST_CASE("the connection is set up for safety") {
  TempDir dir;
  auto database = Database::open(dir.file("x.db"), Use::write);
  CHECK(database->number("PRAGMA synchronous") == 2);
  CHECK(database->number("PRAGMA foreign_keys") == 1);
  CHECK(database->number("PRAGMA wal_autocheckpoint") == 0);
  CHECK(database->number("PRAGMA mmap_size") == 0);
  auto mode = database->query("PRAGMA journal_mode");
  REQUIRE(mode.next());
  CHECK(mode.text(0) == "wal");
}

TEST_CASE("packed bytes come back, and grow by one byte at most") {
  std::string noise;
  for (std::uint32_t at = 0, x = 1; at < 5'000; ++at) {
    x = x * 1'664'525 + 1'013'904'223;
    noise += static_cast<char>(x >> 24);
  }
  const std::string plain(20'000, 'a');
  for (const std::string& bytes : {std::string(), std::string("x"), noise, plain, plain + noise}) {
    CHECK(unpack(pack(bytes)) == bytes);
    CHECK(pack(bytes).size() <= bytes.size() + 1);
  }
  CHECK(pack(plain).size() < 100);
  CHECK_THROWS_AS(unpack("\x01garbage"), std::runtime_error);
  CHECK_THROWS_AS(unpack("\x07"), std::runtime_error);
}

TEST_CASE("only its user reads the files") {
  TempDir dir;
  const auto inner = dir.file("made/state");
  House house(inner);
  house.must([](Stores& s) { s.cursors.set("a", 1); });
  const auto mode_of = [](const std::string& path) {
    struct stat about{};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 0777;
  };
  CHECK(mode_of(inner) == 0700);
  CHECK(mode_of(inner + "/vigil.db") == 0600);
  CHECK(mode_of(inner + "/vigil.db-wal") == 0600);
  CHECK(mode_of(inner + "/vigil.lock") == 0600);
}

TEST_CASE("a second writer is refused with what to do") {
  TempDir dir;
  {
    House house(dir.path());
    CHECK(holds(error_of_opening(dir.path()), "another vigild"));
    house.writer->stop();
    CHECK(error_of_opening(dir.path()).empty());  // stopped: the lock is free
  }
  CHECK(error_of_opening(dir.path()).empty());
}

TEST_CASE("a damaged file is refused and points at the backups") {
  TempDir dir;
  {
    House house(dir.path());
  }
  SUBCASE("its head is overwritten") {
    std::fstream file(dir.file("vigil.db"), std::ios::in | std::ios::out | std::ios::binary);
    file << std::string(4096, 'x');
  }
  SUBCASE("it is cut off") { std::filesystem::resize_file(dir.file("vigil.db"), 4096 * 5); }
  const auto error = error_of_opening(dir.path());
  CHECK(holds(error, "is damaged"));
  CHECK(holds(error, "vigilctl backup restore"));
}

TEST_CASE("after an unclean end a page that was overwritten is noticed") {
  TempDir dir;
  {
    House house(dir.path());
    house.must([](Stores& s) {
      for (int number = 0; number < 500; ++number) {
        s.journal.append(some_event(std::to_string(number)));
      }
    });
  }
  {
    std::fstream file(dir.file("vigil.db"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(dir.file("vigil.db"))) -
               3 * 4096);
    file << std::string(2 * 4096, 'x');
  }
  std::ofstream(dir.file("vigil.lock")) << "running\n";
  CHECK(holds(error_of_opening(dir.path()), "is damaged"));
}

TEST_CASE("what is checked of a large file are the tables that do not grow with time") {
  TempDir dir;
  {
    House house(dir.path());
    house.must([](Stores& s) { s.cursors.set("router", 1); });
  }
  auto database = Database::open(dir.file("vigil.db"), Use::check);
  CHECK(damage_of(*database, Depth::brief).empty());
  CHECK(damage_of(*database, Depth::quick).empty());
  CHECK(damage_of(*database, Depth::whole).empty());
}

TEST_CASE("files of others and of the future are refused untouched") {
  TempDir dir;
  SUBCASE("another program's") {
    run_sql(dir.file("vigil.db"), "CREATE TABLE theirs (x)");
    CHECK(holds(error_of_opening(dir.path()), "no database of vigild"));
  }
  SUBCASE("a newer schema") {
    {
      House house(dir.path());
    }
    run_sql(dir.file("vigil.db"), "PRAGMA user_version = 999");
    const auto error = error_of_opening(dir.path());
    CHECK(holds(error, "newer vigild (schema 999"));
    CHECK(holds(error, "install that version"));
    auto reader = Stores::open_reader(dir.path());
    REQUIRE_FALSE(reader.has_value());
    CHECK(holds(reader.error().message, "newer vigild"));
  }
}

TEST_CASE("a reader of a directory without database is told so") {
  TempDir dir;
  auto reader = Stores::open_reader(dir.path());
  REQUIRE_FALSE(reader.has_value());
  CHECK(holds(reader.error().message, "cannot be read"));
}

TEST_CASE("a clean end and a crash are told apart") {
  TempDir dir;
  {
    House house(dir.path());
    CHECK_FALSE(house.writer->was_unclean());
  }
  {
    House house(dir.path());
    CHECK_FALSE(house.writer->was_unclean());
  }
  std::ofstream(dir.file("vigil.lock")) << "running\n";
  {
    House house(dir.path());
    CHECK(house.writer->was_unclean());
  }
  {
    House house(dir.path());
    CHECK_FALSE(house.writer->was_unclean());
  }
}

// A migration that has landed is never edited: add another one, and its checksum here.
TEST_CASE("landed migrations are what they were") {
  const std::map<int, std::string> landed = {
      {1, "dac543bc2017b93676faa8b17fb0f9c820ddc9e379d3618a3f1449ee312ac1b5"},
      {2, "71f2d64c98eef7d714610c5202b058ab1a68b75d24ac4aee75b05315f9efeb81"},
      {3, "22d59dcf1b2180cc586e91bdb82d829913319ddf4f063ace52e979cd7bfd9134"},
      {4, "4535585bdaab97730a28e81262b3d89e60919839293e302a78f429c3922210cf"},
      {5, "952cc01400b5eab409f8cbf6f0cbe87eb464cc10e465e9666a38d2101c35325c"},
      {6, "081481abb82b5b1c144bf5d2381de7c30c8d63622cf56a9d1d646d73f9be6b32"},
      {7, "b33be7942a6414703fcb355b1334a7b8f0eea3ef4d6a08ccff42ec10acf4fee1"},
      {8, "28122964da400be1922c264697c42eb98078583f94d6ca2baa8e9b6c2c1343e7"},
      {9, "659ac30cf14903570e99fc5062b3d5a80e3dc6d9e1245bbd9e8e1beacaa5bdb9"},
      {10, "929ad68aad83a94792badb364c35ace216f9e33e9ba5a263e00d1bb2dd198894"},
      {11, "ee83872b4fab32e55b04092c439f6789afbe711f7bd7d59deda02511446515da"},
  };
  REQUIRE(migrations().size() == landed.size());
  int expected = 0;
  for (const auto& step : migrations()) {
    CHECK(step.version == ++expected);
    const auto digest = sha256(step.statements.text());
    CHECK(to_hex(as_bytes(digest)) == landed.at(step.version));
  }
}

}  // namespace
}  // namespace vigil::storage
