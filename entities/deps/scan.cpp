#include "entities/deps/scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace vigil::entities::deps {
namespace {

using Identity = std::tuple<std::string_view, std::string_view, std::string_view>;

Identity identity(const Locked& package) {
  return {package.ecosystem, package.name, package.version};
}

// One flaw under all the names it has.
struct Flaw {
  std::vector<Match> matches;
  std::set<std::string_view> names;
};

std::set<std::string_view> names_of(const Match& match) {
  std::set<std::string_view> names{match.id};
  auto rest = match.aliases;
  while (!rest.empty()) {
    const auto space = rest.find(' ');
    names.insert(rest.substr(0, space));
    rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
  }
  return names;
}

std::vector<Flaw> flaws_of(const std::vector<Match>& matches) {
  std::vector<Flaw> flaws;
  for (const auto& match : matches) {
    Flaw flaw{{match}, names_of(match)};
    const auto shares = [&](const Flaw& other) {
      return std::ranges::any_of(other.names,
                                 [&](std::string_view name) { return flaw.names.contains(name); });
    };
    for (auto& other : flaws) {
      if (!shares(other)) continue;
      flaw.matches.insert(flaw.matches.end(), other.matches.begin(), other.matches.end());
      flaw.names.merge(other.names);
      other.matches.clear();
    }
    std::erase_if(flaws, [](const Flaw& other) { return other.matches.empty(); });
    flaws.push_back(std::move(flaw));
  }
  // The one that says how severe it is speaks for all; else the first by its id.
  for (auto& flaw : flaws) {
    std::ranges::sort(flaw.matches, [](const Match& a, const Match& b) {
      if (a.severity != b.severity) return a.severity > b.severity;
      return a.id < b.id;
    });
  }
  return flaws;
}

std::string other_names(const Flaw& flaw) {
  std::string names;
  for (const auto name : flaw.names) {
    if (name == flaw.matches.front().id) continue;
    fmt::format_to(std::back_inserter(names), "{}{}", names.empty() ? "" : ", ", name);
  }
  return names.empty() ? names : fmt::format(" ({})", codebase::one_line(names, 80));
}

std::string hint_for(const Flaw& flaw, const Upgrade& upgrade) {
  const auto step = std::ranges::find_if(upgrade.steps, [&](const Step& one) {
    return flaw.names.contains(one.id) && !one.to.empty();
  });
  if (step == upgrade.steps.end()) {
    return "no later version without it is known: replace the package, or dismiss this with a "
           "reason";
  }
  const auto breaks = [&](const std::string& to) {
    return is_breaking(upgrade.ecosystem, upgrade.from, to) ? ", which may break its users" : "";
  };
  auto hint = fmt::format("upgrade to {}{}", step->to, breaks(step->to));
  if (!upgrade.to.empty() && upgrade.to != step->to) {
    hint += fmt::format("; {} {}{}", upgrade.to,
                        upgrade.left.empty() ? "is free of all that is known here"
                                             : "settles the most of what is known here",
                        breaks(upgrade.to));
  }
  if (!upgrade.held_by.empty()) {
    hint += fmt::format("; {}{}", codebase::one_line(upgrade.held_by.front()),
                        upgrade.held_by.size() == 1
                            ? ""
                            : fmt::format(", and {} others", upgrade.held_by.size() - 1));
    const bool settles = !upgrade.allowed.empty() &&
                         std::ranges::none_of(upgrade.allowed_left, [&](const std::string& id) {
                           return flaw.names.contains(id);
                         });
    hint += settles ? fmt::format(": {} is allowed and free of this", upgrade.allowed)
                    : ": that has to change first";
  }
  return hint;
}

Finding finding_for(const Flaw& flaw, const std::string& path, const Locked& package,
                    const Upgrade& upgrade) {
  const auto& match = flaw.matches.front();
  Finding finding;
  finding.analyser = "deps";
  finding.rule = match.id;
  finding.severity = match.severity.value_or(codebase::Severity::medium);
  finding.path = path;
  finding.line = package.line;
  const auto purpose = package.purpose == Purpose::normal
                           ? std::string()
                           : fmt::format(" ({})", to_text(package.purpose));
  finding.title = fmt::format("{} {}{}: {}{}: {}", codebase::one_line(package.name),
                              codebase::one_line(package.version, 60), purpose, match.id,
                              other_names(flaw), match.summary);
  finding.hint = hint_for(flaw, upgrade);
  finding.key = codebase::finding_key("deps", finding.rule, path,
                                      fmt::format("{}@{}", package.name, package.version));
  return finding;
}

// Advisories that packages are under which the change took away, and that nothing new is under.
std::size_t settled_by(const AdvisoryIndex& index, const LockSource& file) {
  std::set<std::pair<std::string, std::string_view>> gone;
  if (!file.before) return 0;
  for (const auto& package : new_packages(*file.before, file.now)) {
    for (const auto& match : index.match(package.ecosystem, package.name, package.version)) {
      gone.emplace(package.name, match.id);
    }
  }
  if (gone.empty()) return 0;
  for (const auto& package : file.now.packages) {
    for (const auto& match : index.match(package.ecosystem, package.name, package.version)) {
      gone.erase({package.name, match.id});
    }
  }
  return gone.size();
}

}  // namespace

std::vector<Locked> new_packages(const Lockfile& now, const std::optional<Lockfile>& before) {
  if (!before) return now.packages;
  std::set<Identity> old;
  for (const auto& package : before->packages) old.insert(identity(package));
  std::vector<Locked> fresh;
  for (const auto& package : now.packages) {
    if (!old.contains(identity(package))) fresh.push_back(package);
  }
  return fresh;
}

Scan scan(const AdvisoryIndex& index, const std::vector<LockSource>& files,
          const KnownVersions& known) {
  Scan result;
  for (const auto& file : files) {
    const auto packages = new_packages(file.now, file.before);
    result.looked_at += packages.size();
    result.settled += settled_by(index, file);
    const auto planned = plan_upgrades(index, packages, known, file.now.asked);
    std::map<Identity, const Upgrade*> upgrades;
    for (const auto& one : planned) upgrades[{one.ecosystem, one.name, one.from}] = &one;
    for (const auto& package : packages) {
      if (package.version.empty()) ++result.unpinned;
      const auto upgrade = upgrades.find(identity(package));
      if (upgrade == upgrades.end()) continue;
      ++result.affected;
      const auto matches = index.match(package.ecosystem, package.name, package.version);
      for (const auto& flaw : flaws_of(matches)) {
        result.findings.push_back(finding_for(flaw, file.path, package, *upgrade->second));
      }
    }
  }
  std::ranges::sort(result.findings, [](const Finding& a, const Finding& b) {
    if (a.severity != b.severity) return a.severity > b.severity;
    return std::tie(a.path, a.line, a.title) < std::tie(b.path, b.line, b.title);
  });
  return result;
}

}  // namespace vigil::entities::deps
