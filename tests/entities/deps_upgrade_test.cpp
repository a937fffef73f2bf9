#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "entities/deps/advisory_sources.hpp"
#include "entities/deps/requirement.hpp"
#include "entities/deps/upgrade.hpp"
#include "entities/deps/version.hpp"
#include "tests/support/places.hpp"

using namespace vigil::entities::deps;
using vigil::find_text;
using vigil::parse_json;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

const fs::path data = fs::path(vigil::source_dir()) / "../shared/data/deps/remediation";

bool without_data() {
  if (fs::exists(data)) return false;
  MESSAGE("skipped: there is no " << data.string());
  return true;
}

json::value json_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return parse_json(std::string{std::istreambuf_iterator<char>(file), {}}).value();
}

// The fixture's list: a name indented by two spaces, its versions by two spaces and a tab.
KnownVersions universe() {
  KnownVersions known;
  std::ifstream file(data / "npm-santatracker/universe.yaml");
  std::vector<std::string>* versions = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("  \t\t") || !line.starts_with("  ")) continue;
    if (line[2] != '\t') versions = &known[{"npm", line.substr(2)}];
    if (line[2] == '\t' && versions != nullptr) versions->push_back(line.substr(3));
  }
  return known;
}

using Needs = std::vector<std::pair<std::string, std::string>>;  // name, range

// What the versions of the fixture's list ask for: a line with two tabs, "@babel/types@^7.6.0".
std::map<std::string, Needs> needs_of_versions() {
  std::map<std::string, Needs> needs;
  std::ifstream file(data / "npm-santatracker/universe.yaml");
  std::string name;
  std::string version;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("  ")) continue;
    const auto at = line.rfind('@');
    if (line.starts_with("  \t\t") && line.find(" ", 4) == std::string::npos && at > 5) {
      needs[version].emplace_back(line.substr(4, at - 4), line.substr(at + 1));
    } else if (line[2] == '\t') {
      version = name + "@" + line.substr(3);
    } else {
      name = line.substr(2);
    }
  }
  return needs;
}

bool all_locked(const Needs& needs, const Lockfile& file) {
  return std::ranges::all_of(needs, [&](const auto& need) {
    return std::ranges::any_of(file.packages, [&](const Locked& one) {
      return one.name == need.first && allows(Dialect::npm, need.second, one.version);
    });
  });
}

bool asks_for(const Upgrade& upgrade, const std::string& id) {
  return std::ranges::any_of(upgrade.steps, [&](const Step& step) { return step.id == id; });
}

AdvisoryIndex index_of(const std::string& text) {
  IndexBuilder builder;
  const auto keep = [&](const Advisory& one) { builder.add(one); };
  REQUIRE(read_advisories(parse_json(text).value(), keep).has_value());
  return AdvisoryIndex::from_bytes(builder.finish({})).value();
}

std::string advisory(const std::string& id, const std::string& introduced,
                     const std::string& fixed) {
  const auto end = fixed.empty() ? "" : ",{\"fixed\":\"" + fixed + "\"}";
  return R"({"id":")" + id +
         R"(","affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":)" +
         R"([{"type":"SEMVER","events":[{"introduced":")" + introduced + "\"}" + end + "]}]}]}";
}

Upgrade plan(const AdvisoryIndex& index, const std::string& from, const KnownVersions& known = {}) {
  const std::vector<Locked> packages{{"npm", "x", from, Purpose::normal, 1}};
  auto upgrades = plan_upgrades(index, packages, known);
  REQUIRE(upgrades.size() == 1);
  return upgrades[0];
}

const Upgrade* find(const std::vector<Upgrade>& all, std::string_view name, std::string_view from) {
  const auto found = std::ranges::find_if(
      all, [&](const Upgrade& one) { return one.name == name && one.from == from; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

// That tool may only move within what dependents ask for, and takes the newest such version; here
// the smallest safe one is asked for. So ours is never later than its, but for one: it "mends"
// acorn 5.7.3 by going back to 5.4.1, before the flaw came in. Ours goes on to 5.7.4.
TEST_CASE(
    "every patch of the fixture is matched by one that settles the same and goes no further") {
  if (without_data()) return;
  const auto project = data / "npm-santatracker";
  const auto opened = open_advisories(project / "vulns.json", "");
  REQUIRE(opened.has_value());
  const auto file = read_lockfile_at(project / "package-lock.json");
  REQUIRE(file.has_value());
  const auto upgrades = plan_upgrades(opened->index, file->packages, universe());
  const auto expected = json_of(project / "expected.in-place.json");
  int patches = 0;
  int smaller = 0;
  for (const auto& item : expected.at("Patches").as_array()) {
    const auto name = *find_text(item, "Patch.Pkg.Name");
    const auto from = *find_text(item, "Patch.OrigVersion");
    const auto theirs = *find_text(item, "Patch.NewVersion");
    const auto* ours = find(upgrades, name, from);
    REQUIRE_MESSAGE(ours != nullptr, std::string(name));
    CHECK_MESSAGE(compare_versions("npm", ours->to, from) > 0, std::string(name));
    const auto non_breaking = ours->breaking ? ours->within : ours->to;
    const auto& left = ours->breaking ? ours->within_left : ours->left;
    if (name == "acorn" && from == "5.7.3") {
      CHECK(theirs == "5.4.1");
      CHECK(non_breaking == "5.7.4");
    } else {
      const auto order = compare_versions("npm", non_breaking, theirs);
      CHECK_MESSAGE(order <= 0, name << " " << from << ": " << non_breaking << ", not " << theirs);
      smaller += order < 0 ? 1 : 0;
    }
    for (const auto& settled : item.at("Resolved").as_array()) {
      const auto id = std::string(*find_text(settled, "ID"));
      CHECK_MESSAGE(!std::ranges::binary_search(left, id), name << " " << id);
    }
    ++patches;
  }
  CHECK(patches == 24);
  MESSAGE(smaller << " of " << patches << " go less far");
  for (const auto& one : upgrades) {
    if (!one.to.empty()) CHECK(compare_versions("npm", one.to, one.from) > 0);
    for (const auto& step : one.steps) {
      if (!step.to.empty()) CHECK(compare_versions("npm", step.to, one.from) > 0);
    }
  }
}

// What is asked of each package by its dependents, as the lock file says it, holds upgrades back.
// So what is left when each package goes to the best that its dependents allow is what that tool
// calls unfixable, with two differences:
// - acorn 5.7.3 is asked for as ">= 2.5.2 <= 5.7.3", which is why the tool goes backwards; here
// nothing
//   better is allowed, and who asks is told.
// - The tool also refuses a version that asks for something which is not locked. A package manager
//   would lock it; here such a version is proposed.
TEST_CASE("what dependents do not allow is what the fixture calls unfixable") {
  if (without_data()) return;
  const auto project = data / "npm-santatracker";
  const auto opened = open_advisories(project / "vulns.json", "");
  const auto file = read_lockfile_at(project / "package-lock.json");
  const auto upgrades = plan_upgrades(opened->index, file->packages, universe(), file->asked);
  std::set<std::string> ours;
  for (const auto& one : upgrades) {
    const auto& left = one.held_by.empty() ? one.left : one.allowed_left;
    ours.insert(left.begin(), left.end());
    if (!one.held_by.empty() && one.allowed.empty()) {
      for (const auto& step : one.steps) ours.insert(step.id);
    }
  }
  std::set<std::string> theirs;
  const auto expected = json_of(project / "expected.in-place.json");
  for (const auto& item : expected.at("Unfixable").as_array()) {
    theirs.insert(std::string(*find_text(item, "ID")));
  }
  const auto* acorn = find(upgrades, "acorn", "5.7.3");
  REQUIRE(acorn != nullptr);
  CHECK(acorn->allowed.empty());
  REQUIRE(acorn->held_by.size() == 1);
  CHECK(acorn->held_by[0].ends_with("asks for >= 2.5.2 <= 5.7.3"));
  CHECK(ours.erase("GHSA-6chw-6frg-f759") == 1);
  for (const auto& id : ours) CHECK_MESSAGE(theirs.contains(id), id << " is only ours");
  const auto needs = needs_of_versions();
  int only_theirs = 0;
  for (const auto& id : theirs) {
    if (ours.contains(id)) continue;
    ++only_theirs;
    const bool explained = std::ranges::any_of(upgrades, [&](const Upgrade& one) {
      const auto& to = one.held_by.empty() ? one.to : one.allowed;
      const auto found = needs.find(one.name + "@" + to);
      return asks_for(one, id) && found != needs.end() && !all_locked(found->second, *file);
    });
    CHECK_MESSAGE(explained, id << " is only theirs");
  }
  CHECK(only_theirs == 6);
  for (const auto& item : expected.at("Patches").as_array()) {
    const auto name = *find_text(item, "Patch.Pkg.Name");
    const auto from = *find_text(item, "Patch.OrigVersion");
    const auto* one = find(upgrades, name, from);
    REQUIRE(one != nullptr);
    if (one == acorn) continue;
    const auto& to = one->held_by.empty() ? one->to : one->allowed;
    CHECK_MESSAGE(!to.empty(), name << " " << from);
    CHECK_MESSAGE(compare_versions("npm", to, *find_text(item, "Patch.NewVersion")) <= 0,
                  name << " " << from << ": " << to);
  }
}

TEST_CASE("the second fixture's findings and patches hold for every advisory that is here") {
  if (without_data()) return;
  const auto opened = open_advisories(data / "npm-santatracker/vulns.json", "");
  const auto expected = json_of(data / "npm-in-place/expected.json");
  std::set<std::string> wanted;
  for (const auto& item : expected.at("vulnerabilities").as_array()) {
    for (const auto& package : item.at("packages").as_array()) {
      wanted.insert(std::string(*find_text(item, "id")) + " " +
                    std::string(*find_text(package, "name")) + "@" +
                    std::string(*find_text(package, "version")));
    }
  }
  const auto found_in = [&](const char* name) {
    std::set<std::string> found;
    const auto file = read_lockfile_at(data / "npm-in-place" / name, "npm");
    REQUIRE(file.has_value());
    for (const auto& one : file->packages) {
      for (const auto& match : opened->index.match("npm", one.name, one.version)) {
        found.insert(std::string(match.id) + " " + one.name + "@" + one.version);
      }
    }
    return found;
  };
  const auto before = found_in("package-lock.json");
  const auto after = found_in("after.package-lock.json");
  CHECK(before.size() > after.size());
  for (const auto& one : before) CHECK_MESSAGE(wanted.contains(one), one);
  for (const auto& one : after) CHECK_MESSAGE(before.contains(one), one);
}

TEST_CASE("the smallest later version that is free of all is proposed, and what each asks for") {
  const auto index =
      index_of("[" + advisory("A", "0", "1.2.0") + "," + advisory("B", "1.1.0", "1.3.1") + "," +
               advisory("C", "1.4.0", "1.4.1") + "]");
  const auto upgrade = plan(index, "1.1.5");
  CHECK(upgrade.to == "1.3.1");
  CHECK(upgrade.left.empty());
  CHECK_FALSE(upgrade.breaking);
  REQUIRE(upgrade.steps.size() == 2);
  CHECK(upgrade.steps[0].to == "1.2.0");
  CHECK(upgrade.steps[1].to == "1.3.1");
  const KnownVersions known{{{"npm", "x"}, {"1.5.0", "1.3.0", "1.4.0", "1.3.2-rc.1", "1.0.0"}}};
  CHECK(plan(index, "1.1.5", known).to == "1.5.0");  // 1.4.0 has a flaw of its own
  CHECK(plan(index, "1.1.5-beta", known).to == "1.3.2-rc.1");
}

TEST_CASE("no version below the present one is ever proposed") {
  const auto index = index_of(advisory("A", "5.5.0", ""));
  const KnownVersions known{{{"npm", "x"}, {"5.4.1", "5.4.2", "5.6.0"}}};
  const auto upgrade = plan(index, "5.5.3", known);
  CHECK(upgrade.to.empty());
  CHECK(upgrade.steps[0].to.empty());
  CHECK(upgrade.left == std::vector<std::string>{"A"});
}

TEST_CASE("a breaking upgrade is called one, with what can be had without") {
  const auto index =
      index_of("[" + advisory("A", "0", "1.2.0") + "," + advisory("B", "0", "2.0.0") + "]");
  const auto upgrade = plan(index, "1.0.0");
  CHECK(upgrade.to == "2.0.0");
  CHECK(upgrade.breaking);
  CHECK(upgrade.within == "1.2.0");
  CHECK(upgrade.within_left == std::vector<std::string>{"B"});
  CHECK(is_breaking("npm", "0.3.1", "0.4.0"));
  CHECK_FALSE(is_breaking("npm", "v1.0.0", "1.9.0"));
  CHECK_FALSE(is_breaking("Debian:12", "1.0-1", "2.0-1"));
}

TEST_CASE("where nothing is free of all, the least bad is proposed and what stays is said") {
  const auto index =
      index_of("[" + advisory("A", "0", "1.2.0") + "," + advisory("B", "0", "") + "]");
  const auto upgrade = plan(index, "1.0.0");
  CHECK(upgrade.to == "1.2.0");
  CHECK(upgrade.left == std::vector<std::string>{"B"});
}

TEST_CASE("known versions are read strictly") {
  CHECK(read_known_versions(parse_json(R"({"PyPI":{"Foo_Bar":["1.0"]}})").value())
            ->contains({"PyPI", "foo-bar"}));
  for (const auto* bad : {"[]", R"({"npm":[]})", R"({"npm":{"x":1}})", R"({"npm":{"x":[1]}})"}) {
    CHECK_FALSE(read_known_versions(parse_json(bad).value()).has_value());
  }
}
