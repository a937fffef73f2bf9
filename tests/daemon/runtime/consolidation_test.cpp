#include "daemon/runtime/consolidation.hpp"

#include <doctest/doctest.h>

#include "storage/fading.hpp"
#include "tests/support/store_world.hpp"

using namespace vigil;
using namespace vigil::runtime;
using namespace std::chrono_literals;
using vigil::testing::StoreWorld;

namespace {

const TimePoint night = parse_rfc3339("2026-11-23T03:30:00Z").value();

struct World : StoreWorld {
  CaseId of;
  config::MemoryUpkeep rules;

  World() {
    commit([&](storage::Stores& stores) { of = stores.cases.open("guard", "one", night).id; });
  }
  void happened(int times, const std::string& kind, const std::string& text) {
    commit([&](storage::Stores& stores) {
      for (int time = 0; time < times; ++time) {
        stores.memory.add({0, "guard", of, night, kind, text, nullptr, Taint::untrusted});
      }
    });
  }
  Consolidated consolidate(TimePoint at) {
    Consolidated out;
    commit(
        [&](storage::Stores& stores) { out = commit_consolidation(stores, "guard", rules, at); });
    return out;
  }
  std::vector<storage::Fact> facts() { return reader()->memory.facts("guard", "seen:", 100); }
};

}  // namespace

TEST_CASE("a night makes facts of what happened, says so once, and changes nothing when repeated") {
  World world;
  world.happened(4, "note", "the printer is out of paper");
  const auto first = world.consolidate(night);
  CHECK(first.episodes == 4);
  CHECK(first.facts == 2);
  const auto row = world.reader()->ledger.find(first.decision);
  REQUIRE(row);
  CHECK(row->entity == "guard");
  CHECK(row->rule == "consolidate");
  CHECK(row->why ==
        "of 4 new episodes came 2 facts and 0 preferences; 0 unused facts were halved, 0 "
        "forgotten");
  const auto facts = world.facts();
  REQUIRE(facts.size() == 2);
  CHECK(facts[0].key == "seen:kind:note");
  CHECK(facts[0].provenance == "4 of 4 episodes: 1 2 3 4");
  CHECK(facts[0].confidence == doctest::Approx(0.8));
  CHECK(facts[1].taint == Taint::untrusted);
  CHECK(facts[0].updated == night);

  const auto again = world.consolidate(night + 1min);
  CHECK(again.facts == 0);
  CHECK(again.decision == DecisionId{});
  CHECK(world.facts()[0].updated == night);
  CHECK(world.reader()->ledger.list("guard", DecisionId{}, 10).size() == 1);
}

TEST_CASE("what was forgotten does not come back of itself, but of what happens anew") {
  World world;
  world.happened(3, "note", "the printer is out of paper");
  (void)world.consolidate(night);
  world.commit([](storage::Stores& stores) { stores.memory.forget("guard", "seen:"); });
  world.happened(1, "other", "something else");
  CHECK(world.consolidate(night + 24h).facts == 0);
  CHECK(world.facts().empty());
  world.happened(1, "note", "the printer is out of paper");
  CHECK(world.consolidate(night + 48h).facts == 2);
  CHECK(world.facts()[0].provenance == "4 of 5 episodes: 1 2 3 5");
}

TEST_CASE("only the newest episodes are looked at, and what is too unsure is not kept") {
  World world;
  world.rules.episodes_max = 3;
  world.happened(5, "note", "first");
  auto done = world.consolidate(night);
  CHECK(done.episodes == 3);
  CHECK(world.facts()[0].provenance == "3 of 3 episodes: 3 4 5");
  world.rules.forget_below = 0.8;
  world.happened(3, "note", "second");
  done = world.consolidate(night + 24h);
  CHECK(done.facts == 0);
  CHECK(done.forgotten == 2);
  CHECK(world.facts().empty());
}

TEST_CASE("facts of long ago fade night by night, unless a decision used them") {
  World world;
  world.commit([](storage::Stores& stores) {
    for (const auto* key : {"owner", "zone"}) {
      stores.memory.put(storage::Fact{"guard", key, "x", 1.0, "told", Taint::trusted, night});
    }
    storage::note_use(stores.database(), "guard", {"zone"}, night + 80 * 24h);
  });
  const auto done = world.consolidate(night + 90 * 24h);
  CHECK(done.halved == 1);
  REQUIRE(done.decision);
  const auto reader = world.reader();
  CHECK(reader->memory.fact("guard", "owner")->confidence == 0.5);
  CHECK(reader->memory.fact("guard", "zone")->confidence == 1.0);
}
