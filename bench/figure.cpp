#include "bench/figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/json.hpp"

namespace vigil::bench {
namespace {

// Three digits say what a noisy machine can say.
double rounded(double value) {
  if (value == 0) return 0;
  const double scale = std::pow(10.0, 3 - std::ceil(std::log10(std::fabs(value))));
  return std::fabs(value) >= 100 ? std::round(value) : std::round(value * scale) / scale;
}

}  // namespace

void print(const Figure& figure) {
  json::object line;
  line["bench"] = figure.bench;
  line["metric"] = figure.metric;
  line["value"] = rounded(figure.value);
  line["unit"] = figure.unit;
  json::object beside;
  for (const auto& [name, value] : figure.beside) {
    beside[name] = value.is_double() ? json::value(rounded(value.get_double())) : value;
  }
  if (!beside.empty()) line["beside"] = std::move(beside);
  if (figure.ratio) line["ratio"] = rounded(*figure.ratio);
  if (!figure.aim.empty()) line["aim"] = figure.aim;
  if (figure.met) line["met"] = *figure.met;
  fmt::print("{}\n", to_text(json::value(line)));
  std::fflush(stdout);
}

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(std::lround(last * share))];
}

}  // namespace vigil::bench
