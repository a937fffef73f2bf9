#include "storage/seen.hpp"

#include "place.hpp"

namespace vigil::storage {
namespace {

TEST_CASE("what a source has seen is kept by item, and the oldest is forgotten first") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    CHECK_FALSE(s.seen.get("feed", "a"));
    s.seen.put("feed", "a", "1", at(1));
    s.seen.put("feed", "b", "2", at(2));
    s.seen.put("feed", "c", "3", at(3));
    s.seen.put("other", "a", "9", at(0));
    s.seen.put("feed", "a", "4", at(4));  // seen again: no longer the oldest
    CHECK(s.seen.get("feed", "a") == "4");
    CHECK(s.seen.keep_newest("feed", 2) == 1);
    CHECK_FALSE(s.seen.get("feed", "b"));
    const auto rows = s.seen.all("feed");
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].item == "a");
    CHECK(rows[1].value == "3");
    s.seen.erase("feed", "c");
    CHECK(s.seen.count("feed") == 1);
    s.seen.forget("feed");
    CHECK(s.seen.count("feed") == 0);
    CHECK(s.seen.get("other", "a") == "9");
  });
}

}  // namespace
}  // namespace vigil::storage
