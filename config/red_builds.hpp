#pragma once
// What [entity.NAME.codebase.red_builds] can say: how a command that fails on the watched branch is
// looked into. Values only; config/schema_red_builds.hpp names the keys.

namespace vigil::config {

struct RedBuilds {           // [entity.NAME.codebase.red_builds]
  bool bisect = true;        // looks for the first bad commit
  int width = 0;             // commits tested at once; 0: as many as there are slots
  int commits_max = 1000;    // how far back
  int per_hour = 4;          // searches begun in an hour
  bool flaky_fails = false;  // a flaky test that fails turns the status red
};

}  // namespace vigil::config
