#pragma once
// A watch whose looks the test answers.
#include <boost/json/array.hpp>
#include <limits>

#include "tests/entities/ops_world.hpp"

namespace vigil::testing {

inline config::OpsWatch disk_watch() {
  config::OpsWatch out;
  out.name = "disk";
  out.every = 1min;
  out.analyser = "ops.readings";  // any: the test is what looks
  return out;
}

inline config::OpsWatchRule rule_of(std::string reading) {
  config::OpsWatchRule out;
  out.reading = std::move(reading);
  return out;
}

inline json::object reading(const std::string& mount, json::value value) {
  return {{"name", "disk.free"},
          {"labels", {{"mount", mount}}},
          {"value", std::move(value)},
          {"unit", "percent"}};
}

struct WatchStory : OpsStory {
  explicit WatchStory(config::OpsWatch watch, std::vector<config::OpsScale> scales = {})
      : OpsStory(settings_of(watch, std::move(scales))), every(watch.every) {
    last_case = "watch:" + watch.name;
    name = watch.name;
    due(std::string(entities::settings_timer));
  }
  static config::Ops settings_of(config::OpsWatch watch, std::vector<config::OpsScale> scales) {
    config::Ops out;
    out.investigate = false;
    out.remind_every = Duration{0};
    out.escalate_after = Duration{0};
    out.watches.push_back(std::move(watch));
    out.scales = std::move(scales);
    return out;
  }

  entities::Decision due(const std::string& timer) {
    last = wake(last_case, entities::TimerDue{timer, now, {}});
    return last;
  }
  // What the look that runs came to.
  entities::Decision seen(json::array readings) {
    return ended(json::object{{"readings", std::move(readings)}}, "");
  }
  entities::Decision failed(const std::string& why) { return ended(nullptr, why); }
  entities::Decision ended(json::value result, const std::string& error) {
    REQUIRE(last.plans.size() == 1);
    return report(last.plans.front().title, std::move(result), error);
  }
  entities::Decision report(const std::string& title, json::value result,
                            const std::string& error) {
    swarm::Report out;
    out.title = title;
    out.ok = error.empty();
    swarm::TaskOutcome task;
    task.name = "look";
    task.state = out.ok ? swarm::TaskState::done : swarm::TaskState::failed;
    task.exit_code = out.ok ? 0 : 1;
    task.result = std::move(result);
    task.error = error;
    out.tasks.push_back(std::move(task));
    return wake(last_case, entities::SwarmEnded{std::move(out)});
  }
  // The next look, a minute later, and what it saw.
  entities::Decision look(json::array readings) {
    last = next_timer("look");
    return seen(std::move(readings));
  }
  entities::Decision look(double value) { return look({reading("/", value)}); }

  bool fires() {
    const auto* phase = cases[last_case].state.if_contains("phase");
    return phase != nullptr && *phase == "firing";
  }

  Duration every;
  std::string name;
  entities::Decision last;
};

}  // namespace vigil::testing
