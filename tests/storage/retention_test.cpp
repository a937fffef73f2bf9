#include <fmt/format.h>

#include "place.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

void add_events(Stores& s, int count) {
  for (int number = 1; number <= count; ++number) {
    auto event = some_event(std::to_string(number));
    event.received_at = at(number);
    s.journal.append(event);
  }
}

std::int64_t retain(House& house, Writer::Retention retention) {
  const auto erased = house.await(house.writer->retain(retention));
  REQUIRE_MESSAGE(erased.has_value(), erased.error().message);
  return *erased;
}

TEST_CASE("old events go; what is not routed, or waits to be decided, stays") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    add_events(s, 1'000);
    s.cursors.set("router", 800);
    Wake wake;
    wake.entity = "ops";
    wake.case_id = s.cases.open("ops", "a", at(0)).id;
    wake.kind = "event";
    wake.events = {EventId{10}, EventId{600}};
    s.wakes.add(wake);
  });
  CHECK(retain(house, {}) == 0);
  CHECK(retain(house, {.events_before = at(701)}) == 698);
  auto reader = house.reader();
  CHECK(reader->journal.find(EventId{10}));
  CHECK(reader->journal.find(EventId{600}));
  CHECK_FALSE(reader->journal.find(EventId{700}));
  CHECK(reader->journal.find(EventId{701}));
  CHECK(retain(house, {.events_before = at(5'000)}) == 100);  // up to the router's cursor
  CHECK(reader->journal.count_after({}) == 202);
  CHECK(house.writer->stats().checkpoints > 3);  // small steps, each followed by one
}

TEST_CASE("an id is not given again after everything was erased") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    add_events(s, 5);
    s.cursors.set("router", 5);
  });
  CHECK(retain(house, {.events_before = at(100)}) == 5);
  const auto next = house.must([](Stores& s) { return s.journal.append(some_event("1")); });
  CHECK(next.id.value == 6);
  CHECK_FALSE(next.duplicate);
}

TEST_CASE("old rows of the ledger go with the list of their events") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    for (int number = 1; number <= 600; ++number) {
      Entry entry;
      entry.at = at(number);
      entry.entity = "ops";
      entry.wake = WakeId{number};
      entry.wake_kind = "event";
      entry.events = {EventId{number}, EventId{number + 1}};
      s.ledger.append(entry);
    }
    s.spend.reserve("ops", to_rfc3339(at(0) - std::chrono::days{3}).substr(0, 10), "swarms", 1, 0);
    s.spend.reserve("ops", to_rfc3339(at(0)).substr(0, 10), "swarms", 1, 0);
  });
  CHECK(retain(house, {.ledger_before = at(501)}) == 501);  // and the budget of an old day
  auto reader = house.reader();
  CHECK(reader->ledger.list("", {}, 1'000).size() == 100);
  CHECK(reader->ledger.of_event(EventId{500}).empty());
  CHECK(reader->ledger.of_event(EventId{501}).size() == 1);
  CHECK(reader->database().number("SELECT count(*) FROM decision_event") == 200);
  CHECK(reader->spend.of_day(to_rfc3339(at(0)).substr(0, 10)).size() == 1);
}

TEST_CASE("settled actions go, but for the answer that the next one will edit") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    const auto add = [&](const std::string& key, const std::string& sticky, bool deliver) {
      Action action;
      action.key = key;
      action.entity = "ops";
      action.sink = "chat";
      action.sticky_key = sticky;
      action.state = "approved";
      action.created = at(1);
      const auto id = s.outbox.add(action);
      if (!deliver) return;
      s.outbox.begin(id);
      s.outbox.settle(id, "delivered", json::value(key), "", at(2));
    };
    add("plain", "", true);
    add("waits", "", false);
    add("first", "review", true);
    add("second", "review", true);
  });
  CHECK(retain(house, {.ledger_before = at(50)}) == 2);
  auto reader = house.reader();
  CHECK(reader->outbox.list("", {}, 9).size() == 2);
  CHECK(*reader->outbox.last_result("ops", {}, "chat", "review") == json::value("second"));
}

TEST_CASE("ended swarms go with their tasks, episodes with their words") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    const auto of = s.cases.open("ops", "waits", at(0)).id;
    for (int number = 1; number <= 4; ++number) {
      Swarm swarm;
      swarm.entity = "ops";
      swarm.state = "planned";
      swarm.created = at(number);
      if (number == 3) swarm.case_id = of;  // its end is not decided yet
      const auto id = s.swarms.add(swarm);
      s.swarms.task_started(id, "a", 1, 1, at(number));
      if (number != 2) s.swarms.finish(id, "done", nullptr, at(number));
      s.memory.add(Episode{
          0, "ops", {}, at(number), "x", fmt::format("word{}", number), nullptr, Taint::trusted});
    }
    Wake wake;
    wake.case_id = of;
    wake.kind = "swarm";
    s.wakes.add(wake);
  });
  CHECK(retain(house, {.swarms_before = at(4), .episodes_before = at(3)}) == 3);
  auto reader = house.reader();
  CHECK_FALSE(reader->swarms.find(SwarmId{1}));
  CHECK(reader->swarms.tasks(SwarmId{1}).empty());
  CHECK(reader->swarms.find(SwarmId{2}));
  CHECK(reader->swarms.find(SwarmId{3}));
  CHECK(reader->swarms.find(SwarmId{4}));
  CHECK(reader->memory.search("ops", "word2", 5).empty());
  CHECK(reader->memory.search("ops", "word3", 5).size() == 1);
}

}  // namespace
}  // namespace vigil::storage
