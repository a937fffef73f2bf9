#pragma once
// What the repository's own commands came to in a review, as whoever remembers wants it: out of the
// results of codebase.command. Values; pure; any thread.
#include <map>
#include <string>
#include <vector>

#include "entities/codebase/probe.hpp"
#include "swarm/report.hpp"

namespace vigil::entities::codebase {

struct FailingTest {
  std::string name;
  std::string fingerprint;
  std::string key;  // of its finding
};

struct Build {
  std::string task;     // command:unit_tests
  std::string command;  // unit tests
  std::string commit;
  bool ok = false;
  bool in_time = true;
  bool has_report = false;
  int exit_code = 0;
  double seconds = 0;
  std::string fingerprint;  // of the failure as a whole
  std::string headline;
  std::string output;  // the end of what it printed
  std::vector<FailingTest> failing;
  std::vector<std::string> tried_again;  // passed only then
  std::map<std::string, double> slow;    // the slowest tests that passed, in seconds

  std::string verdict_key() const;                // of the finding that says it failed
  std::vector<std::string> fingerprints() const;  // of its tests, else its own
  std::vector<std::string> names() const;         // of the tests that fail
};

// Only those that ran.
std::vector<Build> builds_of(const swarm::Report& report);
// One result of codebase.command or codebase.probe.
Build build_from(const json::value& result);
Sought sought_of(const Build& build);

}  // namespace vigil::entities::codebase
