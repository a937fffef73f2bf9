#pragma once
// A made-up day at an exchange, the same for whoever knows the seed: the messages in the order in
// which they are sent, with trades left out, sent twice and sent late, and what a listener that
// misses nothing makes of it.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/decimal.hpp"
#include "core/time.hpp"

namespace vigil::bench {

struct MadeTrade {
  int symbol = 0;
  std::uint64_t number = 0;
  std::int64_t price_cents = 0;
  std::int64_t amount = 0;  // of a ten-thousandth
  TimePoint at;
};

struct MadeBar {
  std::string open, high, low, close, volume;
  std::uint64_t trades = 0;
  friend bool operator==(const MadeBar&, const MadeBar&) = default;
};

struct MadeDay {
  std::vector<MadeTrade> sent;
  std::uint64_t left_out = 0;  // numbers that are never sent
  std::uint64_t twice = 0;
  std::uint64_t late = 0;                                     // sent behind later ones
  std::map<std::pair<std::string, TimePoint>, MadeBar> bars;  // of what is sent at all
};

constexpr int made_symbols = 50;
constexpr Duration made_interval = std::chrono::seconds{1};

// `count` trades, `per_second` of them in each second of their own time, from `start` on.
MadeDay make_day(std::uint32_t seed, std::size_t count, int per_second, TimePoint start);
std::string symbol_name(int symbol);
// As binance's streams write it.
std::string message_of(const MadeTrade& trade);

}  // namespace vigil::bench
