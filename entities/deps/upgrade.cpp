#include "entities/deps/upgrade.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <set>

#include "entities/deps/requirement.hpp"
#include "entities/deps/version.hpp"
#include "entities/deps/version_parts.hpp"

namespace vigil::entities::deps {
namespace {

constexpr std::size_t candidates_max = 1000;

std::vector<std::string> ids_of(const std::vector<Match>& matches) {
  std::vector<std::string> ids;
  for (const auto& match : matches) ids.emplace_back(match.id);
  return ids;
}

// Later versions in their order, each once; those before a release only for who is on one already.
std::vector<std::string> later_versions(const AdvisoryIndex& index, const Locked& package,
                                        const KnownVersions& known) {
  const auto scheme = scheme_of(package.ecosystem);
  const auto found = known.find({package.ecosystem, normal_name(package.ecosystem, package.name)});
  auto versions =
      found == known.end() ? index.fixes(package.ecosystem, package.name) : found->second;
  const bool early = is_prerelease(scheme, package.version);
  std::erase_if(versions, [&](const std::string& version) {
    return compare_versions(scheme, version, package.version) <= 0 ||
           (!early && is_prerelease(scheme, version));
  });
  sort_versions(versions, [&](const std::string& a, const std::string& b) {
    const auto order = compare_versions(scheme, a, b);
    return order < 0 || (order == 0 && a < b);
  });
  return versions;
}

struct Candidate {
  std::string version;
  std::vector<std::string> left;
};

// The smallest one with the fewest advisories, if that is fewer than now.
const Candidate* best_of(const std::vector<Candidate>& candidates, std::size_t now,
                         const std::function<bool(const Candidate&)>& allowed) {
  const Candidate* best = nullptr;
  for (const auto& candidate : candidates) {
    if (!allowed(candidate)) continue;
    const auto fewest = best == nullptr ? now : best->left.size();
    if (candidate.left.size() < fewest) best = &candidate;
  }
  return best;
}

// What is asked of one package, each range once with the first who asks.
using Ranges = std::map<std::string_view, std::string_view>;

bool all_allow(const Ranges& ranges, const std::string& version) {
  return std::ranges::all_of(
      ranges, [&](const auto& range) { return allows(Dialect::npm, range.first, version); });
}

std::vector<Candidate> candidates_for(const AdvisoryIndex& index, const Locked& package,
                                      const KnownVersions& known, const Ranges& ranges) {
  std::vector<Candidate> candidates;
  for (auto& version : later_versions(index, package, known)) {
    auto left = ids_of(index.match(package.ecosystem, package.name, version));
    candidates.push_back({std::move(version), std::move(left)});
    // The first one that is free of all is free of each: nothing later can be asked for.
    const auto& last = candidates.back();
    if (last.left.empty() && all_allow(ranges, last.version)) break;
    if (candidates.size() >= candidates_max) break;
  }
  return candidates;
}

void tell_who_holds(Upgrade& upgrade, const std::vector<Candidate>& candidates,
                    const Ranges& ranges) {
  for (const auto& [range, by] : ranges) {
    if (allows(Dialect::npm, range, upgrade.to)) continue;
    upgrade.held_by.push_back(fmt::format("{} asks for {}", by, range));
  }
  if (upgrade.held_by.empty()) return;
  const auto allowed = [&](const Candidate& one) { return all_allow(ranges, one.version); };
  if (const auto* best = best_of(candidates, upgrade.steps.size(), allowed)) {
    upgrade.allowed = best->version;
    upgrade.allowed_left = best->left;
  }
}

Upgrade plan_one(const AdvisoryIndex& index, const Locked& package, std::vector<std::string> now,
                 const KnownVersions& known, const Ranges& ranges) {
  Upgrade upgrade;
  upgrade.ecosystem = package.ecosystem;
  upgrade.name = package.name;
  upgrade.from = package.version;
  const auto candidates = candidates_for(index, package, known, ranges);
  for (auto& id : now) {
    const auto free = std::ranges::find_if(candidates, [&](const Candidate& candidate) {
      return !std::ranges::binary_search(candidate.left, id);
    });
    upgrade.steps.push_back({id, free == candidates.end() ? "" : free->version});
  }
  const auto any = [](const Candidate&) { return true; };
  const auto* best = best_of(candidates, now.size(), any);
  upgrade.left = best == nullptr ? std::move(now) : best->left;
  if (best == nullptr) return upgrade;
  upgrade.to = best->version;
  tell_who_holds(upgrade, candidates, ranges);
  upgrade.breaking = is_breaking(package.ecosystem, package.version, upgrade.to);
  if (!upgrade.breaking) return upgrade;
  const auto in_series = [&](const Candidate& candidate) {
    return !is_breaking(package.ecosystem, package.version, candidate.version);
  };
  if (const auto* within = best_of(candidates, upgrade.steps.size(), in_series)) {
    upgrade.within = within->version;
    upgrade.within_left = within->left;
  }
  return upgrade;
}

// 2.5.1 is of series 2; 0.3.1 of 0.3, since nothing is promised before 1.
std::string_view series_of(std::string_view version) {
  while (!version.empty() && !is_digit(version.front())) version.remove_prefix(1);
  auto rest = version;
  const auto first = take_digits(rest);
  if (compare_numbers(first, "") != 0 || !rest.starts_with('.')) return first;
  rest.remove_prefix(1);
  const auto second = take_digits(rest);
  return version.substr(0, first.size() + 1 + second.size());
}

}  // namespace

bool is_breaking(std::string_view ecosystem, std::string_view from, std::string_view to) {
  switch (scheme_of(ecosystem)) {
    case VersionScheme::debian:
    case VersionScheme::alpine:
    case VersionScheme::rpm:
      return false;  // a release of a distribution keeps what it offers
    default:
      return series_of(from) != series_of(to);
  }
}

Result<KnownVersions> read_known_versions(const json::value& value) {
  const auto expected = [] {
    return fail(ErrorCode::invalid_input,
                "known versions: expected {\"npm\": {\"lodash\": [\"4.17.21\"]}}");
  };
  if (!value.is_object()) return expected();
  KnownVersions known;
  for (const auto& [ecosystem, packages] : value.get_object()) {
    if (!packages.is_object()) return expected();
    for (const auto& [name, versions] : packages.get_object()) {
      if (!versions.is_array()) return expected();
      auto& list = known[{std::string(ecosystem), normal_name(ecosystem, name)}];
      for (const auto& version : versions.get_array()) {
        if (!version.is_string()) return expected();
        list.emplace_back(std::string_view(version.get_string()));
      }
    }
  }
  return known;
}

std::vector<Upgrade> plan_upgrades(const AdvisoryIndex& index, std::span<const Locked> packages,
                                   const KnownVersions& known, std::span<const Asked> asked) {
  std::map<std::pair<std::string_view, std::string_view>, Ranges> ranges;
  for (const auto& one : asked) ranges[{one.name, one.version}].try_emplace(one.range, one.by);
  std::vector<Upgrade> upgrades;
  std::set<std::tuple<std::string_view, std::string_view, std::string_view>> seen;
  for (const auto& package : packages) {
    if (!seen.insert({package.ecosystem, package.name, package.version}).second) continue;
    auto now = ids_of(index.match(package.ecosystem, package.name, package.version));
    if (now.empty()) continue;
    const bool is_npm = package.ecosystem == "npm";
    upgrades.push_back(plan_one(index, package, std::move(now), known,
                                is_npm ? ranges[{package.name, package.version}] : Ranges()));
  }
  sort_versions(upgrades, [](const Upgrade& a, const Upgrade& b) {
    const auto names = std::tie(a.ecosystem, a.name) <=> std::tie(b.ecosystem, b.name);
    if (names != 0) return names < 0;
    return compare_versions(a.ecosystem, a.from, b.from) < 0;
  });
  return upgrades;
}

}  // namespace vigil::entities::deps
