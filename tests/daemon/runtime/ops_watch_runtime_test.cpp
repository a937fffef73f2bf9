// Watches of an ops entity in the real runtime, with real children: nobody tells it to look.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "config/load.hpp"
#include "daemon/runtime/runtime.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::runtime;
using namespace std::chrono_literals;
using vigil::testing::ClockedWorld;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

config::Settings settings_of(const std::string& watches) {
  // A build that checks its memory asks for a large address space.
  const std::string text = R"(
[swarm]
memory_bytes_max = 100_000_000_000_000
[sink.out]
kind = "log"
[entity.ops]
kind = "ops"
autonomy = "act"
[[entity.ops.on]]
source = "admin"
[entity.ops.ops]
report_sink = "out"
investigate = false
escalate_after = "0s"
remind_every = "0s"
settle = "5m"
)" + watches;
  auto loaded = config::load_text(text, "test.toml");
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    throw std::runtime_error(mistakes->front().to_text());
  }
  return std::get<config::Loaded>(loaded).settings;
}

struct World : ClockedWorld {
  World() : ClockedWorld(noon), bulletin(loop.get_executor()), file(path / "value") {}
  ~World() {
    if (runtime) stop();
  }
  std::string watch() const {
    return R"(
[[entity.ops.ops.watch]]
name = "queue"
every = "1m"
argv = ["/bin/cat", ")" +
           file.string() + R"("]
sandbox = "none"
[[entity.ops.ops.watch.rule]]
reading = "value"
above = 10
)";
  }
  void start(const std::string& watches) {
    runtime = std::make_unique<Runtime>(loop.get_executor(), clock, *writer, bulletin,
                                        Places{path, bin_dir()});
    REQUIRE(runtime->apply(settings_of(watches)).has_value());
    run([this]() -> boost::asio::awaitable<void> {
      auto starting = runtime->start();
      Result<void> started = co_await std::move(starting);
      CHECK(started.has_value());
    });
  }
  void stop() {
    run([this] { return runtime->stop(clock.now()); });
    runtime.reset();
  }
  void value(int number) const { std::ofstream(file) << number << '\n'; }
  json::object state() const {
    const auto found = reader->cases.find("ops", "watch:queue");
    return found ? found->state : json::object{};
  }
  std::string phase() const {
    return std::string(find_text(json::value(state()), "phase").value_or(""));
  }
  // Whether the look of that number is over.
  bool looked(int number) const {
    const json::value all(state());
    return find_integer(all, "watch.number") == number &&
           find_path(all, "watch.running") == nullptr;
  }
  void next_look() {
    const auto number = find_integer(json::value(state()), "watch.number").value_or(0);
    clock.advance_to(clock.next_deadline());
    until([&] { return looked(static_cast<int>(number) + 1); });
  }

  Bulletin bulletin;
  std::filesystem::path file;
  std::unique_ptr<Runtime> runtime;
};

}  // namespace

TEST_CASE("a watch looks by itself from the start on, tells, resolves, and is idle between") {
  World world;
  world.value(3);
  world.start(world.watch());
  world.until([&] { return world.looked(1); });
  CHECK(world.phase() == "none");
  world.settle();
  CHECK(world.clock.next_deadline() == noon + 1min);
  world.value(12);
  world.next_look();
  CHECK(world.phase() == "firing");
  world.value(9);
  world.next_look();
  CHECK(world.phase() == "resolved");
}

TEST_CASE("a watch goes on after a restart where it was, and looks once") {
  World world;
  world.value(12);
  world.start(world.watch());
  world.until([&] { return world.looked(1); });
  CHECK(world.phase() == "firing");
  world.stop();
  world.clock.advance_by(10min);
  world.value(3);
  world.start(world.watch());
  world.until([&] { return world.looked(2); });
  CHECK(world.phase() == "resolved");
  world.settle();
  CHECK(world.looked(2));
}

TEST_CASE("a reload that takes a watch out resolves what it told, and one that adds it looks") {
  World world;
  world.value(12);
  world.start("");
  world.settle();
  CHECK(world.state().empty());
  REQUIRE(world.runtime->apply(settings_of(world.watch())).has_value());
  world.until([&] { return world.looked(1); });
  CHECK(world.phase() == "firing");
  REQUIRE(world.runtime->apply(settings_of("")).has_value());
  world.until([&] { return world.phase() == "resolved"; });
  world.clock.advance_by(5min);
  world.until([&] { return world.phase() == "closed"; });
  world.settle();
  CHECK(world.clock.next_deadline() == TimePoint::max());
}
