#include "bench/trades.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace vigil::bench {
namespace {

// One in so many.
constexpr int left_out_in = 2'000;
constexpr int twice_in = 1'000;
constexpr int late_in = 500;
constexpr std::size_t late_by_most = 500;  // messages

std::string cents(std::int64_t value) { return fmt::format("{}.{:02}", value / 100, value % 100); }
std::string exact(std::int64_t cents_value) {
  return Decimal::parse(cents(cents_value)).value().text();
}

struct Sums {
  TimePoint first, last;
  std::int64_t open = 0, high = 0, low = 0, close = 0, volume = 0;
  std::uint64_t trades = 0;
};

void count(std::map<std::pair<int, TimePoint>, Sums>& sums, const MadeTrade& trade) {
  const auto start = trade.at - trade.at.time_since_epoch() % made_interval;
  auto& sum = sums[{trade.symbol, start}];
  if (sum.trades == 0 || trade.at < sum.first) {
    sum.open = trade.price_cents;
    sum.first = trade.at;
  }
  if (sum.trades == 0 || trade.at >= sum.last) {
    sum.close = trade.price_cents;
    sum.last = trade.at;
  }
  sum.high = sum.trades == 0 ? trade.price_cents : std::max(sum.high, trade.price_cents);
  sum.low = sum.trades == 0 ? trade.price_cents : std::min(sum.low, trade.price_cents);
  sum.volume += trade.amount;
  ++sum.trades;
}

}  // namespace

std::string symbol_name(int symbol) { return fmt::format("SYM{:02}USDT", symbol); }

MadeDay make_day(std::uint32_t seed, std::size_t trades, int per_second, TimePoint start) {
  std::minstd_rand random(seed);
  const auto any = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  MadeDay day;
  std::vector<std::uint64_t> numbers(made_symbols, 1'000);
  std::vector<std::int64_t> prices(made_symbols, 1'000'000);
  std::map<std::pair<int, TimePoint>, Sums> sums;
  std::multimap<std::size_t, MadeTrade> held;                    // by the place where they are sent
  const auto quiet_end = trades > 20'000 ? trades - 10'000 : 0;  // a hole at the end has no end
  for (std::size_t at = 0; at < trades; ++at) {
    for (auto due = held.begin(); due != held.end() && due->first <= at; due = held.erase(due)) {
      day.sent.push_back(due->second);
    }
    MadeTrade trade;
    trade.symbol = any(made_symbols);
    const auto symbol = static_cast<std::size_t>(trade.symbol);
    const bool wild = at > 5'000 && at < quiet_end;
    if (wild && any(left_out_in) == 0) {
      const auto holes = static_cast<std::uint64_t>(1 + any(3));
      numbers[symbol] += holes;
      day.left_out += holes;
    }
    trade.number = ++numbers[symbol];
    prices[symbol] += any(21) - 10;
    trade.price_cents = prices[symbol];
    trade.amount = 1 + any(99'999);
    trade.at = start + Duration{static_cast<std::int64_t>(at) * 1'000'000 / per_second};
    count(sums, trade);
    if (wild && any(late_in) == 0) {
      held.emplace(at + 2 + static_cast<std::size_t>(any(late_by_most)), trade);
      ++day.late;
      continue;
    }
    day.sent.push_back(trade);
    if (wild && any(twice_in) == 0) {
      held.emplace(at + static_cast<std::size_t>(any(late_by_most)), trade);
      ++day.twice;
    }
  }
  for (const auto& [at, trade] : held) day.sent.push_back(trade);
  for (const auto& [key, sum] : sums) {
    const auto volume = fmt::format("{}.{:04}", sum.volume / 10'000, sum.volume % 10'000);
    day.bars[{symbol_name(key.first), key.second}] = MadeBar{exact(sum.open),
                                                             exact(sum.high),
                                                             exact(sum.low),
                                                             exact(sum.close),
                                                             Decimal::parse(volume).value().text(),
                                                             sum.trades};
  }
  return day;
}

std::string message_of(const MadeTrade& trade) {
  return fmt::format(
      R"({{"e":"trade","E":{0},"s":"{1}","t":{2},"p":"{3}000000","q":"{4}.{5:04}0000","T":{0},)"
      R"("m":true,"M":true}})",
      to_unix_us(trade.at), symbol_name(trade.symbol), trade.number, cents(trade.price_cents),
      trade.amount / 10'000, trade.amount % 10'000);
}

}  // namespace vigil::bench
