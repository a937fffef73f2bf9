#include "daemon/models/gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "core/bell.hpp"
#include "core/timeout.hpp"

namespace vigil::models {
namespace asio = boost::asio;
namespace {

constexpr double us_per_minute = 60e6;

// What may be used now of so much a minute; a minute's worth at most is saved up.
struct Allowance {
  double per_minute = 0;  // 0: no limit
  double left = 0;
  Duration counted{0};

  void set(std::int64_t limit, Duration now) {
    const bool was_unlimited = per_minute <= 0;
    per_minute = static_cast<double>(limit);
    left = was_unlimited ? per_minute : std::min(left, per_minute);
    counted = now;
  }
  void refill(Duration now) {
    const auto passed = static_cast<double>((now - counted).count());
    counted = now;
    left = std::min(left + passed * per_minute / us_per_minute, per_minute);
  }
  // How long until there is so much. More than a minute's worth waits for all of one.
  Duration wait_for(double amount) const {
    if (per_minute <= 0) return Duration{0};
    const double missing = std::min(amount, per_minute) - left;
    if (missing <= 0) return Duration{0};
    return Duration{static_cast<std::int64_t>(missing * us_per_minute / per_minute) + 1};
  }
  void take(double amount) {
    if (per_minute > 0) left -= amount;
  }
};

}  // namespace

struct Gate::State {
  struct Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : bell(executor) {}
    Bell bell;
  };

  State(asio::any_io_executor on, Clock& time) : executor(std::move(on)), clock(time) {}

  // How long whoever is first must wait; Duration::max(): until somebody leaves.
  Duration wait_for(std::int64_t tokens_wanted) {
    const auto now = clock.steady_now();
    calls.refill(now);
    tokens.refill(now);
    if (inside >= limits.calls) return Duration::max();
    return std::max({calls.wait_for(1), tokens.wait_for(static_cast<double>(tokens_wanted)),
                     clock.now() < closed_until ? closed_until - clock.now() : Duration{0}});
  }
  void wake_first() {
    if (!queue.empty()) queue.front()->bell.ring();
  }

  asio::any_io_executor executor;
  Clock& clock;
  GateLimits limits;
  Allowance calls;
  Allowance tokens;
  TimePoint closed_until{};
  std::deque<Waiter*> queue;
  int inside = 0;
};

struct Gate::Pass::State {
  State(std::shared_ptr<Gate::State> of, std::int64_t tokens)
      : gate(std::move(of)), expected(tokens) {
    ++gate->inside;
    gate->calls.take(1);
    gate->tokens.take(static_cast<double>(expected));
  }
  ~State() {
    --gate->inside;
    gate->wake_first();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::shared_ptr<Gate::State> gate;
  std::int64_t expected;
};

Gate::Pass::~Pass() = default;
Gate::Pass& Gate::Pass::operator=(Pass&& other) noexcept {
  state_ = std::move(other.state_);
  return *this;
}

void Gate::Pass::took(std::int64_t tokens) {
  if (!state_) return;
  state_->gate->tokens.take(static_cast<double>(tokens - state_->expected));
  state_->expected = tokens;
  state_->gate->wake_first();
}

Gate::Gate(asio::any_io_executor executor, Clock& clock, GateLimits limits)
    : state_(std::make_shared<State>(std::move(executor), clock)) {
  set(limits);
}
Gate::~Gate() = default;

void Gate::set(GateLimits limits) {
  const auto now = state_->clock.steady_now();
  state_->limits = limits;
  state_->calls.set(limits.calls_a_minute, now);
  state_->tokens.set(limits.tokens_a_minute, now);
  state_->wake_first();
}

asio::awaitable<Result<Gate::Pass>> Gate::enter(std::int64_t tokens, TimePoint until) {
  auto state = state_;  // the gate may go while we wait
  State::Waiter waiter(state->executor);
  // Leaves the queue on every way out, and lets the next one look.
  struct Place {
    Place(State& of, State::Waiter& who) : state(of), waiter(who) {
      state.queue.push_back(&waiter);
    }
    ~Place() {
      std::erase(state.queue, &waiter);
      state.wake_first();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    State& state;
    State::Waiter& waiter;
  };
  const Place place(*state, waiter);
  while (true) {
    const bool is_first = state->queue.front() == &waiter;
    const auto wait = is_first ? state->wait_for(tokens) : Duration::max();
    if (wait == Duration{0}) break;
    const auto now = state->clock.now();
    const bool too_late = wait != Duration::max() && now + wait >= until;
    if (now >= until || too_late) {
      co_return fail(ErrorCode::busy, fmt::format("the model takes no further call for {}",
                                                  vigil::to_text(too_late ? wait : Duration{0})));
    }
    const auto patience = std::min(wait, until - now);
    auto waiting = [](State::Waiter& who) -> asio::awaitable<int> {
      co_await who.bell.wait();
      co_return 0;
    }(waiter);
    Result<int> rung = co_await with_timeout(state->clock, patience, std::move(waiting));
    (void)rung;  // rung or not, we look again
  }
  Pass pass;
  pass.state_ = std::make_shared<Pass::State>(state, tokens);
  co_return Result<Pass>(std::move(pass));
}

void Gate::close_until(TimePoint moment) {
  state_->closed_until = std::max(state_->closed_until, moment);
  state_->wake_first();
}

int Gate::waiting() const { return static_cast<int>(state_->queue.size()); }
int Gate::inside() const { return state_->inside; }

}  // namespace vigil::models
