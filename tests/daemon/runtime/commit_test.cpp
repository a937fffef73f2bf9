#include "daemon/runtime/commit.hpp"

#include <set>

#include "commit_world.hpp"
#include "daemon/runtime/reactivity.hpp"

using namespace vigil;
using namespace vigil::runtime;
using namespace std::chrono_literals;
using vigil::testing::action_to;
using vigil::testing::noon;
using vigil::testing::settings_of;
using World = vigil::testing::CommitWorld;

namespace {

swarm::Plan small_plan() {
  swarm::Plan plan;
  plan.title = "look";
  swarm::Task task;
  task.name = "one";
  task.argv = {"/bin/true"};
  plan.tasks.push_back(task);
  return plan;
}

}  // namespace

TEST_CASE("an event becomes a wake of its case, and the cursor moves with it") {
  World world;
  const auto event = world.event("a", "octo/repo");
  const auto routed = world.arrive(event, noon);
  REQUIRE(routed.wakes.size() == 1);
  const auto reader = world.reader();
  CHECK(reader->cursors.get(router_cursor) == event->id.value);
  const auto wake = reader->wakes.find(routed.wakes.front().id);
  REQUIRE(wake.has_value());
  CHECK(wake->case_key == "octo/repo");
  CHECK(wake->events == std::vector{event->id});
}

TEST_CASE("an event nobody wants is answered in the ledger") {
  World world;
  storage::NewEvent row;
  row.uid = "x";
  row.source = "elsewhere";
  row.type = "odd.thing";
  row.received_at = noon;
  const auto id =
      world.commit([&](storage::Stores& stores) { return stores.journal.append(row).id; });
  CHECK(world.arrive(world.reader()->journal.find(id), noon).wakes.empty());
  const auto answers = world.reader()->ledger.of_event(id);
  REQUIRE(answers.size() == 1);
  CHECK(answers.front().verdict == "ignored");
  CHECK(answers.front().why.find("no entity subscribes") != std::string::npos);
}

TEST_CASE("a debounced case gathers events into one wake") {
  World world("[entity.guard.reactivity]\ndebounce = { period = \"10s\", timeout = \"1m\" }\n");
  const auto first = world.arrive(world.event("a", "s"), noon);
  const auto second = world.arrive(world.event("b", "s"), noon + 4s);
  REQUIRE(first.wakes.size() == 1);
  REQUIRE(second.wakes.size() == 1);
  CHECK(first.wakes.front().id == second.wakes.front().id);
  CHECK(second.wakes.front().not_before == noon + 14s);
  const auto wake = world.reader()->wakes.find(first.wakes.front().id);
  CHECK(wake->events.size() == 2);
  CHECK(wake->gathering);
}

TEST_CASE("a throttled wake stays in its window though a debounce or a full batch would open it") {
  World world(
      "[entity.guard.reactivity]\ndebounce = { period = \"10s\" }\n"
      "batch = { max_size = 3 }\nthrottle = { count = 1, period = \"1h\" }\n");
  const auto first = world.arrive(world.event("a", "s"), noon).wakes.front();
  CHECK(first.not_before == noon + 10s);
  CHECK(world.settle(world.decided(first)).decided);
  CHECK(world.arrive(world.event("b", "s"), noon + 1min).wakes.front().not_before == noon + 1h);
  CHECK(world.arrive(world.event("c", "s"), noon + 2min).wakes.front().not_before == noon + 1h);
  const auto full = world.arrive(world.event("d", "s"), noon + 3min).wakes.front();
  CHECK(full.not_before == noon + 1h);
  CHECK_FALSE(full.gathering);
  const auto row = world.reader()->wakes.find(full.id);
  CHECK(row->not_before == noon + 1h);
  CHECK_FALSE(row->gathering);
}

TEST_CASE("what gathers is bounded, and nothing of a storm is lost") {
  World world("[entity.guard.reactivity]\ndebounce = { period = \"10s\", timeout = \"1m\" }\n");
  std::set<WakeId> wakes;
  for (int number = 0; number < wake_events_max + 2; ++number) {
    const auto event = world.event(std::to_string(number), "s");
    wakes.insert(world.arrive(event, noon + number * 1ms).wakes.front().id);
  }
  REQUIRE(wakes.size() == 2);
  const auto reader = world.reader();
  const auto full = reader->wakes.find(*wakes.begin());
  const auto next = reader->wakes.find(*wakes.rbegin());
  CHECK(full->events.size() == static_cast<std::size_t>(wake_events_max));
  CHECK_FALSE(full->gathering);
  CHECK(full->not_before == noon + 10s + (wake_events_max - 1) * 1ms);
  CHECK(next->events.size() == 2);
  CHECK(next->gathering);
  CHECK(next->not_before >= full->not_before);
  CHECK(next->bytes == 2 * std::string("{}").size());
}

TEST_CASE("after acting a cooldown answers in the ledger instead of waking") {
  World world("[entity.guard.reactivity]\ncooldown = \"5m\"\n");
  const auto first = world.arrive(world.event("a", "s"), noon);
  auto decided = world.decided(first.wakes.front());
  decided.decision.actions.push_back(action_to("out"));
  CHECK(world.settle(decided).decided);
  const auto event = world.event("b", "s");
  CHECK(world.arrive(event, noon + 1min).wakes.empty());
  const auto answers = world.reader()->ledger.of_event(event->id);
  REQUIRE(answers.size() == 1);
  CHECK(answers.front().verdict == "cooling_down");
  CHECK(world.arrive(world.event("c", "s"), noon + 6min).wakes.size() == 1);
}

TEST_CASE("a decision is committed once, with all it asks for") {
  World world;
  const auto routed = world.arrive(world.event("a", "s"), noon);
  auto decided = world.decided(routed.wakes.front());
  decided.decision.state = json::object{{"seen", 1}};
  decided.decision.episodes.push_back({"note", "it happened", nullptr});
  decided.decision.facts.push_back({"color", "green", 0.9, "told"});
  decided.decision.preferences.push_back({"mute", true, "told so"});
  decided.decision.plans.push_back(small_plan());
  decided.decision.actions.push_back(action_to("out"));
  decided.decision.timers.push_back({"later", noon + 1h, nullptr});
  const auto once = world.settle(decided);
  CHECK(once.decided);
  CHECK(once.swarms.size() == 1);
  CHECK(once.actions_approved == 1);
  CHECK(once.timer_due == noon + 1h);
  CHECK_FALSE(world.settle(decided).decided);
  const auto reader = world.reader();
  CHECK_FALSE(reader->wakes.find(decided.wake).has_value());
  CHECK(reader->cases.find("guard", "s")->state.at("seen").as_int64() == 1);
  CHECK(reader->memory.fact("guard", "color")->value == "green");
  CHECK(reader->memory.preference("guard", "mute")->taint == decided.taint);
  CHECK(reader->memory.episodes("guard", decided.case_id, 10).size() == 1);
  CHECK(reader->timers.list(10).size() == 1);
  CHECK(reader->outbox.in_state("approved", 10).size() == 1);
  const auto entry = reader->ledger.find(once.id);
  REQUIRE(entry.has_value());
  CHECK(entry->why == "because");
  CHECK(entry->events == decided.events);
  CHECK(reader->swarms.find(once.swarms.front())->decision == once.id);
}

TEST_CASE("over the day's budget the plan is left out and the ledger says so") {
  World world("[entity.guard.budget]\nswarms = 1\nnotifications = 1\n");
  const auto first = world.arrive(world.event("a", "s"), noon);
  auto decided = world.decided(first.wakes.front());
  decided.decision.plans = {small_plan(), small_plan()};
  decided.decision.actions = {action_to("out"), action_to("out")};
  const auto out = world.settle(decided);
  CHECK(out.swarms.size() == 1);
  CHECK(out.actions_approved == 1);
  const auto second = world.arrive(world.event("b", "s"), noon);
  auto later = world.decided(second.wakes.front());
  later.decision.plans = {small_plan()};
  const auto none = world.settle(later);
  CHECK(none.swarms.empty());
  CHECK(world.reader()->ledger.find(none.id)->verdict == "over_budget");
  auto tomorrow = world.decided(world.arrive(world.event("c", "s"), noon).wakes.front());
  tomorrow.decision.plans = {small_plan()};
  tomorrow.now = noon + 24h;
  CHECK(world.settle(tomorrow).swarms.size() == 1);
}

TEST_CASE("what strangers wrote may act here, and outside only where the class is allowed") {
  const auto settings = settings_of("");
  auto entity = settings.entities.at("guard");
  const auto here = action_to("out");
  const auto outside = action_to("web");
  CHECK(consent_for(entity, settings, here, Taint::untrusted) == Consent::act);
  CHECK(consent_for(entity, settings, outside, Taint::untrusted) == Consent::propose);
  CHECK(consent_for(entity, settings, outside, Taint::trusted) == Consent::act);
  CHECK(consent_for(entity, settings, action_to("gone"), Taint::untrusted) == Consent::propose);
  entity.autonomy_of["notify"] = config::Autonomy::act;
  CHECK(consent_for(entity, settings, outside, Taint::untrusted) == Consent::act);
  auto grave = here;
  grave.ask_first = true;
  CHECK(consent_for(entity, settings, grave, Taint::trusted) == Consent::propose);
  entity.autonomy_of["notify"] = config::Autonomy::observe;
  CHECK(consent_for(entity, settings, here, Taint::trusted) == Consent::observe);
  entity.autonomy_of.clear();
  entity.autonomy = config::Autonomy::propose;
  CHECK(consent_for(entity, settings, here, Taint::trusted) == Consent::propose);
}

TEST_CASE("a failing decision is tried again, later each time, then buried with its reason") {
  World world;
  const auto routed = world.arrive(world.event("a", "s"), noon);
  const auto id = routed.wakes.front().id;
  Duration last{0};
  for (int attempt = 1; attempt < attempts_max; ++attempt) {
    const auto failed = world.commit([&](storage::Stores& stores) {
      return commit_failure(stores, {id, "it threw", false, noon});
    });
    CHECK_FALSE(failed.dead);
    CHECK(failed.attempts == attempt);
    CHECK(failed.not_before - noon > last);
    last = failed.not_before - noon;
  }
  const auto failed = world.commit([&](storage::Stores& stores) {
    return commit_failure(stores, {id, "it threw", false, noon});
  });
  CHECK(failed.dead);
  const auto reader = world.reader();
  REQUIRE(reader->wakes.dead(10).size() == 1);
  CHECK(reader->wakes.dead(10).front().error.find("it threw") != std::string::npos);
  const auto answers = reader->ledger.of_event(routed.wakes.front().events.front()->id);
  REQUIRE(answers.size() == 1);
  CHECK(answers.front().verdict == "failed");
}
