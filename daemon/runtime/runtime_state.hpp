#pragma once
// The parts of the runtime; what starts and stops them is in runtime.cpp, what people ask of them
// in runtime_asked.cpp. Loop thread only.
#include <set>

#include "core/task_group.hpp"
#include "daemon/runtime/alarm.hpp"
#include "daemon/runtime/host.hpp"
#include "daemon/runtime/router.hpp"
#include "daemon/runtime/runtime.hpp"
#include "daemon/runtime/standing.hpp"
#include "daemon/runtime/swarm_host.hpp"

namespace vigil::runtime {

struct Runtime::State {
  State(boost::asio::any_io_executor executor, Clock& clock, storage::Writer& writer,
        Bulletin& bulletin, Places places)
      : house{.executor = std::move(executor),
              .clock = clock,
              .writer = writer,
              .bulletin = bulletin,
              .places = std::move(places)},
        swarms(house),
        router(house, [this](const std::vector<CaseId>& cases) { swarms.cancel_of(cases); }),
        alarm(house),
        host(house, [this](const Committed& committed, const std::string& source) {
          asked(committed, source);
        }) {
    house.mail_came = [this] { host.pump(); };
    house.time_moved = [this] { alarm.nudge(); };
    house.work_ended = [this] {
      router.nudge();
      if (work_ended) work_ended();
    };
  }

  void asked(const Committed& committed, const std::string& source) {
    if (!committed.swarms.empty()) swarms.planned(committed.swarms, source);
    if (committed.timer_due) alarm.timer_set(*committed.timer_due);
    if (committed.actions_approved + committed.actions_proposed > 0 && house.outbox_changed) {
      house.outbox_changed();
    }
  }

  // Wakes of entities that are paused, or not in the configuration, wait.
  void hold_absent() {
    std::set<std::string> now_held;
    for (const auto& name : paused) now_held.insert(name);
    for (const auto& row : known) {
      if (house.inhabitants->find(row) == nullptr) now_held.insert(row);
    }
    for (const auto& name : now_held) {
      if (!held.contains(name)) house.mailboxes.hold(name);
    }
    for (const auto& name : held) {
      if (!now_held.contains(name)) house.mailboxes.resume(name);
    }
    held = std::move(now_held);
  }

  boost::asio::awaitable<Result<void>> recover();
  boost::asio::awaitable<Result<void>> note_entities(std::vector<StandingCase> standing);
  boost::asio::awaitable<void> note_reloaded(std::vector<StandingCase> standing);
  std::string source_of(const storage::Wake& wake) const;

  House house;
  int decision_threads = 2;
  config::Swarms swarm_limits;
  std::set<std::string> known;   // entities the database has seen
  std::set<std::string> paused;  // by a person
  std::set<std::string> held;    // in the mailboxes
  std::int64_t dead = 0;
  bool started = false;
  std::function<void()> work_ended;
  SwarmHost swarms;
  Router router;
  Alarm alarm;
  Host host;
  std::size_t careful = 0;
  TaskGroup notes{house.executor};
};

}  // namespace vigil::runtime
