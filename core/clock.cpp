#include "core/clock.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <system_error>

namespace vigil {
namespace asio = boost::asio;
namespace {

Duration time_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::chrono::seconds{now.tv_sec} + Duration{now.tv_nsec / 1'000};
}

asio::awaitable<void> sleep_in_kernel(clockid_t clock, Duration until) {
  auto executor = co_await asio::this_coro::executor;
  int fd = -1;
  while ((fd = ::timerfd_create(clock, TFD_CLOEXEC | TFD_NONBLOCK)) < 0) {
    // No descriptor is free: who waits goes on waiting, and looks every second.
    const auto left = until - time_of(clock);
    if (left <= Duration{0}) co_return;
    asio::steady_timer timer(executor, std::min<Duration>(left, std::chrono::seconds{1}));
    co_await timer.async_wait(asio::use_awaitable);
  }
  asio::posix::stream_descriptor timer(executor, fd);
  itimerspec when{};
  when.it_value.tv_sec = until.count() / 1'000'000;
  when.it_value.tv_nsec = until.count() % 1'000'000 * 1'000;
  if (::timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, nullptr) != 0) {
    throw std::system_error(errno, std::generic_category(), "timerfd_settime");
  }
  // Asio may call a descriptor ready because of one that was closed before it; only what the
  // timer itself says counts.
  std::uint64_t expirations = 0;
  while (::read(fd, &expirations, sizeof expirations) != sizeof expirations) {
    co_await timer.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
  }
}

class SystemClock final : public Clock {
 public:
  TimePoint now() const override {
    return std::chrono::floor<Duration>(std::chrono::system_clock::now());
  }
  Duration steady_now() const override {
    return std::chrono::floor<Duration>(std::chrono::steady_clock::now().time_since_epoch());
  }

  // A kernel timer on the wall clock itself: it fires at the right moment whatever the clock does,
  // and a waiting process makes no system call.
  asio::awaitable<void> sleep_until(TimePoint until) override {
    if (until <= now()) co_return;
    auto sleeping = sleep_in_kernel(CLOCK_REALTIME, until.time_since_epoch());
    co_await std::move(sleeping);
  }

  asio::awaitable<void> sleep_for(Duration duration) override {
    if (duration > std::chrono::minutes{1}) {  // Asio looks at its own timers every five minutes
      auto sleeping = sleep_in_kernel(CLOCK_MONOTONIC, steady_now() + duration);
      co_return co_await std::move(sleeping);
    }
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, duration);
    co_await timer.async_wait(asio::use_awaitable);
  }
};

}  // namespace

std::unique_ptr<Clock> make_system_clock() { return std::make_unique<SystemClock>(); }

struct ManualClock::Sleeper {
  asio::steady_timer timer;
  bool woken = false;
};

asio::awaitable<void> ManualClock::sleep_until(TimePoint until) {
  if (until <= now_) co_return;
  auto executor = co_await asio::this_coro::executor;
  auto sleeper = std::make_shared<Sleeper>(
      Sleeper{asio::steady_timer(executor, asio::steady_timer::time_point::max())});
  const auto place = sleepers_.emplace(until, sleeper);
  constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
  auto [error] = co_await sleeper->timer.async_wait(as_tuple);
  if (sleeper->woken) co_return;
  sleepers_.erase(place);
  throw boost::system::system_error(error);
}

asio::awaitable<void> ManualClock::sleep_for(Duration duration) {
  auto until = now_ + duration;
  co_await sleep_until(until);
}

void ManualClock::advance_to(TimePoint when) {
  if (when > now_) now_ = when;
  while (!sleepers_.empty() && sleepers_.begin()->first <= now_) {
    auto sleeper = sleepers_.begin()->second;
    sleepers_.erase(sleepers_.begin());
    sleeper->woken = true;
    sleeper->timer.cancel();
  }
}

TimePoint ManualClock::next_deadline() const {
  return sleepers_.empty() ? TimePoint::max() : sleepers_.begin()->first;
}

}  // namespace vigil
