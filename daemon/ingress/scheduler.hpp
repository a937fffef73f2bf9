#pragma once
// Fires the schedules: sleeps until the next one is due, appends its event (uid = schedule and
// nominal time, so never twice), remembers how far it came in a cursor. Loop thread only. With no
// schedule, and between firings, it makes no system call.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/ingress/door.hpp"
#include "storage/writer.hpp"

namespace vigil::ingress {

// Is an event of this schedule still being worked on (routed and not decided, or its swarm runs)?
// overlap = skip | buffer_* | cancel_other ask it.
using StillBusy = std::function<bool(const std::string& source)>;

class Scheduler {
 public:
  Scheduler(boost::asio::any_io_executor executor, Clock& clock, storage::Writer& writer,
            Accept accept, StillBusy still_busy);
  ~Scheduler();
  // Takes the schedule sources in. Fails for a cron or zone that cannot be read.
  Result<void> apply(const config::Settings& settings);
  // What was missed while the daemon was away is fired by each schedule's misfire rule, then on.
  void start(storage::Stores& reader);
  void work_ended();  // something became free: buffered firings may go
  // overlap = cancel_other: who ends the work on a schedule's last firing. Without one the new
  // firing goes out beside it, and the log says so.
  void on_cancel_other(std::function<void(const std::string& source)> cancel);
  boost::asio::awaitable<void> stop();

  struct Upcoming {
    std::string source;
    TimePoint nominal;
  };
  std::vector<Upcoming> upcoming(int per_source) const;
  // For how long a due firing has not been looked at; next to nothing while the loop turns.
  Duration late() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
