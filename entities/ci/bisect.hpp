#pragma once
// Which commits to test next, to find the one that broke something: a binary search with as many
// ways at once as there are free slots. A pure planner: it says what to test, others test it.
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "core/error.hpp"

namespace vigil::entities::ci {

enum class Verdict { good, bad, untestable };

// Candidates are numbered from the oldest, 0, to the newest; before 0 it was good, and the newest
// is known to be bad, so the first bad one is among them.
using Verdicts = std::map<std::size_t, Verdict>;

struct BisectStep {
  std::vector<std::size_t> test;  // all of them side by side; empty: it is over
  // The first bad one is among these, oldest first. One when it is over, or more when those that
  // could not be tested stand between.
  std::size_t first = 0;
  std::size_t last = 0;
  bool over() const { return test.empty(); }
};

// Ends within ceil(log_{slots+1} candidates) rounds when all can be tested. Verdicts that
// contradict each other (good after bad) are an error: the failure may be flaky.
Result<BisectStep> next_bisect_step(std::size_t candidates, const Verdicts& verdicts,
                                    std::size_t slots);

// For a fault that came, was mended and came again: without the bad ones before the newest good
// one. What is left contradicts itself no more, and leads to where it came last.
Verdicts since_newest_good(Verdicts verdicts);

// How many rounds it takes at most: for a plan to be told before it is begun.
std::size_t bisect_rounds(std::size_t candidates, std::size_t slots);

}  // namespace vigil::entities::ci
