#pragma once
// What [[entity.NAME.ops.watch]] and [[entity.NAME.ops.scale]] say: what is looked at without a
// monitoring system, when that is an alert, and what may grow or shrink with it. Values only.
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace vigil::config {

struct OpsWatchRule {  // [[entity.NAME.ops.watch.rule]]
  std::string name;    // empty: that of the reading
  std::string reading;
  std::optional<double> above;
  std::optional<double> below;
  std::optional<double> clear;
  bool anomaly = false;
  std::optional<double> change_above;
  std::optional<double> rise_above;
  Duration change_within = std::chrono::hours{1};
  std::optional<Duration> full_within;
  double limit = 100;
  Duration lasts{0};  // `for`
  Duration hold = std::chrono::minutes{30};
  std::string severity = "warning";
};

struct OpsWatch {  // [[entity.NAME.ops.watch]]
  std::string name;
  Duration every = std::chrono::minutes{1};
  std::string analyser;
  boost::json::object input;
  std::vector<std::string> argv;
  std::vector<std::string> read_paths;
  std::string sandbox = "strict";
  Duration timeout = std::chrono::seconds{30};
  int missing_after = 3;
  std::string failing = "warning";
  std::vector<OpsWatchRule> rules;
};

struct OpsScale {  // [[entity.NAME.ops.scale]]
  std::string name;
  std::string watch;
  std::string reading;
  double up_above = 0;
  double down_below = 0;
  Duration lasts = std::chrono::minutes{5};  // `for`
  Duration cooldown = std::chrono::minutes{10};
  int min = 1;
  int max = 1;
  int step = 1;
  int per_hour_max = 4;
  std::string size;               // a reading
  std::vector<std::string> argv;  // or a program that prints it
  std::string sandbox = "strict";
  std::string sink;
};

}  // namespace vigil::config
