#include "daemon/admin/explain.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>

#include "daemon/admin/views.hpp"
#include "tests/support/store_world.hpp"

using namespace vigil;
using namespace vigil::admin;

namespace {

const TimePoint begin = *parse_rfc3339("2026-11-23T10:00:00Z");
TimePoint second(int number) { return begin + std::chrono::seconds{number}; }

EventId add_event(storage::Stores& stores, const std::string& uid) {
  storage::NewEvent event;
  event.uid = uid;
  event.source = "github";
  event.type = "github.push";
  event.time = event.received_at = begin;
  event.data = R"({"ref":"main"})";
  return stores.journal.append(event).id;
}

storage::Entry entry_of(CaseId of, const std::string& kind, TimePoint at, WakeId wake) {
  storage::Entry entry;
  entry.at = at;
  entry.entity = "keeper";
  entry.case_id = of;
  entry.wake = wake;
  entry.wake_kind = kind;
  entry.verdict = "acted";
  entry.why = "because of " + kind;
  return entry;
}

SwarmId add_swarm(storage::Stores& stores, CaseId of, DecisionId decision, int ended) {
  swarm::Plan plan;
  plan.title = "look";
  swarm::Task task;
  task.name = "scan";
  task.argv = {"true"};
  plan.tasks.push_back(task);
  storage::Swarm row;
  row.entity = "keeper";
  row.case_id = of;
  row.decision = decision;
  row.title = "look";
  row.plan = swarm::to_json(plan);
  row.state = "planned";
  row.created = begin;
  const auto id = stores.swarms.add(row);
  if (ended > 0) {
    swarm::Report report;
    report.swarm = id;
    report.ok = true;
    report.wall = std::chrono::seconds{2};
    report.task_sum = std::chrono::seconds{6};
    swarm::TaskOutcome outcome;
    outcome.name = "scan";
    outcome.state = swarm::TaskState::done;
    outcome.result = "found";
    report.tasks.push_back(outcome);
    stores.swarms.start(id, begin);
    stores.swarms.finish(id, "done", swarm::to_json(report), second(ended));
  }
  return id;
}

ActionId add_action(storage::Stores& stores, CaseId of, DecisionId decision) {
  storage::Action action;
  action.key = "v1:" + std::to_string(decision.value) + ":1";
  action.decision = decision;
  action.entity = "keeper";
  action.case_id = of;
  action.kind = "notify";
  action.sink = "out";
  action.payload = {{"text", "hello"}};
  action.state = "proposed";
  action.created = begin;
  action.not_before = begin;
  return stores.outbox.add(action);
}

json::value explained(testing::StoreWorld& world, EventId id) {
  const auto reader = world.reader();
  return json::value(explain(*reader, *reader->journal.find(id)));
}

}  // namespace

TEST_CASE("the chain goes from the event over the swarm's report to the action and its answer") {
  testing::StoreWorld world;
  const auto id = world.commit([](storage::Stores& stores) {
    const auto event = add_event(stores, "one");
    stores.cursors.set("router", event.value);
    const auto of = stores.cases.open("keeper", "octo/repo#1", begin).id;
    auto first = entry_of(of, "event", second(1), WakeId{11});
    first.events = {event};
    first.id = stores.ledger.next_id();
    const auto swarm = add_swarm(stores, of, first.id, 3);
    first.asked = {{"swarms", json::array{swarm.value}}, {"taint", "untrusted"}};
    stores.ledger.append(first);
    auto after = entry_of(of, "swarm", second(4), WakeId{12});
    after.id = stores.ledger.next_id();
    const auto action = add_action(stores, of, after.id);
    after.asked = {{"actions", json::array{action.value}}};
    stores.ledger.append(after);
    stores.outbox.settle(action, "denied", json::object{{"denied_by_uid", 0}}, "", second(5));
    stores.ledger.append(entry_of(of, "action", second(6), WakeId{13}));
    return event;
  });
  const auto told = explained(world, id);
  CHECK(find_integer(told, "event.id") == id.value);
  REQUIRE(find_path(told, "decisions")->as_array().size() == 1);
  CHECK(find_text(told, "decisions.0.why") == "because of event");
  CHECK(find_text(told, "decisions.0.case_key") == "octo/repo#1");
  const std::string swarm = "decisions.0.swarms.0";
  CHECK(find_text(told, swarm + ".state") == "done");
  CHECK(find_integer(told, swarm + ".report.task_sum_us") == 6'000'000);
  CHECK(find_text(told, swarm + ".decision.why") == "because of swarm");
  const std::string action = swarm + ".decision.actions.0";
  CHECK(find_text(told, action + ".state") == "denied");
  CHECK(find_text(told, action + ".decision.why") == "because of action");
  CHECK(find_path(told, "waiting")->as_array().empty());
}

TEST_CASE("two swarms of one decision each get the decision about their own report") {
  testing::StoreWorld world;
  const auto id = world.commit([](storage::Stores& stores) {
    const auto event = add_event(stores, "one");
    stores.cursors.set("router", event.value);
    const auto of = stores.cases.open("keeper", "k", begin).id;
    auto first = entry_of(of, "event", second(1), WakeId{11});
    first.events = {event};
    first.id = stores.ledger.next_id();
    const auto slow = add_swarm(stores, of, first.id, 9);
    const auto quick = add_swarm(stores, of, first.id, 3);
    first.asked = {{"swarms", json::array{slow.value, quick.value}}};
    stores.ledger.append(first);
    auto about_quick = entry_of(of, "swarm", second(4), WakeId{12});
    about_quick.why = "quick";
    stores.ledger.append(about_quick);
    auto about_slow = entry_of(of, "swarm", second(10), WakeId{13});
    about_slow.why = "slow";
    stores.ledger.append(about_slow);
    return event;
  });
  const auto told = explained(world, id);
  CHECK(find_text(told, "decisions.0.swarms.0.decision.why") == "quick");
  CHECK(find_text(told, "decisions.0.swarms.1.decision.why") == "slow");
}

TEST_CASE("what is not decided yet is said: unrouted, waiting, dead") {
  testing::StoreWorld world;
  const auto id = world.commit([](storage::Stores& stores) { return add_event(stores, "one"); });
  CHECK(find_text(explained(world, id), "waiting.0.state") == "unrouted");
  const auto wake = world.commit([id](storage::Stores& stores) {
    stores.cursors.set("router", id.value);
    storage::Wake row;
    row.entity = "keeper";
    row.case_id = stores.cases.open("keeper", "k", begin).id;
    row.kind = "event";
    row.events = {id};
    row.created = begin;
    row.not_before = second(60);
    return stores.wakes.add(row);
  });
  auto told = explained(world, id);
  CHECK(find_text(told, "waiting.0.state") == "waiting");
  CHECK(find_text(told, "waiting.0.case_key") == "k");
  world.commit([wake](storage::Stores& stores) { stores.wakes.bury(wake, "it threw"); });
  told = explained(world, id);
  CHECK(find_text(told, "waiting.0.state") == "dead");
  CHECK(find_text(told, "waiting.0.error") == "it threw");
}

TEST_CASE("a swarm's tasks are those planned, with what is known of each") {
  testing::StoreWorld world;
  const auto id = world.commit([](storage::Stores& stores) {
    const auto of = stores.cases.open("keeper", "k", begin).id;
    return add_swarm(stores, of, DecisionId{1}, 0);
  });
  const auto tasks = [&](Results results) {
    const auto reader = world.reader();
    return json::value(tasks_of(*reader->swarms.find(id), reader->swarms.tasks(id), results));
  };
  CHECK(find_text(tasks(Results::shown), "0.state") == "waiting");
  CHECK(find_text(tasks(Results::shown), "0.runs.0") == "true");
  world.commit([id](storage::Stores& stores) {
    stores.swarms.start(id, begin);
    stores.swarms.task_started(id, "scan", 2, 7, second(1));
  });
  CHECK(find_text(tasks(Results::shown), "0.state") == "running");
  CHECK(find_integer(tasks(Results::shown), "0.attempts") == 2);
  world.commit([id](storage::Stores& stores) {
    swarm::TaskOutcome outcome;
    outcome.name = "scan";
    outcome.state = swarm::TaskState::failed;
    outcome.attempts = 2;
    outcome.error = "exit \xff 3";
    outcome.result = "text";
    storage::SwarmTask ended;
    ended.swarm = id;
    ended.name = "scan";
    ended.attempt = 2;
    ended.fence = 7;
    ended.state = "failed";
    ended.outcome = swarm::to_json(outcome);
    stores.swarms.task_ended(ended);
  });
  CHECK(find_text(tasks(Results::shown), "0.state") == "failed");
  CHECK(find_text(tasks(Results::shown), "0.result") == "text");
  CHECK(find_path(tasks(Results::hidden), "0.result") == nullptr);
}
