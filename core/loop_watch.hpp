#pragma once
// Runs an io_context and measures how long each handler holds it. What waits costs nothing: there
// is no timer and no thread. A handler that comes right after a wait is measured by the processor
// time it took, as the wait itself cannot be told from it; one that blocks without computing there
// is not seen.
#include <cstdint>
#include <functional>

#include "core/time.hpp"

namespace boost::asio {
class io_context;
}

namespace vigil {

class LoopWatch {
 public:
  // `held` is called on the loop when a handler took at least `limit`.
  LoopWatch(Duration limit, std::function<void(Duration)> held)
      : limit_(limit), held_(std::move(held)) {}

  // Until the loop ends because nothing is left, or is stopped.
  void run(boost::asio::io_context& loop);

  struct Counts {
    std::uint64_t held = 0;
    Duration held_for{0};  // together
    Duration longest{0};
  };
  // On the loop's thread.
  const Counts& counts() const { return counts_; }

 private:
  void note(Duration took);

  Duration limit_;
  std::function<void(Duration)> held_;
  Counts counts_;
};

}  // namespace vigil
