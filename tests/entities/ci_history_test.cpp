#include <doctest/doctest.h>

#include "entities/ci/history.hpp"

using namespace vigil;
using namespace vigil::entities::ci;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> commits{"a", "b", "c", "d", "e", "f"};

// "a+ b- b+": passed on a, failed and passed on b; "s" skipped.
std::vector<TestRun> runs(std::string_view text) {
  std::vector<TestRun> all;
  for (std::size_t at = 0; at + 1 < text.size(); at += 3) {
    const char mark = text[at + 1];
    TestRun run;
    run.commit = std::string(1, text[at]);
    run.outcome = mark == '+' ? Outcome::passed : mark == '-' ? Outcome::failed : Outcome::skipped;
    all.push_back(run);
  }
  return all;
}

Standing standing(std::string_view text) { return judge(runs(text), commits).standing; }

}  // namespace

TEST_CASE("passing and failing on one commit is flaky, failing since a commit is broken") {
  CHECK(standing("") == Standing::untested);
  CHECK(standing("as bs") == Standing::untested);
  CHECK(standing("a+ b+ c+") == Standing::steady);
  CHECK(standing("a+ b- b+ c+") == Standing::flaky);
  CHECK(standing("a+ b+ c-") == Standing::broken);
  CHECK(standing("a- b+ c+") == Standing::steady);
  CHECK(standing("a+ b- c+ d- e+") == Standing::suspect);
  CHECK(standing("c- b+ a+") == Standing::broken);  // the order of runs does not matter
}

TEST_CASE("a try again within one run is flaky too") {
  auto history = runs("a+ b+");
  history[1].tries = 2;
  const auto judged = judge(history, commits);
  CHECK(judged.standing == Standing::flaky);
  CHECK(judged.flaky_commits == 1);
  CHECK(judged.failure_rate == doctest::Approx(1.0 / 3));
}

TEST_CASE("what broke knows the last good, the first bad, and what did not say between") {
  const auto judged = judge(runs("a+ b+ cs d- e- f-"), commits);
  REQUIRE(judged.first_bad.has_value());
  CHECK(judged.first_bad->last_good == "b");
  CHECK(judged.first_bad->first_bad == "d");
  CHECK(judged.first_bad->between == std::vector<std::string>{"c"});
  const auto always = judge(runs("c- d-"), commits);
  CHECK(always.standing == Standing::broken);
  CHECK(always.first_bad->last_good.empty());
  CHECK(always.first_bad->first_bad == "c");
}

TEST_CASE("a flaky test is broken when it fails more often in a row than chance explains") {
  // One failure of eight runs: three failures in a row are less likely than one in a hundred.
  CHECK(standing("a+ a- a+ a+ b+ b+ c+ c+ d-") == Standing::flaky);
  const auto judged = judge(runs("a+ a- a+ a+ b+ b+ c+ c+ d- e- f-"), commits);
  CHECK(judged.standing == Standing::broken);
  CHECK(judged.first_bad->first_bad == "d");
  CHECK(judged.flaky_commits == 1);
}

TEST_CASE("slower is measured against the test's own past, robustly") {
  const std::vector<Duration> past{100ms, 102ms, 98ms, 101ms, 99ms, 5000ms, 100ms};
  CHECK_FALSE(slower_than_before(past, 104ms).has_value());
  CHECK_FALSE(slower_than_before(past, 140ms).has_value());  // less than 50 ms more
  const auto slower = slower_than_before(past, 300ms);
  REQUIRE(slower.has_value());
  CHECK(slower->median == 100ms);
  CHECK(slower->times == doctest::Approx(3.0));
  CHECK_FALSE(slower_than_before({100ms, 100ms, 100ms, 100ms}, 900ms).has_value());
  const std::vector<Duration> noisy{100ms, 400ms, 250ms, 150ms, 350ms, 200ms, 300ms};
  CHECK_FALSE(slower_than_before(noisy, 600ms).has_value());
  CHECK(slower_than_before(noisy, 1500ms).has_value());
}
