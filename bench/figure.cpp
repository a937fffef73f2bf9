#include "bench/figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/json.hpp"

namespace vigil::bench {
namespace {

// Three digits say what a noisy machine can say; whole numbers are left alone.
std::string shown(double value) {
  if (std::fabs(value) >= 100 || value == std::floor(value)) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

std::string shown(const json::value& value) {
  return value.is_double() ? shown(value.get_double()) : to_text(value);
}

std::string quoted_json(const std::string& text) { return to_text(json::value(text)); }

}  // namespace

void print(const Figure& figure) {
  auto line =
      fmt::format(R"({{"bench":{},"metric":{},"value":{},"unit":{})", quoted_json(figure.bench),
                  quoted_json(figure.metric), shown(figure.value), quoted_json(figure.unit));
  std::string beside;
  for (const auto& [name, value] : figure.beside) {
    beside += fmt::format("{}{}:{}", beside.empty() ? "" : ",", quoted_json(name), shown(value));
  }
  if (!beside.empty()) line += fmt::format(R"(,"beside":{{{}}})", beside);
  if (figure.ratio) line += fmt::format(R"(,"ratio":{})", shown(*figure.ratio));
  if (!figure.aim.empty()) line += fmt::format(R"(,"aim":{})", quoted_json(figure.aim));
  if (figure.met) line += fmt::format(R"(,"met":{})", *figure.met);
  fmt::print("{}}}\n", line);
  std::fflush(stdout);
}

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(std::lround(last * share))];
}

}  // namespace vigil::bench
