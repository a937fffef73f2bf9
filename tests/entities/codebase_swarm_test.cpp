// The whole way with real parts: an event, the guardian's plan, its swarm of contained tasks over a
// real clone, the report, what is told.
#include <algorithm>
#include <boost/json/array.hpp>
#include <fstream>

#include "entities/codebase/codebase.hpp"
#include "tests/entities/codebase_clone.hpp"
#include "tests/entities/codebase_memory.hpp"
#include "tests/entities/codebase_swarm.hpp"

using namespace vigil;
using namespace vigil::entities;
using testing::Clone;
using testing::FakeMemory;
using testing::is_containable;
using testing::make_event;
using testing::run_plan;
using testing::wake_for;

namespace {

EventPtr opened(const std::string& base, const std::string& head) {
  return make_event("github.pull_request.opened",
                    json::object{{"action", "opened"},
                                 {"repository", {{"full_name", "octo/repo"}}},
                                 {"pull_request",
                                  {{"number", 12},
                                   {"head", {{"sha", head}, {"ref", "topic"}}},
                                   {"base", {{"sha", base}, {"ref", "main"}}}}}});
}

std::unique_ptr<Guardian> keeper_of(const Clone& clone, std::vector<config::Command> commands,
                                    const std::string& advisories = "") {
  config::Entity entity;
  entity.name = "keeper";
  entity.kind = "codebase";
  entity.of = config::Codebase{.repository = clone.path().string(),
                               .commands = std::move(commands),
                               .advisories = advisories,
                               .report_sink = "out",
                               .status_sink = "out"};
  auto made = make_codebase(entity);
  REQUIRE(made.has_value());
  return std::move(*made);
}

std::string told(const Decision& decision, std::string_view kind, std::string_view key) {
  for (const auto& action : decision.actions) {
    if (action.kind != kind) continue;
    return std::string(find_text(json::value(action.payload), key).value_or(""));
  }
  return {};
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a pull request is reviewed by a swarm, and told with file and line") {
  const Clone clone;
  const auto base = clone.commit({{"main.py", "print('hello')\n"}});
  const auto head = clone.commit({{"main.py", "print('hello')\nbreakpoint()\n"}, {"b.txt", "x\n"}});
  const auto keeper =
      keeper_of(clone, {{.name = "lint", .argv = {"sh", "-c", "grep -q never b.txt"}}});
  FakeMemory memory;
  const auto planned = keeper->decide(wake_for(EventsArrived{{opened(base, head)}}), memory);
  REQUIRE(planned.plans.size() == 1);
  memory.keep(planned);
  const auto report = run_plan(planned.plans[0]);
  if (!is_containable(report)) return;
  CHECK_MESSAGE(report.ok, swarm::to_text(report));
  const auto decision = keeper->decide(wake_for(SwarmEnded{report}), memory);
  memory.keep(decision);
  const auto body = told(decision, "comment", "body");
  CHECK(has(body, "`main.py:2`"));
  CHECK(has(body, "lint failed with exit code 1"));
  CHECK(told(decision, "status", "state") == "failure");
  CHECK(told(decision, "status", "sha") == head);
  CHECK(has(decision.why, "1 high, 1 medium"));
  MESSAGE(report.tasks.size() << " tasks, " << report.speedup() << " times one worker");
}

TEST_CASE("a flawed dependency that a change brings is told, one that was there before is not") {
  const testing::Folder folder;
  std::ofstream(folder.path() / "osv.json") << R"([
    {"id": "GHSA-old0-old0-old0", "summary": "old", "affected": [{"package":
      {"ecosystem": "Go", "name": "example.org/old"}, "ranges": [{"type": "SEMVER", "events":
      [{"introduced": "0"}]}]}]},
    {"id": "GHSA-new0-new0-new0", "summary": "reads too much", "database_specific":
      {"severity": "HIGH"}, "affected": [{"package": {"ecosystem": "Go", "name": "example.org/new"},
      "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.0"}]}]}]}])";
  const std::string start = "module x\n\ngo 1.21\n\nrequire example.org/old v1.0.0\n";
  const Clone clone;
  const auto base = clone.commit({{"go.mod", start}});
  const auto head = clone.commit({{"go.mod", start + "require example.org/new v1.1.0\n"}});
  const auto keeper = keeper_of(clone, {}, folder.path().string());
  FakeMemory memory;
  const auto planned = keeper->decide(wake_for(EventsArrived{{opened(base, head)}}), memory);
  REQUIRE(planned.plans.size() == 1);
  memory.keep(planned);
  const auto report = run_plan(planned.plans[0]);
  if (!is_containable(report)) return;
  CHECK_MESSAGE(report.ok, swarm::to_text(report));
  const auto body = told(keeper->decide(wake_for(SwarmEnded{report}), memory), "comment", "body");
  CHECK(has(body, "GHSA-new0-new0-new0"));
  CHECK(has(body, "`go.mod:6`"));
  CHECK_FALSE(has(body, "GHSA-old0-old0-old0"));
}

TEST_CASE("a command that cannot run leaves the rest of the review standing") {
  const Clone clone;
  const auto base = clone.commit({{"main.py", "print('hello')\n"}});
  const auto head = clone.commit({{"main.py", "breakpoint()\n"}});
  const auto keeper = keeper_of(clone, {{.name = "lint", .argv = {"/no/such/linter"}}});
  FakeMemory memory;
  const auto planned = keeper->decide(wake_for(EventsArrived{{opened(base, head)}}), memory);
  memory.keep(planned);
  const auto report = run_plan(planned.plans.at(0));
  if (!is_containable(report)) return;
  const auto decision = keeper->decide(wake_for(SwarmEnded{report}), memory);
  const auto body = told(decision, "comment", "body");
  CHECK(has(body, "`main.py:1`"));
  CHECK(has(body, "`command:lint`"));
  CHECK(told(decision, "status", "state") == "error");
}

TEST_CASE("a work tree beside its repository is read in containment too") {
  const Clone clone;
  const auto base = clone.commit({{"main.py", "print('hello')\n"}});
  const auto head = clone.commit({{"main.py", "breakpoint()\n"}});
  const testing::Folder place;
  const auto beside = (place.path() / "beside").string();
  clone.git({"worktree", "add", "-q", "--detach", beside});
  config::Entity entity;
  entity.name = "keeper";
  entity.kind = "codebase";
  entity.of = config::Codebase{.repository = beside, .analysers = {"debug"}, .report_sink = "out"};
  const auto keeper = make_codebase(entity);
  REQUIRE(keeper.has_value());
  FakeMemory memory;
  const auto planned = (*keeper)->decide(wake_for(EventsArrived{{opened(base, head)}}), memory);
  memory.keep(planned);
  CHECK(planned.plans.at(0).tasks[0].read_paths.size() == 3);
  const auto report = run_plan(planned.plans[0]);
  if (!is_containable(report)) return;
  const auto decision = (*keeper)->decide(wake_for(SwarmEnded{report}), memory);
  CHECK(has(told(decision, "comment", "body"), "`main.py:1`"));
}
