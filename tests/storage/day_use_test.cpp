#include "storage/day_use.hpp"

#include "place.hpp"

namespace vigil::storage {
namespace {

TEST_CASE("what swarms set aside is of their day, entity and case, and gone when they end") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    const auto today = day_at(at(0));
    DayUse use(s.database());
    const auto add = [&](const std::string& entity, CaseId of, TimePoint asked) {
      Swarm swarm;
      swarm.entity = entity;
      swarm.case_id = of;
      swarm.state = "planned";
      swarm.created = swarm.asked = asked;
      const auto id = s.swarms.add(swarm);
      use.reserve(id, {std::chrono::seconds{2}, 100, 7});
      return id;
    };
    const auto a = s.cases.open("ops", "a", at(0)).id;
    const auto b = s.cases.open("ops", "b", at(0)).id;
    const auto first = add("ops", a, today.from);
    const auto second = add("ops", b, today.until - Duration{1});
    add("desk", s.cases.open("desk", "a", at(0)).id, today.from);
    add("ops", a, today.until);
    add("ops", a, today.from - Duration{1});
    CHECK(use.reserved(today).tokens == 300);
    CHECK(use.reserved(today, "ops").tokens == 200);
    CHECK(use.reserved(today, "ops").compute == std::chrono::seconds{4});
    CHECK(use.reserved(today, "ops", a).money_micros == 7);
    CHECK(use.reserved(today, "ops", b).tokens == 100);
    s.swarms.finish(first, "failed", json::object{}, today.from);
    CHECK(use.reserved(today, "ops").tokens == 100);
    use.reserve(first, {{}, 1'000, 0});  // it has ended: nothing is set aside any more
    CHECK(use.reserved(today, "ops").tokens == 100);
    s.swarms.finish(second, "done", json::object{}, today.from);
    CHECK(use.reserved(today, "ops").tokens == 0);
    CHECK(s.swarms.reopen(first, today.from, std::chrono::seconds{1}));
    CHECK(use.reserved(today, "ops").compute == std::chrono::seconds{1});
  });
}

TEST_CASE("a day ends at midnight UTC, and what was spent is asked for one by one") {
  CHECK(day_at(parse_rfc3339("2026-11-23T23:59:59.999Z").value()).name == "2026-11-23");
  const auto day = day_at(parse_rfc3339("2026-11-24T00:00:00Z").value());
  CHECK(day.name == "2026-11-24");
  CHECK(to_rfc3339(day.until) == "2026-11-25T00:00:00.000Z");
  TempDir dir;
  House house(dir.path());
  house.must([&](Stores& s) {
    s.spend.settle("case:7", day.name, "tokens", 0, 5);
    DayUse use(s.database());
    CHECK(use.spent("case:7", day, "tokens") == 5);
    CHECK(use.spent("case:8", day, "tokens") == 0);
  });
}

}  // namespace
}  // namespace vigil::storage
