// An ops entity in the real runtime: journal, mailboxes, commits and timers are the daemon's own.
#include <doctest/doctest.h>

#include "config/load.hpp"
#include "core/digest.hpp"
#include "daemon/runtime/runtime.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::runtime;
using namespace std::chrono_literals;
using vigil::testing::ClockedWorld;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

config::Settings settings_of(const std::string& text) {
  auto loaded = config::load_text(text, "test.toml");
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    throw std::runtime_error(mistakes->front().to_text());
  }
  return std::get<config::Loaded>(loaded).settings;
}

struct World : ClockedWorld {
  World()
      : ClockedWorld(noon),
        bulletin(loop.get_executor()),
        runtime(loop.get_executor(), clock, *writer, bulletin, {path, bin_dir()}) {
    REQUIRE(runtime
                .apply(settings_of(R"(
[source.alerts]
kind = "webhook"
scheme = "none"
[sink.out]
kind = "log"
[entity.ops]
kind = "ops"
autonomy = "act"
[[entity.ops.on]]
source = "alerts"
[entity.ops.ops]
report_sink = "out"
investigate = false
escalate_after = "15m"
settle = "5m"
)"))
                .has_value());
    run([this]() -> boost::asio::awaitable<void> {
      auto starting = runtime.start();
      Result<void> started = co_await std::move(starting);
      CHECK(started.has_value());
    });
  }
  ~World() {
    run([this] { return runtime.stop(clock.now()); });
  }
  EventPtr alert(const std::string& status) {
    storage::NewEvent row;
    row.uid = random_hex(8);
    row.source = "alerts";
    row.type = "alertmanager." + status;
    row.received_at = clock.now();
    row.data = R"({"groupKey":"{}:Disk","groupLabels":{"alertname":"Disk"},"alerts":[{"status":")" +
               status + R"(","labels":{"alertname":"Disk"},"fingerprint":"f1"}]})";
    const auto id = commit([&](storage::Stores& stores) { return stores.journal.append(row).id; });
    auto event = reader->journal.find(id);
    runtime.accepted(event);
    until([&] { return !verdicts_of(event).empty(); });
    return event;
  }
  std::vector<std::string> verdicts_of(const EventPtr& event) {
    std::vector<std::string> out;
    for (const auto& entry : reader->ledger.of_event(event->id)) {
      if (entry.verdict == "acted" || entry.verdict == "noted" || entry.verdict == "ignored") {
        out.push_back(entry.verdict);
      }
    }
    return out;
  }

  Bulletin bulletin;
  Runtime runtime;
};

using Verdicts = std::vector<std::string>;

}  // namespace

TEST_CASE("an alert becomes an incident in the runtime, and its repetition does not") {
  World world;
  CHECK(world.verdicts_of(world.alert("firing")) == Verdicts{"acted"});
  CHECK(world.verdicts_of(world.alert("firing")) == Verdicts{"ignored"});
  CHECK(world.verdicts_of(world.alert("resolved")) == Verdicts{"acted"});
}

TEST_CASE("an incident waits for nobody's answer without a wake between") {
  World world;
  world.alert("firing");
  // Idle until somebody must be called; then that is cleared, and it settles.
  world.until([&] { return world.clock.next_deadline() == noon + 15min; });
  world.alert("resolved");
  world.until([&] { return world.clock.next_deadline() == noon + 5min; });
}
