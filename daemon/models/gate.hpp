#pragma once
// Who may call a model now: so many at once, so many calls and tokens a minute, and nobody before
// the moment the API named. In order of arrival. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "core/clock.hpp"
#include "core/error.hpp"

namespace vigil::models {

struct GateLimits {
  int calls = 4;                     // at once
  std::int64_t calls_a_minute = 0;   // 0: no limit
  std::int64_t tokens_a_minute = 0;  // 0: no limit
};

class Gate {
 public:
  // The clock must outlive it.
  Gate(boost::asio::any_io_executor executor, Clock& clock, GateLimits limits);
  ~Gate();

  // A call that goes on; others come in when it is gone. May outlive the gate.
  class Pass {
   public:
    Pass() = default;
    ~Pass();
    Pass(Pass&&) noexcept = default;
    Pass& operator=(Pass&& other) noexcept;

    // What the call took in the end, instead of what was thought when it came in.
    void took(std::int64_t tokens);

   private:
    friend class Gate;
    struct State;
    std::shared_ptr<State> state_;
  };

  // Waits until the call may begin; nothing when that would be after `until`. `tokens` is what it
  // should take at most. Cancelling leaves the queue.
  boost::asio::awaitable<Result<Pass>> enter(std::int64_t tokens, TimePoint until);
  // Nobody before that moment: the API said so.
  void close_until(TimePoint moment);
  void set(GateLimits limits);

  int waiting() const;
  int inside() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vigil::models
