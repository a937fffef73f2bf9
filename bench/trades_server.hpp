#pragma once
// The other end of the bench of streams, in a process of its own.
#include <cstdint>

namespace vigil::bench {

struct TradesServer {
  std::uint32_t seed = 1;
  std::size_t count = 0;
  int per_second = 0;
  std::int64_t start_us = 0;
};

// Prints the port of the loopback it listens on, takes one connection, waits for a subscription,
// replays the day at its pace, and goes when the other end does. Prints how many a second it sent.
void serve_trades(const TradesServer& wanted);

}  // namespace vigil::bench
