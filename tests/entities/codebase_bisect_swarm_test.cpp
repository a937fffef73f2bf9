// A red build the whole way with real parts: a push, its review, the search's swarms of contained
// tasks over a real clone, what is told.
#include <boost/json/array.hpp>

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

// A suite of two tests, one of them about sum.txt; it leaves a report.
constexpr std::string_view suite = R"sh(
say() { echo "<testcase classname='s' name='$1'>$2</testcase>" >> report.xml; }
echo '<testsuite name="s">' > report.xml
say reads
bad=0
if test "$(cat sum.txt)" = 4; then say adds; else say adds '<failure message="no"/>'; bad=1; fi
echo '</testsuite>' >> report.xml
exit $bad
)sh";

std::unique_ptr<Guardian> keeper_of(const Clone& clone) {
  config::Codebase settings{.repository = clone.path().string(), .branch = "main"};
  settings.analysers = {"size"};
  settings.commands = {{.name = "unit", .argv = {"sh", "check.sh"}, .reports = {"report.xml"}}};
  settings.report_sink = "out";
  settings.red_builds.width = 3;
  config::Entity entity;
  entity.name = "keeper";
  entity.kind = "codebase";
  entity.of = std::move(settings);
  auto made = make_codebase(entity);
  REQUIRE(made.has_value());
  return std::move(*made);
}

EventPtr pushed(const std::string& before, const std::string& after) {
  return make_event("git.push", json::object{{"ref", "refs/heads/main"},
                                             {"before", before},
                                             {"after", after},
                                             {"repository", {{"full_name", "octo/repo"}}}});
}

}  // namespace

TEST_CASE("a push that turns the branch red is bisected by swarms, in the promised rounds") {
  const Clone clone;
  const auto good = clone.commit({{"check.sh", std::string(suite)}, {"sum.txt", "4\n"}});
  const auto keeper = keeper_of(clone);
  FakeMemory memory;
  const auto tell = [&](Wake wake) {
    auto decision = keeper->decide(wake, memory);
    memory.keep(decision);
    return decision;
  };
  const auto first = tell(wake_for(EventsArrived{{pushed(std::string(40, '0'), good)}}));
  REQUIRE(first.plans.size() == 1);
  const auto review = run_plan(first.plans[0]);
  if (!is_containable(review)) return;
  CHECK(tell(wake_for(SwarmEnded{review})).plans.empty());
  std::string culprit;
  std::string head;
  for (int number = 1; number <= 20; ++number) {
    head =
        clone.commit({{"n.txt", std::to_string(number)}, {"sum.txt", number < 14 ? "4\n" : "5\n"}});
    if (number == 14) culprit = head;
  }
  auto decision = tell(wake_for(EventsArrived{{pushed(good, head)}}));
  std::vector<std::string> titles;
  while (!decision.plans.empty()) {
    REQUIRE(titles.size() < 10);
    titles.push_back(decision.plans[0].title);
    const auto report = run_plan(decision.plans[0]);
    CHECK_MESSAGE(report.ok, swarm::to_text(report));
    decision = tell(wake_for(SwarmEnded{report}));
  }
  REQUIRE(titles.size() == 5);  // the review, the list of commits, ceil(log4 20) rounds
  CHECK(titles.back().find("round 3 of 3") != std::string::npos);
  REQUIRE_MESSAGE(decision.actions.size() == 1, decision.why);
  CHECK(find_text(json::value(decision.actions[0].payload), "sha") == culprit);
  const auto body =
      std::string(find_text(json::value(decision.actions[0].payload), "body").value_or(""));
  CHECK_MESSAGE(body.find("- `s adds`") != std::string::npos, body);
  CHECK(body.find("bad: `s adds fails`") != std::string::npos);
}
