// Who is expected to be heard from, and is not: a clock in the hands of the test, a real journal.
#include "daemon/ingress/silences.hpp"

#include <doctest/doctest.h>

#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "tests/support/clocked_world.hpp"

using namespace vigil;
using namespace vigil::ingress;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

struct World : testing::ClockedWorld {
  World() : ClockedWorld(noon) {
    set_log_level(LogLevel::off);
    auto& source = settings.sources["shop"];
    source.name = "shop";
    source.expect_every = 1h;
  }
  ~World() { stop(); }

  asio::awaitable<Result<int>> accept(Noticed noticed) {
    if (refuse) co_return fail(ErrorCode::busy, "on purpose");
    auto kept = std::make_shared<Noticed>(std::move(noticed));
    auto committing = writer->commit([kept](storage::Stores& stores) {
      int fresh = 0;
      for (const auto& event : kept->events) {
        fresh += stores.journal.append(event).duplicate ? 0 : 1;
      }
      if (kept->along) kept->along(stores);
      return fresh;
    });
    Result<int> fresh = co_await std::move(committing);
    for (std::size_t i = 0; i < kept->events.size(); ++i) {
      events.push_back(kept->events[i]);
      payloads.push_back(kept->payloads[i]);
    }
    co_return fresh;
  }
  void start(std::optional<TimePoint> down_since = std::nullopt) {
    silences.emplace(loop.get_executor(), clock,
                     [this](Noticed noticed) { return accept(std::move(noticed)); });
    silences->apply(settings);
    silences->start(*reader, down_since);
    settle();
  }
  void stop() {
    if (!silences) return;
    run([this]() -> asio::awaitable<void> {
      auto stopping = silences->stop();
      co_await std::move(stopping);
    });
    silences.reset();
  }
  // An event as a door would store it.
  void hear(const std::string& source) {
    storage::NewEvent event;
    event.uid = random_hex(8);
    event.source = source;
    event.type = source + ".event";
    event.time = clock.now();
    event.received_at = clock.now();
    commit([event](storage::Stores& stores) { return stores.journal.append(event); });
    if (silences) silences->heard(Expected::source, source);
    settle();
  }
  std::vector<std::string> told() const {
    std::vector<std::string> out;
    for (const auto& event : events) out.push_back(event.type + " " + event.subject);
    return out;
  }

  config::Settings settings;
  std::optional<Silences> silences;
  std::vector<storage::NewEvent> events;
  std::vector<json::value> payloads;
  bool refuse = false;
};

const std::vector<std::string> silent{"vigil.silence source:shop"};

}  // namespace

TEST_CASE("a source that is not heard from in time is told once, and once when it is heard again") {
  World world;
  world.hear("shop");
  world.start();
  world.pass(59min);
  CHECK(world.told().empty());
  world.hear("shop");
  world.pass(59min);  // the first hour is over long ago
  CHECK(world.told().empty());
  world.pass(2min);
  CHECK(world.told() == silent);
  CHECK(world.events[0].source == "vigil");
  CHECK(world.events[0].taint == Taint::trusted);
  CHECK(find_text(world.payloads[0], "status") == "firing");
  CHECK(find_text(world.payloads[0], "labels.source") == "shop");
  CHECK(find_text(world.payloads[0], "summary") ==
        "nothing from source shop for 1h: it is expected every 1h");
  CHECK(world.silences->views().at(0).silent);
  world.pass(5h);
  CHECK(world.told() == silent);  // not again and again
  world.hear("shop");
  REQUIRE(world.told().size() == 2);
  CHECK(world.told()[1] == "vigil.heard_again source:shop");
  CHECK(find_text(world.payloads[1], "status") == "resolved");
  CHECK(find_text(world.payloads[1], "fingerprint") == find_text(world.payloads[0], "fingerprint"));
  world.pass(61min);
  CHECK(world.told().size() == 3);  // a silence of its own
}

TEST_CASE("with nobody expected, and between two moments, nothing wakes up") {
  World world;
  world.settings.sources["shop"].expect_every = Duration{0};
  world.start();
  CHECK(world.clock.next_deadline() == TimePoint::max());
  world.stop();
  world.settings.sources["shop"].expect_every = 24h;
  world.hear("shop");
  world.start();
  CHECK(world.clock.next_deadline() == world.clock.now() + 24h);
}

TEST_CASE("after a restart a silence is judged by the last event on disk, and told once") {
  World world;
  world.hear("shop");
  world.start();
  world.pass(30min);
  world.stop();
  world.clock.advance_by(10h);  // the daemon was down, and so was the sender
  world.start();
  CHECK(world.told() == silent);
  world.stop();
  world.start();
  world.pass(2h);
  CHECK(world.told() == silent);
  // Heard while nobody looked: the crash came between the event and the word of it.
  world.stop();
  world.hear("shop");
  world.start();
  CHECK(world.told().back() == "vigil.heard_again source:shop");
}

TEST_CASE("nobody is blamed for the time in which the daemon was down") {
  World world;
  world.hear("shop");
  world.start();
  world.pass(30min);
  world.stop();
  const auto down_since = world.clock.now();
  world.clock.advance_by(10h);
  world.start(down_since);
  CHECK(world.told().empty());
  world.pass(29min);  // half an hour was over when it went down
  CHECK(world.told().empty());
  world.pass(2min);
  CHECK(world.told() == silent);
  CHECK(find_text(world.payloads[0], "starts") == to_rfc3339(noon + 11h));
  // A silence that lasts is neither told again nor forgotten by going down again.
  world.stop();
  const auto again = world.clock.now();
  world.clock.advance_by(10h);
  world.start(again);
  world.pass(5h);
  CHECK(world.told() == silent);
  world.hear("shop");
  CHECK(world.told().back() == "vigil.heard_again source:shop");
  world.pass(61min);
  CHECK(world.told().size() == 3);
}

TEST_CASE("one that was never heard from is expected from when it was first, across restarts") {
  World world;
  world.start();
  world.pass(40min);
  world.stop();
  world.start();
  world.pass(25min);
  CHECK(world.told() == silent);
  CHECK(find_path(world.payloads[0], "last")->is_null());
}

TEST_CASE("what the journal does not take is told once it does") {
  World world;
  world.hear("shop");
  world.start();
  world.refuse = true;
  world.pass(61min);
  CHECK(world.told().empty());
  world.refuse = false;
  world.pass(5s);
  CHECK(world.told() == silent);
}

TEST_CASE("a reload takes some out and keeps what is known of the others") {
  World world;
  world.hear("shop");
  world.start();
  world.pass(30min);
  world.settings.sources["other"].name = "other";
  world.settings.sources["other"].expect_every = 10min;
  world.silences->apply(world.settings);
  world.settle();
  world.pass(11min);
  CHECK(world.told() == std::vector<std::string>{"vigil.silence source:other"});
  world.settings.sources.erase("other");
  world.silences->apply(world.settings);
  world.pass(20min);
  CHECK(world.told().size() == 2);
  CHECK(world.told()[1] == silent[0]);
  CHECK(world.silences->views().size() == 1);
}

TEST_CASE("an entity is silent when nothing comes that it cares about") {
  World world;
  world.settings.sources.clear();
  auto& entity = world.settings.entities["keeper"];
  entity.name = "keeper";
  entity.expect_every = 1h;
  const auto decide = [&](std::string kind, std::vector<EventId> events) {
    storage::Entry row;
    row.at = world.clock.now();
    row.entity = "keeper";
    row.wake_kind = std::move(kind);
    row.events = std::move(events);
    row.verdict = "noted";
    world.commit([row](storage::Stores& stores) { return stores.ledger.append(row); });
  };
  world.hear("shop");
  decide("event", {EventId{1}});
  world.clock.advance_by(50min);
  decide("timer", {});  // is no sign that anything came
  world.start();
  CHECK(world.told().empty());
  CHECK(world.silences->views().at(0).due == noon + 1h);
  world.pass(11min);
  CHECK(world.told() == std::vector<std::string>{"vigil.silence entity:keeper"});
  world.silences->heard(Expected::entity, "keeper");
  world.settle();
  CHECK(world.told().back() == "vigil.heard_again entity:keeper");
}

TEST_CASE("a clock that is set back makes nobody late, and nobody early for ever") {
  World world;
  world.clock.advance_by(48h);
  world.hear("shop");
  world.start();
  world.stop();
  testing::ClockedWorld other(noon);  // its clock shows two days earlier
  storage::NewEvent event;
  event.uid = "u";
  event.source = "shop";
  event.type = "shop.event";
  event.received_at = noon + 48h;
  other.commit([event](storage::Stores& stores) { return stores.journal.append(event); });
  Silences silences(other.loop.get_executor(), other.clock,
                    [](Noticed) -> asio::awaitable<Result<int>> { co_return 0; });
  silences.apply(world.settings);
  silences.start(*other.reader);
  other.settle();
  CHECK(silences.views().at(0).due == noon + 1h);
  other.run([&]() -> asio::awaitable<void> {
    auto stopping = silences.stop();
    co_await std::move(stopping);
  });
}
