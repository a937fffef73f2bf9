#include "bench/indicators.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <random>
#include <string>

#include "bench/figure.hpp"
#include "entities/market/indicator.hpp"

namespace vigil::bench {
namespace {

using namespace entities::market;

std::vector<Candle> walk(std::size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<double> step(0, 1);
  std::vector<Candle> out;
  double close = 1000;
  for (std::size_t i = 0; i < count; ++i) {
    const double open = close;
    close = std::max(1.0, close + step(random));
    out.push_back({open, std::max(open, close) + 0.5, std::min(open, close) - 0.4, close,
                   std::abs(step(random)) * 100});
  }
  return out;
}

// Processor time: the machine may be busy with other things.
double processor_ns() {
  timespec at{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
  return 1e9 * static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec);
}

}  // namespace

void run_indicators(Pace pace) {
  const auto candles = walk(pace == Pace::quick ? 20'000 : 200'000);
  double worst = 0;
  std::string slowest;
  for (const auto& kind : indicator_kinds()) {
    std::vector<double> runs;
    for (int run = 0; run < 5; ++run) {
      const auto indicator = kind.make(kind.defaults);
      const double from = processor_ns();
      for (const auto& candle : candles) indicator->take(candle);
      runs.push_back((processor_ns() - from) / static_cast<double>(candles.size()));
    }
    std::ranges::sort(runs);
    const double median = percentile(runs, 0.5);
    if (median > worst) slowest = kind.name;
    worst = std::max(worst, median);
    print(
        {"indicators", std::string(kind.name), median, "ns/bar", {}, {}, "< 1000", median < 1000});
  }
  print(
      {"indicators", "slowest", worst, "ns/bar", {{"which", slowest}}, {}, "< 1000", worst < 1000});
}

}  // namespace vigil::bench
