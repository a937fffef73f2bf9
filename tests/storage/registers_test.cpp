#include "storage/registers.hpp"

#include "place.hpp"

namespace vigil::storage {
namespace {

TEST_CASE("a timer is one per name and case, fires once, and replaces its predecessor") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    CHECK_FALSE(s.timers.earliest());
    const auto of = s.cases.open("ops", "a", at(0)).id;
    const auto set = [&](const std::string& name, int due) {
      return s.timers.set(Timer{{}, "ops", of, {}, name, at(due), json::object{{"n", due}}});
    };
    const auto first = set("check", 10);
    const auto second = set("check", 20);
    CHECK(second != first);
    CHECK_FALSE(s.timers.erase(first));
    set("other", 15);
    CHECK(*s.timers.earliest() == at(15));
    CHECK(s.timers.due(at(14), 9).empty());
    const auto due = s.timers.due(at(20), 9);
    REQUIRE(due.size() == 2);
    CHECK(due[0].name == "other");
    CHECK(due[0].case_key == "a");
    CHECK(due[1].note == json::value{{"n", 20}});
    CHECK(s.timers.list(9).size() == 2);
    CHECK(s.timers.erase(second));
    CHECK_FALSE(s.timers.erase(second));
    CHECK(s.timers.clear(of, "other"));
    CHECK_FALSE(s.timers.clear(of, "other"));
  });
}

TEST_CASE("a budget is reserved up to its limit and settled with what it was") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    const std::string day = "2026-11-23";
    CHECK_FALSE(s.spend.reserve("ops", day, "tokens", 11, 10));
    CHECK(s.spend.reserve("ops", day, "tokens", 6, 10));
    CHECK_FALSE(s.spend.reserve("ops", day, "tokens", 5, 10));
    CHECK(s.spend.reserve("ops", day, "tokens", 4, 10));
    s.spend.settle("ops", day, "tokens", 6, 2);
    CHECK(s.spend.reserve("ops", day, "tokens", 4, 10));
    CHECK(s.spend.reserve("ops", day, "swarms", 1'000, 0));
    s.spend.settle("ops", day, "swarms", 5'000, 0);  // never below nothing
    s.spend.settle("ops", day, "compute_us", 0, 70);
    CHECK(s.spend.reserve("ops", "2026-11-24", "tokens", 10, 10));
    const auto rows = s.spend.of_day(day);
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].kind == "compute_us");
    CHECK(rows[0].amount == 70);
    CHECK(rows[1].amount == 0);
    CHECK(rows[2].kind == "tokens");
    CHECK(rows[2].amount == 10);
  });
}

TEST_CASE("entities are remembered from when they were first seen") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    s.entities.seen("ops", "ops", at(1));
    s.entities.seen("ops", "rules", at(2));
    CHECK(s.entities.set_paused("ops", true));
    CHECK_FALSE(s.entities.set_paused("nobody", true));
    const auto rows = s.entities.all();
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].kind == "rules");
    CHECK(rows[0].paused);
    CHECK(rows[0].first_seen == at(1));
    CHECK(rows[0].open_cases == 0);
  });
}

TEST_CASE("a cursor begins at nought") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    CHECK(s.cursors.get("router") == 0);
    s.cursors.set("router", 7);
    s.cursors.set("router", 9);
    CHECK(s.cursors.get("router") == 9);
  });
}

}  // namespace
}  // namespace vigil::storage
