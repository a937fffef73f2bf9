#pragma once
// One measured figure as one JSON line (docs/design.md part 9): what was measured, beside which
// limits of the same run, and whether it meets its aim.
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

namespace vigil::bench {

struct Figure {
  std::string bench;
  std::string metric;
  double value = 0;
  std::string unit;
  boost::json::object beside;   // limits and peers of the same run
  std::optional<double> ratio;  // to the first of them
  std::string aim;              // in words: "ratio >= 0.5"; empty: none is set
  std::optional<bool> met;
};
void print(const Figure& figure);

// The value below which `share` of the sorted values lie; 0 when there is none.
double percentile(const std::vector<double>& sorted, double share);

}  // namespace vigil::bench
