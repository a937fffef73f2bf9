// Swarms from what is stored to what is stored: tried again, by hand, their results kept for
// others.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fstream>

#include "config/load.hpp"
#include "daemon/runtime/commit.hpp"
#include "daemon/runtime/runtime.hpp"
#include "daemon/runtime/swarm_rows.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::runtime;
using namespace std::chrono_literals;
using vigil::testing::ClockedWorld;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

config::Settings settings_of(const std::string& more) {
  const std::string text = R"(
[source.github]
kind = "webhook"
scheme = "none"
[entity.guard]
kind = "rules"
[[entity.guard.on]]
source = "*"
[[entity.guard.rule]]
name = "any"
remember = "seen"
)" + more;
  auto loaded = config::load_text(text, "test.toml");
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    throw std::runtime_error(mistakes->front().to_text());
  }
  return std::get<config::Loaded>(loaded).settings;
}

swarm::Task shell(const std::string& name, const std::string& script,
                  std::vector<std::string> needs = {}) {
  swarm::Task task;
  task.name = name;
  task.argv = {"/bin/sh", "-c", script};
  task.needs = std::move(needs);
  task.containment = swarm::Containment::none;
  return task;
}

struct World : ClockedWorld {
  explicit World(const std::string& more = "")
      : ClockedWorld(noon), settings(settings_of(more)), bulletin(loop.get_executor()) {
    start();
  }
  ~World() { stop(); }

  void start() {
    runtime = std::make_unique<Runtime>(loop.get_executor(), clock, *writer, bulletin,
                                        Places{path, bin_dir()});
    REQUIRE(runtime->apply(settings).has_value());
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
  std::string file(const std::string& name) const { return (path / name).string(); }
  std::string text_of(const std::string& name) const {
    std::ifstream in(file(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }

  Result<SwarmId> by_hand(swarm::Plan plan, const std::string& entity = "guard") {
    std::optional<Result<SwarmId>> out;
    run([&]() -> boost::asio::awaitable<void> {
      auto row = row_of(plan);
      auto running = runtime->run_plan(entity, std::move(row), "uid 7");
      out = co_await std::move(running);
    });
    return std::move(*out);
  }
  SwarmId run_plan(std::vector<swarm::Task> tasks) {
    swarm::Plan plan;
    plan.title = "look";
    plan.tasks = std::move(tasks);
    const auto id = by_hand(std::move(plan)).value();
    until([&] { return reader->swarms.find(id)->ended != TimePoint{}; });
    settle();
    return id;
  }
  Result<void> retry(SwarmId id) {
    std::optional<Result<void>> out;
    run([&]() -> boost::asio::awaitable<void> {
      auto retrying = runtime->retry_swarm(id, "uid 7");
      out = co_await std::move(retrying);
    });
    return std::move(*out);
  }
  void until_ended(SwarmId id, const std::string& state) {
    until([&] { return reader->swarms.find(id)->state == state; });
    settle();
  }
  swarm::Report report_of(SwarmId id) {
    return swarm::report_from_json(reader->swarms.find(id)->report).value();
  }
  std::vector<storage::Entry> ledger() {
    auto rows = reader->ledger.list("guard", {}, 99);
    std::ranges::reverse(rows);
    return rows;
  }
  std::int64_t spent(const std::string& kind) {
    for (const auto& row : reader->spend.of_day(storage::day_at(clock.now()).name)) {
      if (row.kind == kind) return row.amount;
    }
    return 0;
  }

  config::Settings settings;
  Bulletin bulletin;
  std::unique_ptr<Runtime> runtime;
};

}  // namespace

TEST_CASE(
    "a plan by hand runs in a case of its own, is in the ledger, and its entity hears of it") {
  World world;
  const auto id = world.run_plan({shell("one", "echo 1"), shell("two", "echo 2", {"one"})});
  const auto swarm = world.reader->swarms.find(id);
  CHECK(swarm->state == "done");
  CHECK(swarm->case_key == by_hand_key);
  CHECK(swarm->tasks == 2);
  REQUIRE(swarm->numbers);
  CHECK(swarm->numbers->done == 2);
  CHECK(world.report_of(id).result.at("two") == json::value(2));
  world.until([&] { return world.ledger().size() == 2; });
  const auto rows = world.ledger();
  CHECK(rows[0].wake_kind == "admin");
  CHECK(rows[0].why == "uid 7 runs the plan 'look' by hand");
  CHECK(rows[0].asked.at("swarms") == json::value(json::array{id.value}));
  CHECK(rows[1].wake_kind == "swarm");
  CHECK(world.spent("swarms") == 1);
  CHECK(world.by_hand({}, "nobody").error().code == ErrorCode::not_found);
}

TEST_CASE("budgets hold for plans by hand, and for what is tried again") {
  World world("[entity.guard.budget]\nswarms = 2\n");
  const auto id = world.run_plan({shell("one", "exit 3")});
  REQUIRE(world.retry(id).has_value());
  world.until([&] { return world.reader->swarms.numbers("guard", {}, 9).front().run == 2; });
  world.settle();
  CHECK(world.spent("swarms") == 2);
  const auto refused = world.retry(id);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK(
      refused.error().message.find("entity 'guard' is over its budget: the day's swarms are spent: "
                                   "entity.guard.budget.swarms = 2, spent 2, set aside 0, left 0, "
                                   "this may take 1; raise it") == 0);
  swarm::Plan plan;
  plan.tasks = {shell("one", "true")};
  CHECK(world.by_hand(plan).error().message.find("budget.swarms") != std::string::npos);
  CHECK(world.reader->swarms.find(id)->state == "failed");
  CHECK(world.spent("swarms") == 2);
}

TEST_CASE("a swarm that is tried again keeps what is done and tells its entity of the new end") {
  World world;
  const auto marks = world.file("marks");
  const auto id = world.run_plan({shell("first", "echo ran >>" + marks + "; echo 1"),
                                  shell("second", "test -e " + world.file("open"), {"first"}),
                                  shell("third", "echo 3", {"second"})});
  CHECK(world.reader->swarms.find(id)->state == "failed");
  world.until([&] { return world.ledger().size() == 2; });
  const auto fence = world.reader->swarms.fence_max(id);
  std::ofstream(world.file("open")) << "yes";
  world.clock.advance_to(noon + 1h);
  REQUIRE(world.retry(id).has_value());
  world.until_ended(id, "done");
  CHECK(world.text_of("marks") == "ran\n");
  CHECK(world.reader->swarms.fence_max(id) > fence);
  const auto swarm = world.reader->swarms.find(id);
  CHECK(swarm->run == 2);
  REQUIRE(swarm->numbers);
  CHECK(swarm->numbers->tasks == 2);  // of this run
  CHECK(swarm->numbers->wall < 1h);
  CHECK(world.report_of(id).tasks.size() == 3);
  world.until([&] { return world.ledger().size() == 4; });
  const auto rows = world.ledger();
  CHECK(rows[2].wake_kind == "admin");
  CHECK(rows[2].why.find("uid 7 tries swarm 1 again, which had failed") == 0);
  CHECK(rows[2].why.find("1 of its 3 tasks are done") != std::string::npos);
  CHECK(rows[3].wake_kind == "swarm");
  CHECK(world.spent("swarms") == 2);
  const auto done = world.retry(id);
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().message == "swarm 1 is done: there is nothing to try again");
  CHECK(world.retry(SwarmId{99}).error().code == ErrorCode::not_found);
}

TEST_CASE("a retry that a restart cuts off goes on, and cannot be asked for twice") {
  World world;
  const auto id =
      world.run_plan({shell("one", "test -e " + world.file("slow") + " || exit 3; " + "test -e " +
                                       world.file("open") + " || exec sleep 1000")});
  CHECK(world.reader->swarms.find(id)->state == "failed");
  std::ofstream(world.file("slow")) << "yes";
  REQUIRE(world.retry(id).has_value());
  world.until([&] { return world.runtime->status().tasks_running == 1; });
  const auto refused = world.retry(id);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("swarm 1 is running") == 0);
  world.stop();
  CHECK(world.reader->swarms.find(id)->state == "running");
  std::ofstream(world.file("open")) << "yes";
  world.start();
  world.until_ended(id, "done");
  CHECK(world.reader->swarms.find(id)->run == 2);
}

TEST_CASE("an end that nobody decided yet is superseded when its swarm is tried again") {
  World world;
  world.run([&]() -> boost::asio::awaitable<void> {
    auto pausing = world.runtime->set_paused("guard", true);
    Result<void> paused = co_await std::move(pausing);
    CHECK(paused.has_value());
  });
  const auto id = world.run_plan({shell("one", "exit 3")});
  CHECK(world.reader->wakes.count_open() == 1);
  REQUIRE(world.retry(id).has_value());
  world.until([&] { return world.reader->swarms.numbers("guard", {}, 9).front().run == 2; });
  world.settle();
  CHECK(world.reader->wakes.count_open() == 1);  // of the second end alone
  CHECK(world.ledger()[1].verdict == "superseded");
}

TEST_CASE("compute is reserved, and what it really was takes the reservation's place") {
  World world;
  world.commit([](storage::Stores& s) { s.swarms.learn("guard", "one", 500s); });
  const auto id = world.run_plan({shell("one", "true")});
  CHECK(world.reader->swarms.find(id)->reserved == 500s);
  CHECK(Duration{world.spent("compute_us")} < 100s);
}

TEST_CASE("what a restart cuts off stays set aside until its second run settles it") {
  World world("[entity.guard.budget]\ncompute = \"10m\"\n");
  world.commit([](storage::Stores& s) { s.swarms.learn("guard", "one", 500s); });
  const auto set_aside = [&] {
    return storage::DayUse(world.reader->database()).reserved(storage::day_at(noon), "guard");
  };
  swarm::Plan plan;
  plan.title = "long";
  plan.tasks = {shell("one", "test -e " + world.file("open") + " || exec sleep 1000")};
  const auto id = world.by_hand(plan).value();
  world.until([&] { return world.runtime->status().tasks_running == 1; });
  CHECK(set_aside().compute == 500s);
  CHECK(world.spent("compute_us") == 0);
  world.stop();
  CHECK(set_aside().compute == 500s);
  std::ofstream(world.file("open")) << "yes";
  world.start();
  CHECK(world.by_hand(plan).error().message.find("too little is left of the day's compute") !=
        std::string::npos);
  world.until_ended(id, "done");
  CHECK(set_aside().compute == 0s);
  CHECK(Duration{world.spent("compute_us")} < 100s);
  CHECK(world.by_hand(plan).has_value());
}

TEST_CASE("a result is kept in the change of its checkpoint, and a later swarm takes it") {
  World world;
  auto task = shell("one", "echo ran >>" + world.file("marks") + "; echo 1");
  task.cache = true;
  world.run_plan({task});
  const auto second = world.run_plan({task});
  CHECK(world.text_of("marks") == "ran\n");
  CHECK(world.report_of(second).reused == 1);
  const auto numbers = world.reader->swarms.numbers("guard", {}, 9);
  REQUIRE(numbers.size() == 2);
  CHECK(numbers[0].swarm == second);
  CHECK(numbers[0].reused == 1);
  CHECK(numbers[0].done == 0);
  CHECK(numbers[1].done == 1);
}

TEST_CASE("no results are kept when there is no room for them") {
  World world("[storage]\ncache_bytes_max = \"0B\"\n");
  auto task = shell("one", "echo 1");
  task.cache = true;
  world.run_plan({task});
  CHECK(world.report_of(world.run_plan({task})).reused == 0);
}

TEST_CASE("starts of what holds a resource keep the rate that the configuration gives it") {
  World world("[swarm]\nslots = 8\n[swarm.resources]\nforge = 1\n[swarm.rates]\nforge = 60\n");
  auto first = shell("first", "true");
  auto second = shell("second", "true");
  first.resources = second.resources = {{"forge", 1}};
  swarm::Plan plan;
  plan.tasks = {first, second};
  const auto id = world.by_hand(std::move(plan)).value();
  world.until([&] {
    world.pass(10ms);  // what tasks did is gathered before it is written
    return world.reader->swarms.tasks(id).size() == 1;
  });
  CHECK(world.clock.now() < noon + 1s);
  CHECK(world.reader->swarms.find(id)->state == "running");  // one a second: the other waits
  world.pass(2s);
  world.until_ended(id, "done");
}

TEST_CASE("items of a list are learned under one name, and a plan that cannot be read says so") {
  World world;
  auto each = shell("each", "echo {item}");
  each.for_each = "input.list";
  each.input = json::object{{"list", json::array{1, 2, 3, 4, 5, 6}}};
  world.run_plan({each});
  const auto learned = world.reader->swarms.learned("guard", 99);
  const auto items = std::ranges::find(learned, "each/", &storage::Swarms::Learned::task);
  REQUIRE(items != learned.end());
  CHECK(items->runs == 6);
  const auto broken = world.commit([](storage::Stores& stores) {
    storage::Swarm swarm;
    swarm.entity = "guard";
    swarm.case_id = stores.cases.open("guard", "x", noon).id;
    swarm.plan = json::object{{"tasks", "none"}};
    swarm.state = "planned";
    return stores.swarms.add(swarm);
  });
  world.stop();
  world.start();
  world.until_ended(broken, "failed");
  CHECK(world.report_of(broken).error.find("its plan cannot be read: ") == 0);
}
