#include "core/loop_watch.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <ctime>

namespace vigil {
namespace {

using Steady = std::chrono::steady_clock;

Duration processor_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::duration_cast<Duration>(std::chrono::seconds{now.tv_sec} +
                                              std::chrono::nanoseconds{now.tv_nsec});
}

}  // namespace

void LoopWatch::note(Duration took) {
  counts_.longest = std::max(counts_.longest, took);
  if (took < limit_) return;
  ++counts_.held;
  counts_.held_for += took;
  held_(took);
}

void LoopWatch::run(boost::asio::io_context& loop) {
  while (true) {
    auto before = Steady::now();
    while (loop.poll_one() > 0) {
      const auto after = Steady::now();
      note(std::chrono::duration_cast<Duration>(after - before));
      before = after;
    }
    if (loop.stopped()) return;
    const auto used = processor_time();
    if (loop.run_one() == 0) return;
    note(processor_time() - used);
  }
}

}  // namespace vigil
