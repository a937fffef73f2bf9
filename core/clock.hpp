#pragma once
// Time and waiting, so that tests can own both. Lives on the loop thread, except now() and
// steady_now(), which any thread may ask.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>

#include "core/time.hpp"

namespace vigil {

class Clock {
 public:
  virtual ~Clock() = default;

  virtual TimePoint now() const = 0;        // the wall clock: may jump
  virtual Duration steady_now() const = 0;  // since some fixed moment: never jumps

  // Returns once the wall clock shows `until` or later; at once if it does already. A jump of the
  // wall clock is noticed. Throws operation_aborted when cancelled.
  virtual boost::asio::awaitable<void> sleep_until(TimePoint until) = 0;
  // Returns after that much steady time.
  virtual boost::asio::awaitable<void> sleep_for(Duration duration) = 0;
};

// The real one. Makes no system call while nobody sleeps.
std::unique_ptr<Clock> make_system_clock();

// A clock that stands still until told. Sleepers wake, in order of their time, inside advance_to().
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimePoint start) : now_(start) {}

  TimePoint now() const override { return now_; }
  Duration steady_now() const override { return now_.time_since_epoch(); }
  boost::asio::awaitable<void> sleep_until(TimePoint until) override;
  boost::asio::awaitable<void> sleep_for(Duration duration) override;

  // Moves to `when` and wakes whoever waited for it or less. The loop must then be polled.
  void advance_to(TimePoint when);
  void advance_by(Duration by) { advance_to(now_ + by); }
  // When the next sleeper wants to wake; TimePoint::max() if there is none.
  TimePoint next_deadline() const;

 private:
  struct Sleeper;
  TimePoint now_;
  std::multimap<TimePoint, std::shared_ptr<Sleeper>> sleepers_;
};

}  // namespace vigil
