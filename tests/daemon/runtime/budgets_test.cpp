#include "daemon/runtime/budgets.hpp"

#include "commit_world.hpp"
#include "daemon/runtime/questions.hpp"
#include "daemon/runtime/swarm_rows.hpp"

namespace vigil::runtime {
namespace {

using namespace vigil::testing;
using namespace std::chrono_literals;

constexpr const char* model = R"(
[model.m]
url = "http://127.0.0.1:9/v1"
model = "the-m"
output_tokens_max = 500
price = { input = 10, output = 20 }
)";

swarm::Task question(const std::string& name) {
  auto ask = std::make_shared<swarm::Ask>();
  ask->model = "m";
  ask->prompt = std::string(400, 'x');  // 100 tokens
  swarm::Task task;
  task.name = name;
  task.ask = std::move(ask);
  task.input = "";  // its quotes are one token
  return task;
}

swarm::Task work(const std::string& name, std::vector<std::string> needs = {}) {
  swarm::Task task;
  task.name = name;
  task.argv = {"/bin/true"};
  task.needs = std::move(needs);
  return task;
}

swarm::Plan plan_of(std::vector<swarm::Task> tasks) {
  swarm::Plan plan;
  plan.title = "p";
  plan.tasks = std::move(tasks);
  return plan;
}

constexpr std::int64_t tokens_of_one = 2 * (101 + 500);  // asked and, should it not fit, repaired

struct World : CommitWorld {
  using CommitWorld::CommitWorld;

  Committed plan(swarm::Plan wanted, const std::string& subject = "s") {
    auto one = decided(arrive(event(std::to_string(++number), subject), noon).wakes.front());
    one.decision.plans = {std::move(wanted)};
    return settle(one);
  }
  std::string why_not(const Committed& out) {
    const auto entry = reader()->ledger.find(out.id);
    const auto* why = entry->asked.if_contains("over_budget");
    return why ? std::string(why->at(0).as_string()) : "";
  }
  void end(SwarmId id, std::int64_t tokens, bool cancelled = false) {
    swarm::Report report;
    report.cancelled = cancelled;
    report.ok = !cancelled;
    report.tasks.resize(1);
    report.tasks[0].took = 3s;
    report.tasks[0].cost = {{"tokens", tokens}, {"money_micros", 4}, {"tokens of m", tokens}};
    const auto row = *reader()->swarms.find(id);
    const auto names = names_of(
        accounts_of(inhabitants->settings(), inhabitants->find("guard")->settings, row.case_id));
    commit(
        [&](storage::Stores& stores) { (void)commit_end(stores, row, report, names, noon + 1h); });
  }
  std::int64_t spent(const std::string& account, const char* kind) {
    const auto stores = reader();
    return storage::DayUse(stores->database()).spent(account, storage::day_at(noon), kind);
  }
  storage::SetAside reserved() {
    const auto stores = reader();
    return storage::DayUse(stores->database()).reserved(storage::day_at(noon), "guard");
  }
  int number = 0;
};

}  // namespace

TEST_CASE("a swarm sets aside the most its questions may take, and its end settles it") {
  World world(std::string(model) + "[entity.guard.budget]\ntokens = 2000\n");
  const auto first = world.plan(plan_of({question("q")}));
  REQUIRE(first.swarms.size() == 1);
  CHECK(world.reserved().tokens == tokens_of_one);
  CHECK(world.reserved().money_micros == 2 * (101 * 10 + 500 * 20));
  const auto second = world.plan(plan_of({question("q")}));
  CHECK(second.swarms.empty());
  CHECK(world.why_not(second) ==
        "plan 'p': too little is left of the day's tokens: entity.guard.budget.tokens = 2000, "
        "spent 0, set aside 1202, left 798, this may take 1202; raise it and reload, or wait until "
        "2026-11-24T00:00:00.000Z");
  CHECK(world.reader()->ledger.find(second.id)->verdict == "over_budget");
  world.end(first.swarms[0], 150);
  CHECK(world.reserved().tokens == 0);
  CHECK(world.spent("guard", "tokens") == 150);
  CHECK(world.spent("*", "tokens") == 150);
  CHECK(world.spent("guard", "compute_us") == 3'000'000);
  CHECK(world.spent("model:m", "tokens") == 0);  // whoever asks the model counts it
  const auto third = world.plan(plan_of({question("q")}));
  REQUIRE(third.swarms.size() == 1);
  world.end(third.swarms[0], 1900, true);
  CHECK(world.plan(plan_of({question("q")})).swarms.empty());
  CHECK(world.plan(plan_of({work("w")})).swarms.size() == 1);  // it asks nobody
}

TEST_CASE("budgets of all, of one case, and of money hold, and each is named") {
  World world(std::string(model) +
              "[budget]\nswarms = 3\n[entity.guard.budget]\nmoney_cents = 3\n"
              "case = { swarms = 1, notifications = 1 }\n");
  CHECK(world.plan(plan_of({question("q")}), "a").swarms.size() == 1);  // 2.1 cents
  const auto money = world.plan(plan_of({question("q")}), "b");
  CHECK(world.why_not(money).find("entity.guard.budget.money_cents = 3, spent 0, set aside 3") !=
        std::string::npos);
  const auto of_case = world.plan(plan_of({work("w")}), "a");
  CHECK(world.why_not(of_case).find("entity.guard.budget.case.swarms = 1, spent 1") !=
        std::string::npos);
  CHECK(world.plan(plan_of({work("w")}), "b").swarms.size() == 1);
  CHECK(world.plan(plan_of({work("w")}), "c").swarms.size() == 1);
  const auto all = world.plan(plan_of({work("w")}), "d");
  CHECK(world.why_not(all).find("the day's swarms are spent: budget.swarms = 3, spent 3") !=
        std::string::npos);
  auto told = world.decided(world.arrive(world.event("n", "a"), noon).wakes.front());
  told.decision.actions = {action_to("out"), action_to("out")};
  CHECK(world.settle(told).actions_approved == 1);
  CHECK(world.why_not(Committed{.id = world.reader()->ledger.list("guard", {}, 1).front().id})
            .find("entity.guard.budget.case.notifications = 1") != std::string::npos);
}

TEST_CASE(
    "a plan that may take more than a whole day is refused, and told that waiting is no help") {
  World world(std::string(model) + "[entity.guard.budget]\ntokens = 100\nmoney_cents = 500\n");
  const auto tokens = world.plan(plan_of({question("q")}));
  CHECK(tokens.swarms.empty());
  CHECK(world.why_not(tokens) ==
        "plan 'p': no day's tokens are enough: entity.guard.budget.tokens = 100, this may take "
        "1202; waiting does not help: raise it and reload, or let it take less (shorter answers: "
        "output_tokens_max of the question or of its model; fewer retries and variants; a smaller "
        "[planning] for planners)");
  CHECK(world.reader()->ledger.find(tokens.id)->verdict == "over_budget");
  CHECK(world.spent("guard", "swarms") == 0);
  World poor(std::string(model) + "[entity.guard.budget]\nmoney_cents = 2\n");
  CHECK(poor.why_not(poor.plan(plan_of({question("q")})))
            .find("no day's money_cents are enough: entity.guard.budget.money_cents = 2, this may "
                  "take 3;") != std::string::npos);
}

TEST_CASE("what is left is told in whole cents, and what just fits goes") {
  World world(std::string(model) + "[entity.guard.budget]\ntokens = 2404\nmoney_cents = 5\n");
  CHECK(world.plan(plan_of({question("q")})).swarms.size() == 1);
  CHECK(world.plan(plan_of({question("q")})).swarms.size() == 1);  // 4.4 cents, 2404 tokens
  const auto third = world.plan(plan_of({question("q")}));
  CHECK(world.why_not(third).find("the day's tokens are spent: entity.guard.budget.tokens = 2404, "
                                  "spent 0, set aside 2404, left 0, this may take 1202") !=
        std::string::npos);
}

TEST_CASE("where tokens do not suffice the plan goes without what asks, when that is optional") {
  for (const auto* tokens : {"100", "1300"}) {  // never enough; not enough today
    World world(std::string(model) + "[entity.guard.budget]\ntokens = " + tokens + "\n");
    const auto first = world.plan(plan_of({question("q")}));
    if (!first.swarms.empty()) world.end(first.swarms[0], 200);
    auto asks = question("advice");
    asks.optional = true;
    auto uses = work("uses", {"advice"});
    uses.optional = true;
    const auto out = world.plan(plan_of({work("look"), asks, uses}));
    REQUIRE(out.swarms.size() == 1);
    CHECK(world.reader()->swarms.find(out.swarms[0])->tasks == 1);
    const auto why = world.why_not(out);
    CHECK(why.find("plan 'p' runs without 2 of its 3 tasks, its questions: ") == 0);
    CHECK(why.find(first.swarms.empty() ? "no day's tokens are enough"
                                        : "left 1100, this may take "
                                          "1202") != std::string::npos);
    CHECK(world.reader()->ledger.find(out.id)->asked.contains("swarms"));
  }
}

TEST_CASE("compute that is longer than a day's goes while anything is left: it may be a timeout") {
  World world("[entity.guard.budget]\ncompute = \"10m\"\n");
  auto slow = work("slow");
  slow.timeout = 30min;
  const auto first = world.plan(plan_of({slow}));
  CHECK(first.swarms.size() == 1);
  const auto second = world.plan(plan_of({slow}));  // 30 minutes of it are set aside
  CHECK(world.why_not(second).find(
            "the day's compute are spent: entity.guard.budget.compute = 10m, "
            "spent 0us, set aside 30m, left 0us, this may take 30m") != std::string::npos);
  world.end(first.swarms[0], 0);
  CHECK(world.plan(plan_of({slow})).swarms.size() == 1);
}

TEST_CASE("compute: what tasks took before, or the longest they may take where nothing is known") {
  World world("[entity.guard.budget]\ncompute = \"10m\"\n");
  auto slow = work("slow");
  slow.timeout = 6min;
  const auto first = world.plan(plan_of({slow}));
  CHECK(first.swarms.size() == 1);
  CHECK(world.reserved().compute == 6min);
  CHECK(world.plan(plan_of({slow})).swarms.empty());
  world.commit([](storage::Stores& stores) { stores.swarms.learn("guard", "slow", 2min); });
  CHECK(world.plan(plan_of({slow})).swarms.size() == 1);
  CHECK(world.reserved().compute == 8min);
}

TEST_CASE("a planner sets aside what the plan it may write is allowed to take") {
  auto planner = question("plan");
  planner.planner = true;
  planner.spawn_max = 5;
  World world(std::string(model) +
              "[planning]\ntokens_max = 7000\nmoney_cents_max = 2\n"
              "examples = 2\n");
  CHECK(world.plan(plan_of({planner})).swarms.size() == 1);
  constexpr std::int64_t earlier = 2 * 2 * 256;  // two plans of 1 KiB, each time it is asked
  constexpr int told = 2 * 500;                  // what a plan is, each time
  CHECK(world.reserved().tokens == tokens_of_one + told + earlier + 7000);
  CHECK(world.reserved().money_micros ==
        2 * (101 * 10 + 500 * 20) + (told + earlier) * 10 + 20'000);
}

TEST_CASE("what is asked counts over variants, retries, known items and whoever judges it") {
  auto task = question("q");
  task.variants = 3;
  task.retries = 1;
  task.for_each = "input.files";
  task.input = json::object{{"files", {1, 2}}};
  task.verify = std::make_shared<swarm::Task>(question("judge"));
  const auto of = models::questions_of(task);
  REQUIRE(of.size() == 2);
  CHECK(of[0].times == 2 * 3 * 2 * 2);
  CHECK(of[1].times == of[0].times);
  CHECK(models::most_of(of[1], 500).output == of[1].times * 500);
}

TEST_CASE("a plan without its questions: what stands by itself, or nothing") {
  auto ask = question("ask");
  ask.optional = true;
  auto keep = work("keep", {"ask", "look"});
  keep.optional = true;
  auto each = work("each", {"keep"});
  each.for_each = "keep.files";
  each.optional = true;
  const auto lighter = without_questions(plan_of({work("look"), ask, keep, each, work("end")}));
  REQUIRE(lighter);
  REQUIRE(lighter->tasks.size() == 2);
  CHECK(lighter->tasks[1].name == "end");
  CHECK_FALSE(without_questions(plan_of({work("look")})));              // nothing to leave out
  CHECK_FALSE(without_questions(plan_of({ask})));                       // nothing is left
  CHECK_FALSE(without_questions(plan_of({question("q"), work("w")})));  // it is needed
  CHECK_FALSE(without_questions(plan_of({ask, work("w", {"ask"})})));   // so is that
  auto partial = plan_of({work("look"), ask, work("sum", {"look", "ask"})});
  partial.on_failure = swarm::OnFailure::partial;
  const auto rest = without_questions(partial);
  REQUIRE(rest);
  CHECK(rest->tasks[1].needs == std::vector<std::string>{"look"});
  CHECK(swarm::validate(*rest).has_value());
}

}  // namespace vigil::runtime
