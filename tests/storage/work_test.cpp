// Wakes, cases, the ledger, swarms: what a decision is made from and leaves behind.
#include "place.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

// One writable connection without a thread: these tests are about rows.
struct Desk {
  Desk() : house(dir.path()) {}
  template <class Change>
  auto write(Change change) {
    return house.must(std::move(change));
  }
  TempDir dir;
  House house;
};

Wake event_wake(const Case& of, std::vector<EventId> events) {
  Wake wake;
  wake.entity = of.entity;
  wake.case_id = of.id;
  wake.kind = "event";
  wake.events = std::move(events);
  wake.created = at(1);
  wake.not_before = at(2);
  return wake;
}

TEST_CASE("a case is found or made, and a closed one opens again as it was") {
  Desk desk;
  desk.write([](Stores& s) {
    const auto made = s.cases.open("codebase", "pr:12", at(0));
    CHECK(made.id);
    CHECK(made.opened == at(0));
    CHECK(made.state.empty());
    CHECK(s.cases.open("codebase", "pr:12", at(9)).id == made.id);
    CHECK(s.cases.open("other", "pr:12", at(9)).id != made.id);
    const json::object state{{"step", 1}};
    s.cases.decided(made.id, &state, true, true, at(5));
    auto found = s.cases.find(made.id);
    REQUIRE(found);
    CHECK(found->closed);
    CHECK(found->decisions == 1);
    CHECK(found->last_acted == at(5));
    const auto again = s.cases.open("codebase", "pr:12", at(6));
    CHECK(again.id == made.id);
    CHECK_FALSE(again.closed);
    CHECK(again.state == state);
    s.cases.decided(made.id, nullptr, false, false, at(7));
    found = s.cases.find("codebase", "pr:12");
    CHECK(found->state == state);
    CHECK(found->last_acted == at(5));
    CHECK(found->updated == at(7));
    s.cases.set_window(made.id, at(7), 3);
    CHECK(s.cases.find(made.id)->window_start == at(7));
    CHECK(s.cases.find(made.id)->window_count == 3);
    CHECK_FALSE(s.cases.find(CaseId{99}));
    CHECK_FALSE(s.cases.find("codebase", "pr:13"));
    CHECK(s.cases.count() == 2);
  });
}

TEST_CASE("cases are listed newest first, in pages") {
  Desk desk;
  desk.write([](Stores& s) {
    for (int n = 1; n <= 9; ++n)
      s.cases.open(n % 2 == 0 ? "even" : "odd", std::to_string(n), at(n));
    const auto keys = [&](const std::string& entity, CaseId before, int limit) {
      std::string out;
      for (const auto& one : s.cases.list(entity, before, limit)) out += one.key;
      return out;
    };
    CHECK(keys("", {}, 3) == "987");
    CHECK(keys("", CaseId{7}, 3) == "654");
    CHECK(keys("odd", {}, 3) == "975");
    CHECK(keys("odd", CaseId{5}, 9) == "31");
  });
}

TEST_CASE("a wake comes back as it went in, with its case's key") {
  Desk desk;
  desk.write([](Stores& s) {
    const auto of = s.cases.open("ops", "alert:7", at(0));
    Wake wake = event_wake(of, {EventId{3}, EventId{4}});
    wake.payload = json::object{{"a", 1}};
    wake.gathering = true;
    const auto id = s.wakes.add(wake);
    const auto found = s.wakes.find(id);
    REQUIRE(found);
    CHECK(found->entity == "ops");
    CHECK(found->case_id == of.id);
    CHECK(found->case_key == "alert:7");
    CHECK(found->kind == "event");
    CHECK(found->events == wake.events);
    CHECK(found->payload == wake.payload);
    CHECK(found->gathering);
    CHECK(found->created == at(1));
    CHECK(found->not_before == at(2));
    CHECK(found->attempts == 0);
    CHECK_FALSE(found->dead);
  });
}

TEST_CASE("a gathering wake takes more events until it is closed") {
  Desk desk;
  desk.write([](Stores& s) {
    const auto of = s.cases.open("ops", "a", at(0));
    Wake wake = event_wake(of, {EventId{1}});
    wake.gathering = true;
    const auto id = s.wakes.add(wake);
    CHECK(s.wakes.gathering_of(of.id)->id == id);
    s.wakes.extend(id, {EventId{2}, EventId{5}}, at(9));
    s.wakes.extend(id, {}, at(10));
    const auto found = s.wakes.find(id);
    CHECK(found->events == std::vector<EventId>{EventId{1}, EventId{2}, EventId{5}});
    CHECK(found->not_before == at(10));
    s.wakes.close_gathering(id, at(3));
    CHECK_FALSE(s.wakes.gathering_of(of.id));
    CHECK(s.wakes.find(id)->not_before == at(3));
    auto empty = event_wake(of, {});
    const auto other = s.wakes.add(empty);
    s.wakes.extend(other, {EventId{8}}, at(3));
    CHECK(s.wakes.find(other)->events == std::vector<EventId>{EventId{8}});
  });
}

TEST_CASE("the oldest living wake of a case is next; a decided one is gone") {
  Desk desk;
  desk.write([](Stores& s) {
    const auto a = s.cases.open("ops", "a", at(0));
    const auto b = s.cases.open("ops", "b", at(0));
    const auto first = s.wakes.add(event_wake(a, {EventId{1}}));
    const auto other = s.wakes.add(event_wake(b, {EventId{2}}));
    const auto second = s.wakes.add(event_wake(a, {EventId{3}}));
    CHECK(s.wakes.oldest_of(a.id)->id == first);
    s.wakes.bury(first, "poison");
    CHECK(s.wakes.oldest_of(a.id)->id == second);
    CHECK(s.wakes.erase(second));
    CHECK_FALSE(s.wakes.erase(second));
    CHECK_FALSE(s.wakes.oldest_of(a.id));
    CHECK(s.wakes.count_open() == 1);
    CHECK(s.wakes.open({}, 10).size() == 1);
    CHECK(s.wakes.open(other, 10).empty());
    REQUIRE(s.wakes.dead(10).size() == 1);
    CHECK(s.wakes.count_dead() == 1);
    CHECK(s.wakes.dead(10).front().error == "poison");
    const auto third = s.wakes.add(event_wake(a, {}));
    CHECK(third.value > second.value);  // an id is never given twice
  });
}

TEST_CASE("attempts are counted, a retry waits, a dead wake may be revived once") {
  Desk desk;
  desk.write([](Stores& s) {
    const auto id = s.wakes.add(event_wake(s.cases.open("ops", "a", at(0)), {EventId{1}}));
    s.wakes.begin_attempt(id);
    s.wakes.retry(id, at(50), "it threw");
    CHECK(s.wakes.find(id)->attempts == 1);
    CHECK(s.wakes.find(id)->not_before == at(50));
    CHECK(s.wakes.find(id)->error == "it threw");
    CHECK_FALSE(s.wakes.revive(id, at(60)));
    s.wakes.bury(id, "again");
    CHECK(s.wakes.revive(id, at(60)));
    CHECK_FALSE(s.wakes.revive(id, at(60)));
    CHECK(s.wakes.find(id)->attempts == 0);
    CHECK(s.wakes.find(id)->error.empty());
    CHECK_FALSE(s.wakes.find(id)->dead);
  });
}

Entry some_entry(CaseId case_id, WakeId wake, std::vector<EventId> events) {
  Entry entry;
  entry.at = at(3);
  entry.entity = "ops";
  entry.case_id = case_id;
  entry.wake = wake;
  entry.wake_kind = "event";
  entry.events = std::move(events);
  entry.verdict = "acted";
  entry.rule = "r1";
  entry.why = "because";
  entry.took = Duration{1234};
  entry.asked = {{"actions", json::array{1, 2}}};
  return entry;
}

TEST_CASE("the ledger answers by event, by case and by entity") {
  Desk desk;
  desk.write([](Stores& s) {
    s.entities.seen("ops", "ops", at(0));
    const auto of = s.cases.open("ops", "a", at(0));
    const auto first = s.ledger.append(some_entry(of.id, WakeId{1}, {EventId{1}, EventId{2}}));
    Entry silent;
    silent.at = at(4);
    silent.wake_kind = "event";
    silent.events = {EventId{2}};
    silent.verdict = "ignored";
    const auto second = s.ledger.append(silent);
    const auto entry = s.ledger.find(first);
    REQUIRE(entry);
    CHECK(entry->case_key == "a");
    CHECK(entry->wake == WakeId{1});
    CHECK(entry->events.size() == 2);
    CHECK(entry->verdict == "acted");
    CHECK(entry->rule == "r1");
    CHECK(entry->why == "because");
    CHECK(entry->took == Duration{1234});
    CHECK(entry->asked == json::object{{"actions", json::array{1, 2}}});
    CHECK_FALSE(s.ledger.find(second)->wake);
    REQUIRE(s.ledger.of_event(EventId{2}).size() == 2);
    CHECK(s.ledger.of_event(EventId{2}).front().id == first);
    CHECK(s.ledger.of_event(EventId{3}).empty());
    CHECK(s.ledger.of_case(of.id, 10).size() == 1);
    CHECK(s.ledger.list("", {}, 10).front().id == second);
    CHECK(s.ledger.list("", second, 10).size() == 1);
    CHECK(s.ledger.list("ops", {}, 10).size() == 1);
    const auto row = s.entities.all().front();
    CHECK(row.decisions == 1);
    CHECK(row.last_decision == at(3));
    CHECK(row.open_cases == 1);
  });
}

TEST_CASE("a wake is decided once: a second decision of it takes nothing with it") {
  Desk desk;
  desk.write([](Stores& s) { s.ledger.append(some_entry({}, WakeId{5}, {})); });
  const auto again = desk.house.change([](Stores& s) {
    s.cursors.set("half", 1);
    s.ledger.append(some_entry({}, WakeId{5}, {}));
  });
  CHECK_FALSE(again.has_value());
  CHECK(desk.house.reader()->cursors.get("half") == 0);
}

TEST_CASE("rows of one decision may name each other before the ledger's row is there") {
  Desk desk;
  desk.write([](Stores& s) {
    CHECK(s.ledger.next_id() == DecisionId{1});
    auto entry = some_entry({}, WakeId{1}, {});
    entry.id = s.ledger.next_id();
    CHECK(s.ledger.append(entry) == DecisionId{1});
    CHECK(s.ledger.next_id() == DecisionId{2});
    entry.id = DecisionId{40};
    entry.wake = WakeId{2};
    CHECK(s.ledger.append(entry) == DecisionId{40});
    s.database().run("DELETE FROM decision");
    CHECK(s.ledger.next_id() == DecisionId{41});
  });
}

Swarm some_swarm(CaseId case_id) {
  Swarm swarm;
  swarm.entity = "ops";
  swarm.case_id = case_id;
  swarm.decision = DecisionId{1};
  swarm.title = "look";
  swarm.plan = json::object{{"tasks", json::array{"a", "b"}}};
  swarm.state = "planned";
  swarm.created = at(1);
  return swarm;
}

TEST_CASE("a swarm goes from planned to its report") {
  Desk desk;
  desk.write([](Stores& s) {
    const auto of = s.cases.open("ops", "a", at(0));
    const auto id = s.swarms.add(some_swarm(of.id));
    CHECK(s.swarms.running("ops") == 1);
    CHECK(s.swarms.unfinished_of(of.id).size() == 1);
    s.swarms.start(id, at(2));
    s.swarms.start(id, at(3));  // after a crash: the first start counts
    auto swarm = s.swarms.find(id);
    REQUIRE(swarm);
    CHECK(swarm->state == "running");
    CHECK(swarm->started == at(2));
    CHECK(swarm->case_key == "a");
    CHECK(swarm->plan == some_swarm({}).plan);
    CHECK(swarm->report.is_null());
    const json::value report = json::object{{"speed_up", 3.5}};
    CHECK(s.swarms.finish(id, "done", report, at(9)));
    CHECK_FALSE(s.swarms.finish(id, "failed", report, at(10)));
    swarm = s.swarms.find(id);
    CHECK(swarm->state == "done");
    CHECK(swarm->ended == at(9));
    CHECK(swarm->report == report);
    CHECK(s.swarms.unfinished().empty());
    CHECK(s.swarms.running("ops") == 0);
    CHECK(s.swarms.list("ops", {}, 9).size() == 1);
    CHECK(s.swarms.list("", id, 9).empty());
  });
}

TEST_CASE("only the attempt that holds a task may end it") {
  Desk desk;
  desk.write([](Stores& s) {
    const auto id = s.swarms.add(some_swarm({}));
    s.swarms.task_started(id, "a", 1, 10, at(1));
    s.swarms.task_started(id, "a", 2, 11, at(2));
    s.swarms.task_started(id, "a", 1, 10, at(3));  // comes late
    const json::value outcome = json::object{{"result", "ok"}};
    const auto ended = [&](const char* name, std::int64_t fence, const char* state, int took) {
      storage::SwarmTask task;
      task.swarm = id;
      task.name = name;
      task.fence = fence;
      task.state = state;
      task.attempt = 2;
      task.took = Duration{took};
      task.outcome = outcome;
      return s.swarms.task_ended(task);
    };
    CHECK_FALSE(ended("a", 10, "done", 5));
    CHECK(ended("a", 11, "done", 7));
    CHECK(ended("b", 12, "done", 0));  // its start need not have been noted
    const auto tasks = s.swarms.tasks(id);
    REQUIRE(tasks.size() == 2);
    CHECK(tasks[0].state == "done");
    CHECK(tasks[0].attempt == 2);
    CHECK(tasks[0].fence == 11);
    CHECK(tasks[0].took == Duration{7});
    CHECK(tasks[0].outcome == outcome);
    CHECK(tasks[1].state == "done");
    CHECK(s.swarms.fence_max(id) == 12);
    CHECK(s.swarms.fence_max(SwarmId{99}) == 0);
  });
}

TEST_CASE("durations are learned as a mean that leans to the newest") {
  Desk desk;
  desk.write([](Stores& s) {
    CHECK_FALSE(s.swarms.learned("ops", "lint"));
    s.swarms.learn("ops", "lint", std::chrono::seconds{10});
    CHECK(*s.swarms.learned("ops", "lint") == std::chrono::seconds{10});
    s.swarms.learn("ops", "lint", std::chrono::seconds{20});
    CHECK(*s.swarms.learned("ops", "lint") == std::chrono::seconds{13});
    CHECK_FALSE(s.swarms.learned("codebase", "lint"));
  });
}

}  // namespace
TEST_CASE("tasks of a list are learned as one, with how much their time varies") {
  Desk desk;
  desk.write([](Stores& s) {
    for (int i = 0; i < 20; ++i) {
      s.swarms.learn("ops", "each/" + std::to_string(i), std::chrono::seconds{i % 2 == 0 ? 8 : 12});
    }
    s.swarms.learn("ops", "each/x", std::chrono::seconds{1});
    const auto learned = s.swarms.learned("ops", 10);
    REQUIRE(learned.size() == 2);
    CHECK(learned[1].task == "each/");
    CHECK(learned[1].runs == 20);
    CHECK(learned[1].took > std::chrono::seconds{9});
    CHECK(learned[1].took < std::chrono::seconds{11});
    CHECK(learned[1].deviation > std::chrono::seconds{1});
    CHECK(learned[1].deviation < std::chrono::seconds{3});
    CHECK(s.swarms.learned("ops", "each/99") == learned[1].took);
  });
}

TEST_CASE("a swarm that failed can be opened again, no other") {
  Desk desk;
  desk.write([](Stores& s) {
    const auto id = s.swarms.add(some_swarm({}));
    CHECK_FALSE(s.swarms.reopen(id));
    s.swarms.start(id, at(1));
    CHECK(s.swarms.finish(id, "failed", json::object{{"ok", false}}, at(2)));
    CHECK(s.swarms.reopen(id));
    CHECK(s.swarms.find(id)->state == "planned");
    CHECK(s.swarms.find(id)->report.is_null());
    CHECK(s.swarms.unfinished().size() == 1);
    CHECK(s.swarms.finish(id, "done", json::object{{"ok", true}}, at(3)));
    CHECK_FALSE(s.swarms.reopen(id));
    CHECK_FALSE(s.swarms.reopen(SwarmId{99}));
  });
}

TEST_CASE("results that may be taken again are kept by key, the newest of them") {
  Desk desk;
  desk.write([](Stores& s) {
    CHECK_FALSE(s.swarms.kept("k1"));
    s.swarms.keep("k1", {json::object{{"a", 1}}, Duration{5}}, at(1));
    s.swarms.keep("k2", {"two", Duration{6}}, at(2));
    s.swarms.keep("k1", {json::object{{"a", 2}}, Duration{7}}, at(3));
    CHECK(s.swarms.kept("k1")->result == json::value{{"a", 2}});
    CHECK(s.swarms.kept("k1")->took == Duration{7});
    constexpr std::int64_t plenty = 1'000'000;
    CHECK(s.swarms.erase_kept(at(0), plenty, 9) == 0);
    CHECK(s.swarms.erase_kept(at(0), 150, 9) == 1);  // the oldest goes for room
    CHECK_FALSE(s.swarms.kept("k2"));
    CHECK(s.swarms.kept("k1"));
    CHECK(s.swarms.erase_kept(at(9), plenty, 9) == 1);
    CHECK_FALSE(s.swarms.kept("k1"));
    CHECK(s.swarms.erase_kept(at(9), 0, 9) == 0);
  });
}

}  // namespace vigil::storage
