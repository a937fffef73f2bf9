#pragma once
// What one look of a watch came to: readings. A program's output becomes them in a contained child
// (the analyser ops.readings); here their form is only checked and cut to bounds. Pure; any thread.
#include <optional>
#include <string>
#include <vector>

#include "entities/analyser.hpp"
#include "entities/ops/alert.hpp"

namespace vigil::entities::ops {

struct Measured {
  std::string name;
  Labels labels;
  double value = 0;
  std::string unit;
  std::optional<TimePoint> at;

  std::string series() const;  // disk.free{mount="/"}
  std::string value_text() const;
};

struct Look {
  std::vector<Measured> readings;
  std::size_t no_numbers = 0;  // readings whose value was none
  std::size_t beyond = 0;      // our bound
  std::vector<std::string> problems;
  bool is_plugin = false;  // its exit code is a state
  std::string text;        // what a plugin says, one line
};

constexpr std::size_t readings_max = 10'000;

Look read_look(const json::value& result);

// The same form out of what a program printed: readings already, a number, or a Nagios plugin's
// line with its performance data. Fails when it is none of them.
Result<json::object> readings_of_output(const json::value& output);
// vigil-task ops.readings
Result<json::value> run_readings(const Request& request);

}  // namespace vigil::entities::ops
