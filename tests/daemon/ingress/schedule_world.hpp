#pragma once
// A scheduler over a real journal, with work that lasts as long as a test says.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "core/json.hpp"
#include "core/log.hpp"
#include "daemon/ingress/scheduler.hpp"
#include "tests/support/clocked_world.hpp"

namespace vigil::testing {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using ingress::Scheduler;

inline TimePoint at(std::string_view text) { return parse_rfc3339(text).value(); }

struct ScheduleWorld : ClockedWorld {
  explicit ScheduleWorld(std::string_view start) : ClockedWorld(at(start)) {
    set_log_level(LogLevel::off);
  }
  ~ScheduleWorld() { stop(); }

  config::Schedule& add(const std::string& name) {
    auto& source = settings.sources[name];
    source.name = name;
    return source.of.emplace<config::Schedule>();
  }

  asio::awaitable<Result<storage::Appended>> accept(storage::NewEvent event, json::value data) {
    if (refuse) co_return fail(ErrorCode::busy, "on purpose");
    auto committing =
        writer->commit([event](storage::Stores& stores) { return stores.journal.append(event); });
    Result<storage::Appended> appended = co_await std::move(committing);
    if (appended && appended->duplicate) ++duplicates;
    if (appended && !appended->duplicate) {
      fired.push_back(event);
      payloads.push_back(std::move(data));
      if (work_takes_for_ever) busy[event.source] = true;
    }
    co_return appended;
  }

  void start() {
    scheduler.emplace(
        loop.get_executor(), clock, *writer,
        [this](storage::NewEvent event, json::value data) {
          return accept(std::move(event), std::move(data));
        },
        [this](const std::string& source) { return busy[source]; });
    REQUIRE(scheduler->apply(settings));
    scheduler->start(*reader);
    settle();
  }
  void stop() {
    if (!scheduler) return;
    run([this]() -> asio::awaitable<void> {
      auto stopping = scheduler->stop();
      co_await std::move(stopping);
    });
    scheduler.reset();
  }
  // Time goes by while the daemon is off.
  void away_until(std::string_view when) {
    stop();
    clock.advance_to(at(when));
    start();
  }
  void work_is_done() {
    busy.clear();
    scheduler->work_ended();
    settle();
  }
  std::vector<std::string> nominals() const {
    std::vector<std::string> out;
    for (const auto& event : fired) out.push_back(to_rfc3339(event.time));
    return out;
  }
  std::int64_t cursor(const std::string& name) { return reader->cursors.get("schedule:" + name); }

  config::Settings settings;
  std::vector<storage::NewEvent> fired;
  std::vector<json::value> payloads;
  std::map<std::string, bool> busy;
  bool work_takes_for_ever = false;
  bool refuse = false;
  int duplicates = 0;
  std::optional<Scheduler> scheduler;
};

}  // namespace vigil::testing
