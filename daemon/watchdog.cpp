#include "daemon/watchdog.hpp"

#include "core/log.hpp"

namespace vigil {
namespace asio = boost::asio;
namespace {

// A full disk or a long queue is trouble of another kind, which a restart does not mend: the thread
// answered. Only a writer that is broken is not alive.
bool answered(const Result<void>& beat) {
  return beat || beat.error().code != ErrorCode::unavailable;
}

}  // namespace

asio::awaitable<void> feed_watchdog(Pulse pulse, Duration within) {
  const auto pause = within / 3;
  while (true) {
    // Changes nothing, so that nothing is written: the thread has only to come round.
    auto beating = pulse.writer.commit([](storage::Stores&) {});
    Result<void> beat = co_await std::move(beating);
    const auto late = pulse.scheduler.late();
    if (!answered(beat)) {
      log_error("the watchdog is not fed: the writer does not take changes: {}",
                quoted(beat.error().message));
    } else if (late > pause) {
      log_error("the watchdog is not fed: a schedule is overdue by {}", to_text(late));
    } else {
      pulse.service.status(pulse.condition());
      pulse.service.alive();
    }
    co_await pulse.clock.sleep_for(pause);
  }
}

}  // namespace vigil
