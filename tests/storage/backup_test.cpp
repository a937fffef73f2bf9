#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>

#include "place.hpp"
#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "storage/state_dir.hpp"

namespace vigil::storage {
namespace {

void add_events(House& house, int from, int to) {
  house.must([=](Stores& s) {
    for (int number = from; number <= to; ++number) {
      auto event = some_event(std::to_string(number));
      event.received_at = at(number);
      s.journal.append(event);
    }
    s.cases.open("ops", "a", at(0));
  });
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a backup is a whole database of that moment, for its user alone") {
  TempDir dir;
  House house(dir.file("state"));
  add_events(house, 1, 100);
  const auto copy = dir.file("copy.db");
  const auto made = house.await(house.writer->backup(copy));
  REQUIRE_MESSAGE(made.has_value(), made.error().message);
  add_events(house, 101, 120);
  struct stat about{};
  REQUIRE(::stat(copy.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  const auto verified = verify(copy);
  REQUIRE_MESSAGE(verified.has_value(), verified.error().message);
  CHECK(verified->schema_version == newest_version());
  CHECK(verified->events == 100);
  CHECK(verified->cases == 1);
  CHECK(verified->decisions == 0);
  CHECK(verified->last_event_at == to_rfc3339(at(100)));
  CHECK_FALSE(std::filesystem::exists(copy + "-wal"));
  CHECK_FALSE(std::filesystem::exists(copy + ".partial"));
}

TEST_CASE("a backup does not overwrite, and says why it cannot be made") {
  TempDir dir;
  House house(dir.file("state"));
  std::ofstream(dir.file("mine")) << "precious";
  const auto taken = house.await(house.writer->backup(dir.file("mine")));
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().code == ErrorCode::conflict);
  CHECK(std::filesystem::file_size(dir.file("mine")) == 8);
  const auto nowhere = house.await(house.writer->backup(dir.file("no/such/place")));
  REQUIRE_FALSE(nowhere.has_value());
  CHECK(holds(nowhere.error().message, "No such file"));
  CHECK(house.broken.empty());
}

TEST_CASE("the live database verifies while the daemon has it") {
  TempDir dir;
  House house(dir.path());
  add_events(house, 1, 5);
  const auto verified = verify(dir.file("vigil.db"));
  REQUIRE_MESSAGE(verified.has_value(), verified.error().message);
  CHECK(verified->events == 5);
  add_events(house, 6, 7);
  CHECK(house.reader()->journal.last().value == 7);
}

TEST_CASE("what is no backup does not verify") {
  TempDir dir;
  CHECK(holds(verify(dir.file("absent")).error().message, "there is no"));
  std::ofstream(dir.file("text")) << std::string(10'000, 'x');
  CHECK(holds(verify(dir.file("text")).error().message, "is damaged"));
  std::ofstream(dir.file("empty")).flush();
  CHECK(holds(verify(dir.file("empty")).error().message, "empty"));
  {
    House house(dir.file("state"));
    add_events(house, 1, 300);
  }
  const auto path = dir.file("state/vigil.db");
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path)) - 3 * 4096);
  file << std::string(2 * 4096, 'y');
  file.close();
  CHECK(holds(verify(path).error().message, "is damaged"));
}

TEST_CASE("a restore puts the backup in place and keeps what was there") {
  TempDir dir;
  const auto state = dir.file("state");
  const auto copy = dir.file("copy.db");
  {
    House house(state);
    add_events(house, 1, 10);
    REQUIRE(house.await(house.writer->backup(copy)).has_value());
    add_events(house, 11, 20);
    const auto refused = restore(copy, state);
    REQUIRE_FALSE(refused.has_value());
    CHECK(holds(refused.error().message, "stop it first"));
  }
  const auto restored = restore(copy, state);
  REQUIRE_MESSAGE(restored.has_value(), restored.error().message);
  {
    House house(state);
    CHECK_FALSE(house.writer->was_unclean());
    CHECK(house.reader()->journal.last().value == 10);
    add_events(house, 31, 31);
  }
  int kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(state)) {
    if (!holds(entry.path().filename().string(), ".replaced-")) continue;
    ++kept;
    CHECK(verify(entry.path().string())->events == 20);
  }
  CHECK(kept == 1);
}

TEST_CASE("a restore takes the place of a damaged database, with what its log held") {
  TempDir dir;
  const auto state = dir.file("state");
  {
    House house(state);
    add_events(house, 1, 10);
    REQUIRE(house.await(house.writer->backup(dir.file("copy.db"))).has_value());
  }
  std::ofstream(state + "/vigil.db") << "no database at all, but long enough to be looked at";
  std::ofstream(state + "/vigil.db-wal") << "some log";
  CHECK_FALSE(Writer::open(WriterOptions{.state_dir = state}).has_value());
  REQUIRE(restore(dir.file("copy.db"), state).has_value());
  House house(state);
  CHECK(house.reader()->journal.last().value == 10);
}

TEST_CASE("a restore that did not end is not taken for an empty house") {
  TempDir dir;
  const auto state = dir.file("state");
  {
    House house(state);
    add_events(house, 1, 10);
    REQUIRE(house.await(house.writer->backup(dir.file("copy.db"))).has_value());
  }
  {
    auto locked = StateDir::lock(state);
    REQUIRE(locked.has_value());
    (*locked)->mark(LastEnd::restoring);
  }
  const auto refused = Writer::open(WriterOptions{.state_dir = state});
  REQUIRE_FALSE(refused.has_value());
  CHECK(holds(refused.error().message, "run `vigilctl backup restore FILE` again"));
  REQUIRE(restore(dir.file("copy.db"), state).has_value());
  CHECK(Writer::open(WriterOptions{.state_dir = state}).has_value());
}

}  // namespace
}  // namespace vigil::storage
