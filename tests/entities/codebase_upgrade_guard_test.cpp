#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/codebase/codebase.hpp"
#include "entities/codebase/upgrade_groups.hpp"
#include "tests/entities/codebase_clone.hpp"
#include "tests/entities/codebase_memory.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::entities::codebase;
using vigil::testing::Clone;
using vigil::testing::FakeMemory;
using vigil::testing::make_event;
using vigil::testing::wake_for;

namespace {

config::Entity entity(const Clone& clone) {
  config::Codebase settings;
  settings.repository = clone.path().string();
  settings.branch = "main";
  settings.advisories = "/srv/osv";
  settings.commands.push_back({"tests", {"make", "test"}, std::chrono::minutes{1}, {"src/"}, {}});
  config::Upgrades upgrades;
  upgrades.push_sink = "push";
  upgrades.pull_sink = "github";
  upgrades.forge_repository = "octo/app";
  upgrades.commands.push_back({"npm", {"npm", "install", "{package}@{version}"}});
  settings.upgrades = upgrades;
  config::Entity out;
  out.name = "keeper";
  out.kind = "codebase";
  out.of = settings;
  return out;
}

UpgradeGroup group(const std::string& name, const std::string& to, Severity severity) {
  UpgradeChange change;
  change.file = "package-lock.json";
  change.raise = {"npm", name, "1.0.0", to};
  change.ids = {"A-" + name};
  return {"npm/" + name,
          "upgrade " + name + " to " + to,
          "vigil/upgrade-npm-" + name,
          name + to,
          severity,
          {change}};
}

swarm::Report scan_report(const std::vector<UpgradeGroup>& groups, const std::string& head) {
  json::array list;
  for (const auto& one : groups) list.emplace_back(to_json(one));
  swarm::Report report;
  report.title = "upgrades";
  report.ok = true;
  report.result = json::object{{"head", head}, {"groups", std::move(list)}};
  return report;
}

swarm::TaskOutcome done(const std::string& name, json::object result) {
  swarm::TaskOutcome outcome;
  outcome.name = name;
  outcome.state = swarm::TaskState::done;
  outcome.result = std::move(result);
  return outcome;
}

swarm::Report made(const UpgradeGroup& of, bool kept) {
  swarm::Report report;
  report.title = "upgrade " + of.key;
  report.ok = true;
  report.tasks.push_back(
      done("edit",
           {{"ok", true}, {"group", to_json(of)}, {"summary", "edited"}, {"patch", "-a\n+b\n"}}));
  report.tasks.push_back(done("keep", {{"kept", kept},
                                       {"commit", "0123456789012345678901234567890123456789"},
                                       {"message", of.title + "\n"},
                                       {"summary", kept ? "tests pass" : "tests failed"}}));
  return report;
}

class Keeper {
 public:
  Keeper() : guardian_(*make_codebase(entity(clone))) {}

  template <class Because>
  Decision decide(Because because) {
    const auto wake = wake_for(std::move(because));
    auto decision = guardian_->decide(wake, memory);
    CHECK(!decision.why.empty());
    memory.keep(decision);
    return decision;
  }
  Decision settle(const std::string& kind, const std::string& key, const std::string& outcome) {
    ActionSettled settled;
    settled.kind = kind;
    settled.outcome = outcome;
    settled.sticky_key = key;
    return decide(settled);
  }
  std::string state(const std::string& key) {
    const auto fact = memory.fact("upgrade:" + key);
    return fact ? std::string(find_text(fact->value, "state").value_or("")) : "";
  }

  Clone clone;
  FakeMemory memory;
  std::unique_ptr<Guardian> guardian_;
};

}  // namespace

TEST_CASE("an event that asks for upgrades makes the guardian look for them") {
  Keeper keeper;
  const auto event = make_event("schedule.upgrades", json::object{});
  const auto interest = keeper.guardian_->interest(*event);
  CHECK(interest.case_key == "upgrades");
  const auto decision = keeper.decide(EventsArrived{{event}});
  REQUIRE(decision.plans.size() == 1);
  CHECK(swarm::validate(decision.plans[0]).has_value());
  CHECK(decision.plans[0].tasks[0].builtin == "codebase.upgrade_find");
}

TEST_CASE("the most severe are made first, no more than an hour allows, the rest an hour later") {
  Keeper keeper;
  const auto decision = keeper.decide(SwarmEnded{
      scan_report({group("a", "1.1.0", Severity::critical), group("b", "1.2.0", Severity::high),
                   group("c", "1.3.0", Severity::low), group("d", "1.3.0", Severity::info)},
                  "aaaaaaa")});
  REQUIRE(decision.plans.size() == 2);
  CHECK(decision.plans[0].title == "upgrade npm/a");
  for (const auto& plan : decision.plans) CHECK(swarm::validate(plan).has_value());
  REQUIRE(decision.timers.size() == 1);
  CHECK(decision.timers[0].due.has_value());
  CHECK(keeper.state("npm/a") == "working");
  CHECK(keeper.state("npm/d").empty());
  // The repository's own command runs whatever paths it names, without the clone being writable.
  const auto& tasks = decision.plans[0].tasks;
  const auto command = std::ranges::find(tasks, "codebase.command", &swarm::Task::builtin);
  REQUIRE(command != tasks.end());
  CHECK(!command->input.as_object().contains("paths"));
  CHECK(command->write_paths.empty());
  CHECK(tasks.front().containment == swarm::Containment::strict);
}

TEST_CASE("a branch whose tests pass is proposed, pushed, and then a draft pull request") {
  Keeper keeper;
  const auto a = group("a", "1.1.0", Severity::high);
  keeper.decide(SwarmEnded{scan_report({a}, "aaaaaaa")});
  const auto proposed = keeper.decide(SwarmEnded{made(a, true)});
  REQUIRE(proposed.actions.size() == 1);
  CHECK(proposed.actions[0].kind == "upgrade");
  CHECK(proposed.actions[0].sink == "push");
  CHECK(find_text(json::value(proposed.actions[0].payload), "branch") == "vigil/upgrade-npm-a");
  REQUIRE(proposed.documents.size() == 1);
  CHECK(proposed.documents[0].body.find("+b") != std::string::npos);
  CHECK(keeper.state("npm/a") == "open");
  // It is open: the next look changes nothing.
  CHECK(keeper.decide(SwarmEnded{scan_report({a}, "bbbbbbb")}).plans.empty());
  const auto pushed = keeper.settle("upgrade", "upgrade:npm/a", "delivered");
  REQUIRE(pushed.actions.size() == 1);
  CHECK(pushed.actions[0].sink == "github");
  CHECK(find_text(json::value(pushed.actions[0].payload), "head") == "vigil/upgrade-npm-a");
  CHECK(keeper.settle("pull", "pull:npm/a", "delivered").actions.empty());
  // Its advisory is gone, or somebody was quicker.
  const auto gone = keeper.decide(SwarmEnded{scan_report({}, "ccccccc")});
  REQUIRE(gone.actions.size() == 1);
  CHECK(find_text(json::value(gone.actions[0].payload), "state") == "closed");
  CHECK(keeper.state("npm/a") == "withdrawn");
}

TEST_CASE("what was denied comes again only with another version") {
  Keeper keeper;
  const auto a = group("a", "1.1.0", Severity::high);
  keeper.decide(SwarmEnded{scan_report({a}, "aaaaaaa")});
  keeper.decide(SwarmEnded{made(a, true)});
  keeper.settle("upgrade", "upgrade:npm/a", "denied");
  CHECK(keeper.state("npm/a") == "denied");
  CHECK(keeper.decide(SwarmEnded{scan_report({a}, "bbbbbbb")}).plans.empty());
  const auto newer =
      keeper.decide(SwarmEnded{scan_report({group("a", "1.2.0", Severity::high)}, "bbbbbbb")});
  CHECK(newer.plans.size() == 1);
  // What the old swarm still tells is out of date.
  CHECK(keeper.decide(SwarmEnded{made(a, true)}).actions.empty());
}

TEST_CASE("what failed its tests is not proposed, and tried again when the branch moved") {
  Keeper keeper;
  const auto a = group("a", "1.1.0", Severity::high);
  keeper.decide(SwarmEnded{scan_report({a}, "aaaaaaa")});
  const auto failed = keeper.decide(SwarmEnded{made(a, false)});
  CHECK(failed.actions.empty());
  CHECK(failed.why.find("tests failed") != std::string::npos);
  CHECK(keeper.decide(SwarmEnded{scan_report({a}, "aaaaaaa")}).plans.empty());
  CHECK(keeper.decide(SwarmEnded{scan_report({a}, "bbbbbbb")}).plans.size() == 1);
}

TEST_CASE("settings that do not go together are refused with what is missing") {
  const Clone clone;
  auto without = entity(clone);
  std::get<Boxed<config::Codebase>>(without.of).edit().advisories.clear();
  const auto refused = make_codebase(without);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().message.find("advisories") != std::string::npos);
}
