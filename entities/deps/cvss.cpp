// The base score of CVSS 3.0 and 3.1, by the formula of its specification.
#include <algorithm>
#include <cmath>
#include <map>

#include "entities/deps/advisories.hpp"

namespace vigil::entities::deps {
namespace {

using Metrics = std::map<std::string_view, std::string_view>;

Metrics metrics_of(std::string_view vector) {
  Metrics metrics;
  while (!vector.empty()) {
    const auto slash = vector.find('/');
    const auto part = vector.substr(0, slash);
    const auto colon = part.find(':');
    if (colon != std::string_view::npos) metrics[part.substr(0, colon)] = part.substr(colon + 1);
    vector = slash == std::string_view::npos ? std::string_view() : vector.substr(slash + 1);
  }
  return metrics;
}

using Weights = std::map<std::string_view, double>;

std::optional<double> weight(const Metrics& metrics, std::string_view name,
                             const Weights& weights) {
  const auto metric = metrics.find(name);
  if (metric == metrics.end()) return std::nullopt;
  const auto found = weights.find(metric->second);
  if (found == weights.end()) return std::nullopt;
  return found->second;
}

// Upwards to one decimal, without being led astray by the last bits of a double.
double round_up(double value) {
  const auto whole = std::llround(value * 100'000);
  return whole % 10'000 == 0 ? static_cast<double>(whole) / 100'000
                             : static_cast<double>(whole / 10'000 + 1) / 10;
}

}  // namespace

std::optional<double> cvss_score(std::string_view vector) {
  if (!vector.starts_with("CVSS:3.0/") && !vector.starts_with("CVSS:3.1/")) return std::nullopt;
  const auto metrics = metrics_of(vector);
  const auto scope = metrics.find("S");
  if (scope == metrics.end() || (scope->second != "U" && scope->second != "C")) {
    return std::nullopt;
  }
  const bool changed = scope->second == "C";
  static const Weights impact{{"H", 0.56}, {"L", 0.22}, {"N", 0}};
  static const Weights vectors{{"N", 0.85}, {"A", 0.62}, {"L", 0.55}, {"P", 0.2}};
  static const Weights complexity{{"L", 0.77}, {"H", 0.44}};
  static const Weights interaction{{"N", 0.85}, {"R", 0.62}};
  const Weights privileges{{"N", 0.85}, {"L", changed ? 0.68 : 0.62}, {"H", changed ? 0.5 : 0.27}};
  const auto c = weight(metrics, "C", impact);
  const auto i = weight(metrics, "I", impact);
  const auto a = weight(metrics, "A", impact);
  const auto av = weight(metrics, "AV", vectors);
  const auto ac = weight(metrics, "AC", complexity);
  const auto pr = weight(metrics, "PR", privileges);
  const auto ui = weight(metrics, "UI", interaction);
  if (!c || !i || !a || !av || !ac || !pr || !ui) return std::nullopt;
  const double loss = 1 - (1 - *c) * (1 - *i) * (1 - *a);
  const double harm =
      changed ? 7.52 * (loss - 0.029) - 3.25 * std::pow(loss - 0.02, 15) : 6.42 * loss;
  if (harm <= 0) return 0;
  const double ease = 8.22 * *av * *ac * *pr * *ui;
  return round_up(std::min((changed ? 1.08 : 1.0) * (harm + ease), 10.0));
}

Severity severity_of_score(double score) {
  if (score >= 9) return Severity::critical;
  if (score >= 7) return Severity::high;
  if (score >= 4) return Severity::medium;
  return score > 0 ? Severity::low : Severity::info;
}

}  // namespace vigil::entities::deps
