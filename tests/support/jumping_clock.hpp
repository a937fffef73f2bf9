#pragma once
// A manual clock whose wall time can be set, forwards and backwards, as a person or a time server
// does, while steady time goes on as the clock beneath says.
#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <vector>

#include "core/bell.hpp"
#include "core/clock.hpp"
#include "core/deadline.hpp"

namespace vigil::testing {

class JumpingClock final : public Clock {
 public:
  explicit JumpingClock(ManualClock& steady) : steady_(steady) {}

  TimePoint now() const override { return steady_.now() + ahead_; }
  Duration steady_now() const override { return steady_.steady_now(); }
  boost::asio::awaitable<void> sleep_for(Duration duration) override {
    return steady_.sleep_for(duration);
  }
  boost::asio::awaitable<void> sleep_until(TimePoint until) override {
    auto executor = co_await boost::asio::this_coro::executor;
    while (now() < until) {
      auto bell = std::make_shared<Bell>(executor);
      jumped_.push_back(bell);
      auto waiting = with_deadline(steady_, until - ahead_, rung(bell));
      Result<bool> heard = co_await std::move(waiting);
      (void)heard;  // either way the wall clock is asked again
      std::erase(jumped_, bell);
    }
  }

  // Sets the wall clock; the loop must then be polled.
  void jump(Duration by) {
    ahead_ += by;
    for (const auto& bell : jumped_) bell->ring();
  }

 private:
  static boost::asio::awaitable<bool> rung(std::shared_ptr<Bell> bell) {
    co_await bell->wait();
    co_return true;
  }

  ManualClock& steady_;
  Duration ahead_{0};
  std::vector<std::shared_ptr<Bell>> jumped_;
};

}  // namespace vigil::testing
