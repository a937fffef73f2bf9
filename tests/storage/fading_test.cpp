#include "storage/fading.hpp"

#include "place.hpp"

namespace vigil::storage {
namespace {

using namespace std::chrono_literals;
const TimePoint start = from_unix_us(1'000'000'000'000'000);

void put(Stores& s, const std::string& entity, const std::string& key, double confidence,
         TimePoint updated) {
  s.memory.put(Fact{entity, key, 1, confidence, "told", Taint::trusted, updated});
}

TEST_CASE("what nobody used is halved once in a while, and forgotten when too little is left") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    put(s, "ops", "old", 0.5, start);
    put(s, "ops", "told", 1.0, start + 50h);
    put(s, "ops", "used", 1.0, start);
    put(s, "other", "old", 0.5, start);
    note_use(s.database(), "ops", {"used", "nothing"}, start + 60h);

    auto faded = fade(s.database(), "ops", start + 99h, 100h, 0.2);
    CHECK(faded.halved + faded.forgotten == 0);
    faded = fade(s.database(), "ops", start + 100h, 100h, 0.2);
    CHECK(faded.halved == 1);
    CHECK(faded.forgotten == 0);
    CHECK(s.memory.fact("ops", "old")->confidence == 0.25);
    CHECK(s.memory.fact("other", "old")->confidence == 0.5);
    faded = fade(s.database(), "ops", start + 100h, 100h, 0.2);  // the same night again
    CHECK(faded.halved + faded.forgotten == 0);

    faded = fade(s.database(), "ops", start + 200h, 100h, 0.2);
    CHECK(faded.halved == 3);
    CHECK(faded.forgotten == 1);
    CHECK_FALSE(s.memory.fact("ops", "old"));
    CHECK(s.memory.fact("ops", "told")->confidence == 0.5);
    CHECK(s.memory.fact("ops", "used")->confidence == 0.5);
  });
}

TEST_CASE("a use is noted to the day, and a fact told anew keeps it") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    put(s, "ops", "a", 1.0, start);
    put(s, "ops", "b", 1.0, start);
    CHECK(last_uses(s.database(), "ops", "", 10).empty());
    note_use(s.database(), "ops", {"a"}, start + 10h);
    note_use(s.database(), "ops", {"a"}, start + 20h);
    CHECK(last_uses(s.database(), "ops", "", 10).at("a") == start + 10h);
    note_use(s.database(), "ops", {"a"}, start + 34h);
    CHECK(last_uses(s.database(), "ops", "", 10).at("a") == start + 34h);
    put(s, "ops", "a", 0.9, start + 40h);
    CHECK(last_uses(s.database(), "ops", "a", 10).at("a") == start + 34h);
    CHECK(last_uses(s.database(), "ops", "b", 10).empty());
  });
}

}  // namespace
}  // namespace vigil::storage
