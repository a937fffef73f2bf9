#pragma once
// The analysers ci.tests and ci.flaky. Blocking: for vigil-task.
#include "entities/analyser.hpp"
#include "entities/ci/history.hpp"

namespace vigil::entities::ci {

Result<json::value> look_at_tests(const Request& request);
Result<json::value> look_at_history(const Request& request);

// The past of tests as JSON lines, oldest first, one run each:
//   {"commit": "1a2b3c", "test": "suite::name", "outcome": "passed", "seconds": 0.2, "tries": 1}
// Bounded; a line that is none of these is an error that names it.
struct History {
  std::map<std::string, std::vector<TestRun>> tests;
  std::vector<std::string> commits;  // in the order in which they first appear
};
Result<History> read_history(std::string_view text);

}  // namespace vigil::entities::ci
