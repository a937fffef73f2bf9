#include "entities/ci/analysers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/ci/look_at_issues.hpp"
#include "entities/ci/look_at_tests.hpp"

namespace vigil::entities::ci {
namespace {

constexpr std::array table{
    Analyser{"ci.tests", "failed tests in reports of test runners, by their reason",
             "files; history (a file of JSON lines), commit, diff, range", look_at_tests},
    Analyser{"ci.sarif", "results of code analysers in SARIF that nobody suppressed",
             "files; diff or range (to tell which are on changed lines), only (changed)",
             look_at_sarif},
    Analyser{"ci.output", "errors and warnings in what compilers, linters and scanners printed",
             "files (- is standard input); diff or range, only (changed)", look_at_output},
    Analyser{"ci.flaky", "tests that are flaky, broken or slower, out of their history",
             "files of JSON lines {commit, test, outcome, seconds, tries}; commits (a list)",
             look_at_history},
};

}  // namespace

std::span<const Analyser> analysers() { return table; }

}  // namespace vigil::entities::ci
