#pragma once
// Runs a plan with a real engine and contained tasks, as the daemon would, without its database.
#include <doctest/doctest.h>

#include <algorithm>

#include "swarm/engine.hpp"
#include "tests/swarm/children.hpp"

namespace vigil::testing {

class NoCheckpoints final : public swarm::Checkpoints {
 public:
  boost::asio::awaitable<void> started(SwarmId, std::string, int, std::int64_t) override {
    co_return;
  }
  boost::asio::awaitable<void> ended(SwarmId, swarm::TaskOutcome, std::int64_t) override {
    co_return;
  }
};

inline swarm::Report run_plan(const swarm::Plan& plan) {
  swarm::testing::Runners real;
  NoCheckpoints checkpoints;
  swarm::EngineLimits limits;
  limits.slots = 4;
  swarm::Engine engine(real.loop.context.get_executor(), *real.loop.clock, *real.runner,
                       checkpoints, limits);
  swarm::Run run;
  run.id = SwarmId{1};
  run.owner = "keeper";
  run.plan = plan;
  auto report = real.loop.run(engine.run(std::move(run)));
  CHECK(real.workdirs_are_gone());
  return report;
}

inline bool is_containable(const swarm::Report& report) {
  const auto refused = [](const swarm::TaskOutcome& task) { return task.exit_code == 126; };
  const auto found = std::ranges::find_if(report.tasks, refused);
  if (found == report.tasks.end()) return true;
  MESSAGE("skipped: " << found->error);
  return false;
}

}  // namespace vigil::testing
