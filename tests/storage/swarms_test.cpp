// What swarms leave behind: numbers of each run, learned times, results that are taken again.
#include <fmt/format.h>

#include <algorithm>

#include "place.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

using namespace std::chrono_literals;

struct Desk {
  Desk() : house(dir.path()) {}
  template <class Change>
  auto write(Change change) {
    return house.must(std::move(change));
  }
  TempDir dir;
  House house;
};

Swarm some_swarm(CaseId case_id) {
  Swarm swarm;
  swarm.entity = "ops";
  swarm.case_id = case_id;
  swarm.title = "look";
  swarm.plan = json::object{{"tasks", json::array{"a", "b"}}};
  swarm.state = "planned";
  swarm.created = at(1);
  swarm.tasks = 2;
  return swarm;
}

SwarmNumbers some_numbers(SwarmId id, const std::string& entity, TimePoint ended) {
  SwarmNumbers numbers;
  numbers.swarm = id;
  numbers.entity = entity;
  numbers.ended = ended;
  numbers.title = "look";
  numbers.state = "done";
  numbers.tasks = 5;
  numbers.done = 4;
  numbers.attempts = 7;
  numbers.first_time_right = 3;
  numbers.reused = 1;
  numbers.task_sum = 40s;
  numbers.wall = 10s;
  numbers.lower_bound = 8s;
  numbers.wasted = 6s;
  numbers.saved = 2s;
  return numbers;
}

TEST_CASE("lists of swarms leave out what may be large, when numbers can stand for it") {
  Desk desk;
  desk.write([](Stores& s) {
    const auto id = s.swarms.add(some_swarm({}));
    auto uncounted = some_swarm({});
    uncounted.tasks = -1;
    const auto old = s.swarms.add(uncounted);
    CHECK(s.swarms.brief(id)->tasks == 2);
    CHECK(s.swarms.brief(id)->plan.is_null());
    CHECK(s.swarms.find(id)->plan == some_swarm({}).plan);
    CHECK(s.swarms.brief(old)->tasks == -1);
    CHECK(s.swarms.brief(old)->plan == uncounted.plan);
    CHECK_FALSE(s.swarms.brief(SwarmId{99}));
    const json::value report = json::object{{"ok", true}};
    s.swarms.finish(id, "done", report, at(5));
    CHECK(s.swarms.brief(id)->report == report);
    s.swarms.note(some_numbers(id, "ops", at(5)));
    const auto listed = s.swarms.list("ops", {}, 9);
    REQUIRE(listed.size() == 2);
    CHECK(listed[1].report.is_null());
    REQUIRE(listed[1].numbers);
    CHECK(listed[1].numbers->task_sum == 40s);
    CHECK(listed[1].numbers->wall == 10s);
    CHECK_FALSE(listed[0].numbers);
    CHECK(s.swarms.unfinished().size() == 1);
  });
}

TEST_CASE("the numbers of swarms are read by entity, newest first, and a later run replaces them") {
  Desk desk;
  desk.write([](Stores& s) {
    for (int i = 1; i <= 6; ++i) {
      s.swarms.note(some_numbers(SwarmId{i}, i % 2 == 0 ? "ops" : "market", at(i)));
    }
    auto again = some_numbers(SwarmId{2}, "ops", at(20));
    again.run = 2;
    s.swarms.note(again);
    const auto ops = s.swarms.numbers("ops", at(0), 9);
    REQUIRE(ops.size() == 3);
    CHECK(ops[0].swarm == SwarmId{2});
    CHECK(ops[0].run == 2);
    CHECK(ops[1].swarm == SwarmId{6});
    CHECK(ops[1].first_time_right == 3);
    CHECK(ops[1].saved == 2s);
    CHECK(ops[1].wasted == 6s);
    CHECK(ops[1].attempts == 7);
    CHECK(s.swarms.numbers("ops", at(0), 2).size() == 2);
    CHECK(s.swarms.numbers("ops", at(6), 9).size() == 2);
    CHECK(s.swarms.numbers("", at(0), 9).size() == 6);
    CHECK(s.swarms.numbers("nobody", at(0), 9).empty());
  });
}

TEST_CASE("a swarm that is tried again keeps what is done, and fences stay above the old ones") {
  Desk desk;
  desk.write([](Stores& s) {
    const auto id = s.swarms.add(some_swarm(s.cases.open("ops", "a", at(0)).id));
    s.swarms.start(id, at(2));
    for (const auto* state : {"done", "failed", "skipped"}) {
      SwarmTask task;
      task.swarm = id;
      task.name = state;
      task.state = state;
      task.attempt = 1;
      task.fence = task.state == "failed" ? 12 : 10;
      task.outcome = json::object{{"name", state}};
      REQUIRE(s.swarms.task_ended(task));
    }
    s.swarms.finish(id, "failed", json::object{{"ok", false}}, at(5));
    s.swarms.note(some_numbers(id, "ops", at(5)));
    REQUIRE(s.swarms.reopen(id, at(90), 7s));
    const auto swarm = s.swarms.find(id);
    CHECK(swarm->state == "planned");
    CHECK(swarm->run == 2);
    CHECK(swarm->asked == at(90));
    CHECK(swarm->reserved == 7s);
    CHECK(swarm->created == at(1));
    CHECK_FALSE(swarm->numbers);
    CHECK(s.swarms.fence_max(id) == 12);
    int waiting = 0;
    for (const auto& task : s.swarms.tasks(id)) {
      const bool is_done = task.name == "done";
      CHECK(task.state == (is_done ? "done" : "waiting"));
      CHECK(task.outcome.is_null() == !is_done);
      waiting += is_done ? 0 : 1;
    }
    CHECK(waiting == 2);
    s.swarms.start(id, at(91));
    CHECK(s.swarms.find(id)->started == at(91));
  });
}

TEST_CASE("the wakes about a swarm's end are found until they are decided") {
  Desk desk;
  desk.write([](Stores& s) {
    const auto of = s.cases.open("ops", "a", at(0)).id;
    const auto id = s.swarms.add(some_swarm(of));
    const auto wake_of = [&](const std::string& kind, std::int64_t swarm) {
      Wake wake;
      wake.entity = "ops";
      wake.case_id = of;
      wake.kind = kind;
      wake.payload = json::object{{"swarm", swarm}};
      return s.wakes.add(wake);
    };
    CHECK(s.swarms.untold_ends(id).empty());
    wake_of("swarm", id.value + 1);
    wake_of("timer", id.value);
    const auto wake = wake_of("swarm", id.value);
    CHECK(s.swarms.untold_ends(id) == std::vector{wake});
    s.wakes.bury(wake, "it broke");
    CHECK(s.swarms.untold_ends(id).empty());
  });
}

TEST_CASE("many tasks are learned at once as they would be one by one") {
  Desk desk;
  desk.write([](Stores& s) {
    std::vector<Swarms::Took> tasks;
    for (int i = 0; i < 30; ++i) {
      tasks.emplace_back(fmt::format("each/{}", i), std::chrono::milliseconds{700 + 37 * i});
      tasks.emplace_back("lint", std::chrono::milliseconds{900 - 11 * i});
      s.swarms.learn("one", tasks[tasks.size() - 2].first, tasks[tasks.size() - 2].second);
      s.swarms.learn("one", "lint", tasks.back().second);
    }
    s.swarms.learn("many", tasks, at(9));
    auto one = s.swarms.learned("one", 9);
    auto many = s.swarms.learned("many", 9);
    REQUIRE(one.size() == 2);
    REQUIRE(many.size() == 2);
    const auto by_name = [](const auto& a, const auto& b) { return a.task < b.task; };
    std::ranges::sort(one, by_name);
    std::ranges::sort(many, by_name);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(one[i].task == many[i].task);
      CHECK(many[i].runs == 30);
      CHECK(one[i].runs == 30);
      CHECK(std::chrono::abs(one[i].took - many[i].took) < 1ms);
      CHECK(std::chrono::abs(one[i].deviation - many[i].deviation) < 1ms);
    }
  });
}

TEST_CASE("of each entity the names that were learned last are kept") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    std::vector<Swarms::Took> tasks;
    for (int i = 0; i < learned_names_max; ++i) tasks.emplace_back(fmt::format("a{}", i), 1s);
    s.swarms.learn("ops", tasks, at(1));
    s.swarms.learn("ops", "newer", 1s, at(2));
    s.swarms.learn("ops", "newest", 1s, at(3));
    s.swarms.learn("market", "old", 1s, at(0));
  });
  const auto erased = house.await(house.writer->retain({}));
  REQUIRE(erased.has_value());
  CHECK(*erased == 2);
  auto reader = house.reader();
  CHECK(reader->swarms.learned("ops", 2 * learned_names_max).size() == learned_names_max);
  CHECK(reader->swarms.learned("ops", "newer"));
  CHECK(reader->swarms.learned("ops", "newest"));
  CHECK(reader->swarms.learned("market", "old"));
  CHECK(reader->swarms.learned("ops", 1).front().task == "newest");
}

TEST_CASE(
    "kept results go by age and by what they take, the oldest first; numbers by the ledger's") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    for (int i = 0; i < 1'000; ++i) {
      s.swarms.keep(fmt::format("key{}", i), {"result", 5s}, at(i));
    }
    s.swarms.note(some_numbers(SwarmId{1}, "ops", at(1)));
    s.swarms.note(some_numbers(SwarmId{2}, "ops", at(2)));
  });
  auto reader = house.reader();
  auto erased = house.await(house.writer->retain({.results_before = at(600)}));
  CHECK(erased.value() == 600);
  CHECK_FALSE(reader->swarms.kept("key599"));
  CHECK(reader->swarms.kept("key600"));
  erased = house.await(house.writer->retain({.results_bytes_max = 11'000}));
  CHECK(erased.value() >= 300);
  CHECK(reader->swarms.kept("key999"));
  CHECK_FALSE(reader->swarms.kept("key650"));
  CHECK(house.await(house.writer->retain({.results_bytes_max = 11'000})).value() == 0);
  CHECK(house.await(house.writer->retain({.ledger_before = at(2)})).value() == 1);
  CHECK(reader->swarms.numbers("ops", at(0), 9).size() == 1);
}

}  // namespace
}  // namespace vigil::storage
