#pragma once
// The test reports that a command left in its copy of the tree, told test by test. Blocking: for
// vigil-task.
#include <string>
#include <vector>

#include "core/json.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {

struct TestsTold {
  std::string summary;  // "2 of 312 tests failed"; empty: there are no reports
  std::vector<Finding> findings;
  // cases passed failed skipped errors; for whoever remembers, `failing`: [{test, fingerprint,
  // key}], `flaky`: those that passed when tried again, `slow`: the slowest {test: seconds}.
  json::object numbers;
};

// `reports` are patterns of paths below `tree`. One that matches nothing, or what is no report, is
// a finding: silence would look like tests that pass.
TestsTold read_reports(const std::string& tree, const std::vector<std::string>& reports,
                       const std::string& command);

}  // namespace vigil::entities::codebase
