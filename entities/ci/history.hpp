#pragma once
// Flaky or broken, and slower than before: what a test's past says. Pure functions over values.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "entities/ci/test_report.hpp"

namespace vigil::entities::ci {

struct TestRun {
  std::string commit;
  Outcome outcome = Outcome::passed;
  std::optional<Duration> duration;
  int tries = 1;
};

enum class Standing {
  untested,  // never ran, or was always skipped
  steady,    // passes
  flaky,     // passed and failed on one commit
  suspect,   // went back and forth between commits, never on one: a bug that returns, or flaky
  broken,    // fails since a commit
};
std::string_view to_text(Standing standing);

// Where a broken test broke: it passed on `last_good` and failed on `first_bad`; the commits
// between them did not say.
struct FirstBad {
  std::string last_good;  // empty: it was never seen to pass
  std::string first_bad;
  std::vector<std::string> between;
};

struct Judgement {
  Standing standing = Standing::untested;
  std::size_t runs = 0;
  std::size_t failures = 0;
  std::size_t flaky_commits = 0;  // with passes and failures both
  double failure_rate = 0;        // of the runs, before the failures it ends in
  std::optional<FirstBad> first_bad;
};

// `runs` of one test in any order; `commits` the order of history, oldest first. Commits that are
// not in it come first. A flaky test that fails more often in a row than its rate explains (less
// than one chance in a hundred) is broken.
Judgement judge(const std::vector<TestRun>& runs, const std::vector<std::string>& commits);

// Slower than its own past: more than `deviations` robust deviations above the median (the median
// of distances from the median, times 1.4826), and more than a fifth and 50 ms of it. Needs five
// passes in the past; the last hundred count.
struct Slower {
  Duration median{};
  Duration deviation{};
  Duration now{};
  double times = 1;  // now / median
};
std::optional<Slower> slower_than_before(const std::vector<Duration>& past, Duration now,
                                         double deviations = 5.0);

}  // namespace vigil::entities::ci
