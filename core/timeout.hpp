#pragma once
// A limit on how long an await may take, whatever the wall clock does meanwhile. For a moment that
// the wall clock shows there is with_deadline. Include it in .cpp files only: it is heavy.
#include "core/deadline.hpp"

namespace vigil {

// A clock by its steady time alone.
class SteadyTime final : public Clock {
 public:
  explicit SteadyTime(Clock& clock) : clock_(clock) {}  // which outlives it

  TimePoint now() const override { return TimePoint{clock_.steady_now()}; }
  Duration steady_now() const override { return clock_.steady_now(); }
  boost::asio::awaitable<void> sleep_until(TimePoint until) override {
    return clock_.sleep_for(until - now());
  }
  boost::asio::awaitable<void> sleep_for(Duration duration) override {
    return clock_.sleep_for(duration);
  }

 private:
  Clock& clock_;
};

// As with_deadline, that much steady time from now.
template <class T>
boost::asio::awaitable<Result<T>> with_timeout(Clock& clock, Duration limit,
                                               boost::asio::awaitable<T> work) {
  SteadyTime steady(clock);
  auto limited = with_deadline(steady, steady.now() + limit, std::move(work));
  co_return co_await std::move(limited);
}

}  // namespace vigil
