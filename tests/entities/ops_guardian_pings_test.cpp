// Pings in every form that a job may send them.
#include "entities/ops/pings.hpp"
#include "tests/entities/ops_world.hpp"

namespace vigil::entities {
namespace {

using testing::OpsStory;
using namespace std::chrono_literals;

config::Ops checked() {
  config::Ops out;
  config::OpsCheck check;
  check.id = "backup";
  check.every = 1h;
  check.grace = 10min;
  check.run_max = 30min;
  out.checks.push_back(std::move(check));
  return out;
}

EventPtr ping(json::object data) {
  data["check"] = "backup";
  return OpsStory::event("jobs.ping", std::move(data));
}

}  // namespace

TEST_CASE("a ping says how the run ended, and keeps the last of what the job wrote") {
  struct Case {
    json::object data;
    ops::Ping::Kind kind;
    std::string said;
  };
  using Kind = ops::Ping::Kind;
  const std::vector<Case> cases{
      {{}, Kind::ok, ""},
      {{{"exit", 0}}, Kind::ok, "exit code 0"},
      {{{"exit", 0}, {"body", "copied 3 files\n"}}, Kind::ok, "copied 3 files"},
      {{{"exit", 3}, {"body", "a\nno space left\n\n"}}, Kind::fail, "exit code 3: no space left"},
      {{{"state", "fail"}, {"message", "why"}}, Kind::fail, "why"},
      {{{"state", "start"}}, Kind::start, ""},
      {{{"state", "log"}, {"body", "half way"}}, Kind::log, "half way"},
  };
  for (const auto& one : cases) {
    const auto got = ops::read_ping(*ping(one.data));
    REQUIRE(got.has_value());
    CHECK(got->kind == one.kind);
    CHECK(got->said == one.said);
  }
}

TEST_CASE("a job's remark changes nothing, and what it wrote when it failed is kept") {
  OpsStory story(checked());
  story.tell(ping({}));
  const auto late = story.cases.at(story.last_case).timers.at("late");
  story.now += 1min;
  auto decision = story.tell(ping({{"state", "log"}, {"body", "half way"}}));
  CHECK(decision.rule == "ping-log");
  CHECK(decision.why.contains("half way"));
  CHECK(decision.actions.empty());
  CHECK(story.cases.at(story.last_case).timers.at("late") == late);
  decision = story.tell(ping({{"exit", 2}, {"body", "one\ntwo\n"}}));
  REQUIRE(decision.documents.size() == 1);
  CHECK(decision.documents.front().body == "one\ntwo\n");
  CHECK(decision.why.contains("exit code 2: two"));
}

TEST_CASE("overlapping runs are told apart by their ids") {
  OpsStory story(checked());
  story.tell(ping({{"state", "start"}, {"rid", "a"}}));
  story.now += 5min;
  story.tell(ping({{"state", "start"}, {"rid", "b"}}));
  CHECK(story.waits("run:a"));
  CHECK(story.waits("run:b"));
  story.now += 5min;
  auto decision = story.tell(ping({{"rid", "b"}}));
  CHECK(decision.why.contains("in time, after 5m"));
  CHECK(story.waits("run:a"));
  CHECK_FALSE(story.waits("run:b"));
  decision = story.next_timer("run:a");
  CHECK(decision.why.contains("runs for more than 30m"));
  decision = story.tell(ping({{"rid", "a"}}));
  CHECK(decision.why.contains("in time"));
}

}  // namespace vigil::entities
