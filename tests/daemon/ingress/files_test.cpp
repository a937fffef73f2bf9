// Files that are followed: a real journal, a real vigil-task, the kernel's own notices.
#include "daemon/ingress/files.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "core/log.hpp"
#include "swarm/process_runner.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::ingress;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

struct World : testing::ClockedWorld {
  World() : ClockedWorld(parse_rfc3339("2026-11-24T10:00:00Z").value()) {
    set_log_level(LogLevel::off);
    fs::create_directories(path / "data");
    auto& source = settings.sources["lines"];
    source.name = "lines";
    auto& file = source.of.emplace<config::Files>();
    file.path = (path / "data" / "log").string();
    file.every = 0s;
    file.settle = 0s;
    file.backfill = true;
  }
  ~World() { stop(); }
  config::Files& file() { return std::get<config::Files>(settings.sources["lines"].of); }

  asio::awaitable<Result<int>> accept(Noticed noticed) {
    if (refuse) co_return fail(ErrorCode::busy, "on purpose");
    auto kept = std::make_shared<Noticed>(std::move(noticed));
    auto committing = writer->commit([kept](storage::Stores& stores) {
      int fresh = 0;
      for (const auto& event : kept->events) {
        fresh += stores.journal.append(event).duplicate ? 0 : 1;
      }
      kept->along(stores);
      return fresh;
    });
    Result<int> fresh = co_await std::move(committing);
    for (auto& event : kept->events) events.push_back(std::move(event));
    co_return fresh;
  }
  void start() {
    follower.emplace(
        loop.get_executor(), clock,
        [this] {
          swarm::ProcessLimits limits;
          limits.memory_bytes_max = 100'000'000'000'000;  // a build that checks its memory
          return swarm::make_process_runner(loop.get_executor(), clock, bin_dir(),
                                            (path / "reading").string(), limits);
        },
        [this](Noticed noticed) { return accept(std::move(noticed)); });
    REQUIRE(follower->apply(settings));
    follower->start(*reader);
    turn([this] { return view().looks >= 1; });
  }
  void stop() {
    if (!follower) return;
    run([this]() -> asio::awaitable<void> {
      auto stopping = follower->stop();
      co_await std::move(stopping);
    });
    follower.reset();
  }
  Follower::View view() { return follower->views().at(0); }
  // The pause between two looks is one of the clock.
  void turn(const std::function<bool()>& holds) {
    until([&] {
      if (!holds()) clock.advance_by(10ms);
      return holds();
    });
  }
  void write(const std::string& text, const std::string& name = "log") {
    std::ofstream(path / "data" / name, std::ios::binary | std::ios::app) << text;
  }
  std::string told() const {
    std::string out;
    for (const auto& event : events) {
      out += std::string(find_text(parse_json(event.data).value(), "text").value_or("?")) + "|";
    }
    return out;
  }

  config::Settings settings;
  std::optional<Follower> follower;
  std::vector<storage::NewEvent> events;
  bool refuse = false;
};

}  // namespace

TEST_CASE("lines are told when the kernel says that they were written, and once over restarts") {
  World world;
  world.write("one\ntw");
  world.start();
  CHECK(world.view().trouble.empty());
  CHECK(world.told() == "one|");
  world.write("o\nthree\n");
  world.turn([&] { return world.events.size() == 3; });
  CHECK(world.told() == "one|two|three|");
  CHECK(world.events[0].type == "file.line");
  CHECK(world.events[0].subject == "log");
  world.stop();
  world.write("four\n");
  world.start();
  world.turn([&] { return world.events.size() == 4; });
  CHECK(world.told() == "one|two|three|four|");
}

TEST_CASE("what could not be stored is told when it can, once") {
  World world;
  world.write("one\n");
  world.refuse = true;
  world.start();
  CHECK(!world.view().trouble.empty());
  world.refuse = false;
  world.turn([&] { return world.events.size() == 1; });
  CHECK(world.told() == "one|");
  CHECK(world.view().events == 1);
}

TEST_CASE("a file that is not there yet is named, and read when it comes") {
  World world;
  world.file().backfill = false;
  world.start();
  CHECK(world.view().left_out.find("there is no") != std::string::npos);
  world.write("late\n");
  world.turn([&] { return world.events.size() == 1; });
  CHECK(world.told() == "late|");
}

TEST_CASE("files dropped into a folder are read once each") {
  World world;
  world.file().path = (world.path / "data").string();
  world.write("a\n", "1.txt");
  world.start();
  world.turn([&] { return world.events.size() == 1; });
  world.write("b\nc", "2.txt");
  world.turn([&] { return world.events.size() == 3; });
  CHECK(world.told() == "a|b|c|");
  world.stop();
  world.start();
  CHECK(world.events.size() == 3);
}
