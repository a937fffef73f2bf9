#include "entities/ci/bisect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace vigil::entities::ci {
namespace {

struct Window {
  std::size_t first;  // the oldest that may be the first bad one
  std::size_t last;   // known to be bad
};

Result<Window> window_of(std::size_t candidates, const Verdicts& verdicts) {
  Window window{0, candidates - 1};
  std::optional<std::size_t> newest_good;
  std::optional<std::size_t> oldest_bad;
  for (const auto& [at, verdict] : verdicts) {
    if (at >= candidates) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("candidate {} does not exist: there are {}", at, candidates));
    }
    if (verdict == Verdict::good) newest_good = at;
    if (verdict == Verdict::bad && !oldest_bad) oldest_bad = at;
  }
  if (newest_good &&
      (*newest_good + 1 == candidates || (oldest_bad && *newest_good > *oldest_bad))) {
    return fail(ErrorCode::conflict,
                fmt::format("candidate {} is good although {} is bad: test both again, the failure "
                            "may be flaky",
                            *newest_good, oldest_bad.value_or(candidates - 1)));
  }
  if (newest_good) window.first = *newest_good + 1;
  if (oldest_bad) window.last = *oldest_bad;
  return window;
}

// The nearest to `wanted` that can still be tested, below `window.last`.
std::optional<std::size_t> nearest(std::size_t wanted, const Window& window,
                                   const Verdicts& verdicts, const std::set<std::size_t>& taken) {
  const auto is_free = [&](std::size_t at) {
    return at >= window.first && at < window.last && !verdicts.contains(at) && !taken.contains(at);
  };
  const auto width = window.last - window.first;
  for (std::size_t distance = 0; distance <= width; ++distance) {
    if (wanted >= distance && is_free(wanted - distance)) return wanted - distance;
    if (is_free(wanted + distance)) return wanted + distance;
  }
  return std::nullopt;
}

}  // namespace

Result<BisectStep> next_bisect_step(std::size_t candidates, const Verdicts& verdicts,
                                    std::size_t slots) {
  if (candidates == 0) {
    return fail(ErrorCode::invalid_input, "no candidates: the bad commit is one of them itself");
  }
  if (slots == 0) return fail(ErrorCode::invalid_input, "slots: expected at least 1");
  const auto window = window_of(candidates, verdicts);
  if (!window) return std::unexpected(window.error());
  BisectStep step;
  step.first = window->first;
  step.last = window->last;
  const auto width = window->last - window->first + 1;
  const auto cuts = std::min(slots, width - 1);
  // The cuts leave parts whose sizes differ by one at most; a part ends in what is tested.
  std::set<std::size_t> taken;
  for (std::size_t i = 1; i <= cuts; ++i) {
    const auto wanted =
        window->first + width / (cuts + 1) * i + width % (cuts + 1) * i / (cuts + 1) - 1;
    if (const auto at = nearest(wanted, *window, verdicts, taken)) taken.insert(*at);
  }
  step.test.assign(taken.begin(), taken.end());
  return step;
}

Verdicts since_newest_good(Verdicts verdicts) {
  std::size_t newest_good = 0;
  for (const auto& [at, verdict] : verdicts) {
    if (verdict == Verdict::good) newest_good = at;
  }
  std::erase_if(verdicts, [&](const auto& one) {
    return one.first < newest_good && one.second == Verdict::bad;
  });
  return verdicts;
}

std::size_t bisect_rounds(std::size_t candidates, std::size_t slots) {
  std::size_t rounds = 0;
  const auto ways = slots + 1;
  for (auto left = candidates; left > 1 && ways > 1; ++rounds) {
    left = left / ways + (left % ways == 0 ? 0 : 1);
  }
  return rounds;
}

}  // namespace vigil::entities::ci
