#include "entities/ci/history.hpp"

#include <algorithm>
#include <cmath>

namespace vigil::entities::ci {
namespace {

constexpr double chance_min = 0.01;
constexpr std::size_t flips_suspect = 3;
constexpr std::size_t past_min = 5;
constexpr std::size_t past_max = 100;
constexpr double to_deviation = 1.4826;  // makes the median distance a normal's deviation
constexpr double share_min = 0.2;
constexpr Duration slower_min = std::chrono::milliseconds{50};

struct OnCommit {
  std::string commit;
  std::size_t passed = 0;
  std::size_t failed = 0;
};

std::vector<OnCommit> by_commit(const std::vector<TestRun>& runs,
                                const std::vector<std::string>& commits) {
  std::map<std::string, std::size_t> order;
  std::vector<OnCommit> all;
  const auto at = [&](const std::string& commit) -> OnCommit& {
    const auto [found, is_new] = order.emplace(commit, all.size());
    if (is_new) all.push_back({commit});
    return all[found->second];
  };
  const std::map<std::string, bool> known = [&] {
    std::map<std::string, bool> names;
    for (const auto& commit : commits) names[commit] = true;
    return names;
  }();
  for (const auto& run : runs) {
    if (!known.contains(run.commit)) (void)at(run.commit);
  }
  for (const auto& commit : commits) (void)at(commit);
  for (const auto& run : runs) {
    auto& on = at(run.commit);
    const bool bad = run.outcome == Outcome::failed || run.outcome == Outcome::error;
    if (bad) ++on.failed;
    if (run.outcome == Outcome::passed) ++on.passed;
    // It passed in the end, after failing in the same run.
    if (run.outcome == Outcome::passed && run.tries > 1) ++on.failed;
  }
  return all;
}

// The failures that the history ends in: from the first commit after the last that passed.
struct Ending {
  std::size_t begin = 0;  // in the list of commits
  std::size_t failures = 0;
};
Ending ending_of(const std::vector<OnCommit>& history) {
  Ending ending{history.size(), 0};
  for (auto i = history.size(); i > 0; --i) {
    const auto& on = history[i - 1];
    if (on.passed > 0) break;
    if (on.failed == 0) continue;
    ending.begin = i - 1;
    ending.failures += on.failed;
  }
  return ending;
}

FirstBad first_bad_of(const std::vector<OnCommit>& history, std::size_t begin) {
  FirstBad found;
  found.first_bad = history[begin].commit;
  auto good = begin;
  while (good > 0 && history[good - 1].passed == 0) --good;
  if (good > 0) {
    found.last_good = history[good - 1].commit;
    for (auto i = good; i < begin; ++i) found.between.push_back(history[i].commit);
  }
  return found;
}

std::size_t flips_of(const std::vector<OnCommit>& history) {
  std::size_t flips = 0;
  std::optional<bool> before;
  for (const auto& on : history) {
    if (on.passed == 0 && on.failed == 0) continue;
    const bool passes = on.failed == 0;
    if (before && *before != passes) ++flips;
    before = passes;
  }
  return flips;
}

template <class T>
T median_of(std::vector<T> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  const auto below = *std::max_element(values.begin(), middle);
  return (below + *middle) / 2;
}

}  // namespace

std::string_view to_text(Standing standing) {
  switch (standing) {
    case Standing::untested:
      return "untested";
    case Standing::steady:
      return "steady";
    case Standing::flaky:
      return "flaky";
    case Standing::suspect:
      return "suspect";
    case Standing::broken:
      return "broken";
  }
  return "untested";
}

Judgement judge(const std::vector<TestRun>& runs, const std::vector<std::string>& commits) {
  const auto history = by_commit(runs, commits);
  const auto ending = ending_of(history);
  Judgement judged;
  for (const auto& on : history) {
    judged.runs += on.passed + on.failed;
    judged.failures += on.failed;
    judged.flaky_commits += on.passed > 0 && on.failed > 0 ? 1 : 0;
  }
  if (judged.runs == 0) return judged;
  const auto earlier = judged.runs - ending.failures;
  if (earlier > 0) {
    judged.failure_rate =
        static_cast<double>(judged.failures - ending.failures) / static_cast<double>(earlier);
  }
  const bool is_flaky = judged.flaky_commits > 0;
  const double chance =
      std::pow(judged.failure_rate, static_cast<double>(ending.failures));  // of such an ending
  if (ending.failures > 0 && (!is_flaky || chance < chance_min)) {
    judged.standing = Standing::broken;
    judged.first_bad = first_bad_of(history, ending.begin);
  } else if (is_flaky) {
    judged.standing = Standing::flaky;
  } else {
    judged.standing = Standing::steady;
  }
  const bool unsteady = !is_flaky && flips_of(history) >= flips_suspect;
  if (unsteady && (judged.standing == Standing::steady || chance >= chance_min)) {
    judged.standing = Standing::suspect;
  }
  return judged;
}

std::optional<Slower> slower_than_before(const std::vector<Duration>& past, Duration now,
                                         double deviations) {
  if (past.size() < past_min) return std::nullopt;
  const auto from = past.size() > past_max ? past.size() - past_max : 0;
  const std::vector<Duration> recent(past.begin() + static_cast<std::ptrdiff_t>(from), past.end());
  Slower slower;
  slower.now = now;
  slower.median = median_of(recent);
  std::vector<Duration> distances;
  for (const auto duration : recent) {
    distances.push_back(duration > slower.median ? duration - slower.median
                                                 : slower.median - duration);
  }
  const auto spread = static_cast<double>(median_of(distances).count()) * to_deviation;
  slower.deviation = Duration{static_cast<Duration::rep>(spread)};
  const auto more = static_cast<double>((now - slower.median).count());
  const auto median = static_cast<double>(slower.median.count());
  slower.times = median > 0 ? static_cast<double>(now.count()) / median : 1.0;
  if (more <= spread * deviations || more <= median * share_min) return std::nullopt;
  if (now - slower.median <= slower_min) return std::nullopt;
  return slower;
}

}  // namespace vigil::entities::ci
