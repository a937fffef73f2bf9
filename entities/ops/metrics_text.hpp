#pragma once
// Metrics as programs expose them. Two forms: the Prometheus text format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/) and OpenMetrics 1.0
// (https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md), which ends
// with "# EOF" and is held to its rules: a scrape that breaks them is refused, with the line. Pure;
// any thread.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "entities/ops/alert.hpp"

namespace vigil::entities::ops {

struct Sample {
  std::string name;  // http_requests_total
  Labels labels;
  double value = 0;          // may be no number, or infinite
  std::optional<double> at;  // seconds since 1970
};

struct Family {
  std::string name;              // http_requests
  std::string type = "unknown";  // counter, gauge, histogram, summary...
  std::string unit;
  std::vector<Sample> samples;
};

constexpr std::size_t metrics_bytes_max = 32 * 1024 * 1024;

// When nobody says which: OpenMetrics if it ends with "# EOF" and is that, else the older form.
Result<std::vector<Family>> parse_metrics(std::string_view text);
Result<std::vector<Family>> parse_openmetrics(std::string_view text);
Result<std::vector<Family>> parse_prometheus_text(std::string_view text);

}  // namespace vigil::entities::ops
