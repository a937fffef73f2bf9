#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "entities/ci/bisect.hpp"

using namespace vigil;
using namespace vigil::entities::ci;

namespace {

struct Hunt {
  std::size_t rounds = 0;
  std::size_t tests = 0;
  std::size_t most_at_once = 0;
  BisectStep end;
};

Hunt hunt(std::size_t candidates, std::size_t first_bad, std::size_t slots,
          const std::vector<bool>& untestable = {}) {
  Hunt found;
  Verdicts verdicts;
  while (true) {
    auto step = next_bisect_step(candidates, verdicts, slots);
    REQUIRE(step.has_value());
    found.end = *step;
    if (step->over()) return found;
    ++found.rounds;
    REQUIRE(found.rounds < 10'000);
    found.most_at_once = std::max(found.most_at_once, step->test.size());
    for (const auto at : step->test) {
      REQUIRE_FALSE(verdicts.contains(at));
      REQUIRE(at + 1 < candidates);
      const bool skip = !untestable.empty() && untestable.at(at);
      verdicts[at] = skip ? Verdict::untestable : at >= first_bad ? Verdict::bad : Verdict::good;
      ++found.tests;
    }
  }
}

// The rounds that are needed, counted by powers instead of divisions.
std::size_t needed(std::size_t candidates, std::size_t slots) {
  std::size_t rounds = 0;
  for (std::size_t reach = 1; reach < candidates; reach *= slots + 1) ++rounds;
  return rounds;
}

}  // namespace

TEST_CASE("every first bad commit is found in as many rounds as are needed") {
  for (std::size_t slots = 1; slots <= 7; ++slots) {
    for (std::size_t candidates = 1; candidates <= 70; ++candidates) {
      CHECK(bisect_rounds(candidates, slots) == needed(candidates, slots));
      for (std::size_t bad = 0; bad < candidates; ++bad) {
        const auto found = hunt(candidates, bad, slots);
        CAPTURE(candidates);
        CAPTURE(slots);
        CAPTURE(bad);
        REQUIRE(found.end.first == bad);
        REQUIRE(found.end.last == bad);
        REQUIRE(found.rounds <= needed(candidates, slots));
        REQUIRE(found.most_at_once <= slots);
      }
    }
  }
}

TEST_CASE("thousands of random hunts end right, with commits that cannot be tested among them") {
  std::mt19937 random(7);
  for (int seed = 0; seed < 3000; ++seed) {
    const std::size_t candidates = 1 + random() % 2000;
    const std::size_t slots = 1 + random() % 16;
    const std::size_t bad = random() % candidates;
    std::vector<bool> untestable(candidates);
    const auto share = random() % 4;  // none, some, half
    for (std::size_t i = 0; i + 1 < candidates; ++i) untestable[i] = random() % 6 < share;
    const auto found = hunt(candidates, bad, slots, untestable);
    CAPTURE(seed);
    REQUIRE(found.end.first <= bad);
    REQUIRE(bad <= found.end.last);
    // What is left besides the last cannot be tested, or it would have been.
    for (auto at = found.end.first; at < found.end.last; ++at) REQUIRE(untestable[at]);
    if (share == 0) REQUIRE(found.rounds <= needed(candidates, slots));
    REQUIRE(found.tests < candidates);
  }
}

TEST_CASE("what is known already is not tested again, and contradictions are told") {
  const auto step = next_bisect_step(100, {{40, Verdict::good}, {43, Verdict::bad}}, 3);
  REQUIRE(step.has_value());
  CHECK(step->test == std::vector<std::size_t>{41, 42});
  const auto flaky = next_bisect_step(100, {{40, Verdict::bad}, {43, Verdict::good}}, 3);
  REQUIRE_FALSE(flaky.has_value());
  CHECK(flaky.error().message.find("flaky") != std::string::npos);
  CHECK_FALSE(next_bisect_step(5, {{4, Verdict::good}}, 1).has_value());
  CHECK_FALSE(next_bisect_step(0, {}, 1).has_value());
  CHECK_FALSE(next_bisect_step(5, {}, 0).has_value());
  CHECK_FALSE(next_bisect_step(5, {{9, Verdict::bad}}, 1).has_value());
  CHECK(next_bisect_step(1, {}, 4)->over());
}
