// What tasks did is gathered before it is written, and never comes out of order.
#include "daemon/runtime/swarm_notes.hpp"

#include <doctest/doctest.h>

#include "tests/support/clocked_world.hpp"

using namespace vigil;
using namespace vigil::runtime;
using namespace std::chrono_literals;
using vigil::testing::ClockedWorld;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

struct World : ClockedWorld {
  World() : ClockedWorld(noon), notes(loop.get_executor(), clock, *writer) {
    swarm = commit([](storage::Stores& stores) {
      storage::Swarm made;
      made.entity = "guard";
      made.state = "running";
      return stores.swarms.add(made);
    });
    commits = writer->stats().changes;
  }
  ~World() {
    notes.stop();
    run([this] { return notes.join(); });
  }
  void start(const std::string& task) {
    run([this, task] { return notes.started(swarm, task, 1, ++fence); });
  }
  // Goes on before it is written.
  void end(const std::string& task) {
    swarm::TaskOutcome outcome;
    outcome.name = task;
    outcome.state = swarm::TaskState::done;
    outcome.attempts = 1;
    ends.spawn("end", [this, outcome]() -> boost::asio::awaitable<void> {
      auto ending = notes.ended(swarm, outcome, ++fence);
      co_await std::move(ending);
      ++written;
    });
    poll();
  }
  std::vector<std::string> rows() {
    std::vector<std::string> out;
    for (const auto& row : reader->swarms.tasks(swarm)) out.push_back(row.name + " " + row.state);
    return out;
  }
  std::uint64_t changes() const { return writer->stats().changes - commits; }
  void pass_to(Duration at) {
    clock.advance_to(noon + at);
    poll();
  }

  SwarmNotes notes;
  TaskGroup ends{loop.get_executor()};
  SwarmId swarm;
  std::int64_t fence = 0;
  int written = 0;
  std::uint64_t commits = 0;
};

using Rows = std::vector<std::string>;

}  // namespace

TEST_CASE("a start is written after a while, and not at all when its end comes first") {
  World world;
  world.start("long");
  world.start("short");
  world.pass_to(20ms);
  CHECK(world.changes() == 0);
  world.end("short");
  world.pass_to(24ms);
  CHECK(world.changes() == 0);
  world.pass_to(25ms);
  world.until([&] { return world.written == 1; });
  CHECK(world.changes() == 1);
  CHECK(world.rows() == Rows{"long running", "short done"});
}

TEST_CASE("starts alone are written in the end") {
  World world;
  world.start("long");
  world.pass_to(500ms);
  world.until([&] { return world.changes() == 1; });
  CHECK(world.rows() == Rows{"long running"});
}

TEST_CASE("many ends are one change") {
  World world;
  for (int i = 0; i < 100; ++i) world.end("t" + std::to_string(i));
  CHECK(world.changes() == 0);
  world.pass_to(5ms);
  world.until([&] { return world.written == 100; });
  CHECK(world.changes() == 1);
  CHECK(world.rows().size() == 100);
}

TEST_CASE("when there is enough for a change, or nothing runs, nobody waits") {
  World world;
  for (int i = 0; i < 300; ++i) world.end("t" + std::to_string(i));
  world.until([&] { return world.written == 256; });
  CHECK(world.changes() == 1);
  world.end("last");
  world.notes.flush();
  world.until([&] { return world.written == 301; });
  CHECK(world.clock.now() == noon);
}

TEST_CASE("stopping writes what is there at once") {
  World world;
  world.start("one");
  world.end("two");
  world.notes.stop();
  world.until([&] { return world.written == 1; });
  CHECK(world.rows() == Rows{"one running", "two done"});
  CHECK(world.clock.now() == noon);
}
