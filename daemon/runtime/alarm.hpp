#pragma once
// One sleeper for everything that becomes due: timers of cases, gathering wakes, retries. Sleeps
// until the earliest of them; with none it makes no system call. Loop thread only.
#include <boost/asio/awaitable.hpp>

#include "core/bell.hpp"
#include "core/task_group.hpp"
#include "daemon/runtime/house.hpp"

namespace vigil::runtime {

class Alarm {
 public:
  explicit Alarm(House& house);
  void start();
  void nudge() { bell_.ring(); }  // the mailboxes changed
  void timer_set(TimePoint due);  // a decision set a timer
  boost::asio::awaitable<void> stop();

 private:
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> fire_timers();
  boost::asio::awaitable<void> open_wakes();
  TimePoint next() const;

  House& house_;
  std::optional<TimePoint> timer_due_;  // at most the earliest timer's
  Bell bell_;
  TaskGroup group_;
};

}  // namespace vigil::runtime
