#include "daemon/upkeep.hpp"

#include <doctest/doctest.h>

#include "daemon/runtime/consolidation.hpp"
#include "tests/support/clocked_world.hpp"

using namespace vigil;
using namespace std::chrono_literals;
using vigil::testing::ClockedWorld;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

struct World : ClockedWorld {
  config::Settings settings;
  std::unique_ptr<Upkeep> upkeep;
  std::unique_ptr<TaskGroup> nights;

  World() : ClockedWorld(noon) {
    settings.entities["guard"].name = "guard";
    start();
  }
  ~World() { stop(); }
  void start() {
    upkeep = std::make_unique<Upkeep>(
        loop.get_executor(), clock, *writer,
        [this]() -> const config::Settings& { return settings; },
        [this](const std::string& entity) { return consolidate(entity); });
    nights = std::make_unique<TaskGroup>(loop.get_executor());
    nights->spawn("upkeep", [this] { return upkeep->run(*reader); });
    settle();
  }
  boost::asio::awaitable<Result<runtime::Consolidated>> consolidate(std::string entity) {
    auto change = [this, entity](storage::Stores& stores) {
      return runtime::commit_consolidation(stores, entity, settings.memory, clock.now());
    };
    auto committing = writer->commit(std::move(change));
    co_return co_await std::move(committing);
  }
  void stop() {
    nights->cancel();
    until([this] { return nights->size() == 0; });
    nights.reset();
    upkeep.reset();
  }
  void happened(int times) {
    commit([&](storage::Stores& stores) {
      const auto of = stores.cases.find("guard", "one");
      const auto in = of ? of->id : stores.cases.open("guard", "one", noon).id;
      for (int time = 0; time < times; ++time) {
        stores.memory.add({0, "guard", in, noon, "note", "paper is out", nullptr, Taint::trusted});
      }
    });
  }
  std::vector<storage::Entry> rows() { return reader->ledger.list("guard", DecisionId{}, 10); }
};

}  // namespace

TEST_CASE("memories are consolidated at the time of the zone, once a night") {
  World world;
  world.settings.memory.tz = "Europe/Berlin";
  world.upkeep->settings_changed();
  world.happened(3);
  world.pass_until(parse_rfc3339("2026-11-24T02:29:59Z").value());
  CHECK(world.rows().empty());
  world.pass_until(parse_rfc3339("2026-11-24T02:30:00Z").value());
  REQUIRE(world.rows().size() == 1);
  CHECK(world.rows()[0].at == parse_rfc3339("2026-11-24T02:30:00Z").value());
  world.pass(3 * 24h);
  CHECK(world.rows().size() == 1);  // nothing happened: nothing is said
}

TEST_CASE("a night that was missed is made up for at the start, several as one") {
  World world;
  world.happened(3);
  world.stop();
  world.clock.advance_by(3 * 24h);
  world.start();
  REQUIRE(world.rows().size() == 1);
  CHECK(world.rows()[0].at == noon + 3 * 24h);
  world.happened(1);
  world.stop();
  world.start();
  CHECK(world.rows().size() == 1);
}

TEST_CASE("without a time nobody wakes, and a reload may give one") {
  World world;
  world.settings.memory.consolidate = "";
  world.upkeep->settings_changed();
  world.settle();
  world.happened(3);
  CHECK(world.clock.next_deadline() == TimePoint::max());
  world.settings.memory.consolidate = "0 18 * * *";
  world.upkeep->settings_changed();
  world.settle();
  CHECK(world.clock.next_deadline() == noon + 6h);
  world.pass(6h);
  CHECK(world.rows().size() == 1);
}
