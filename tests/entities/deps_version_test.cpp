#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "entities/deps/version.hpp"
#include "tests/support/places.hpp"

using namespace vigil::entities::deps;
namespace fs = std::filesystem;

namespace {

const fs::path orders = fs::path(vigil::source_dir()) / "../shared/data/deps/version-order";

bool holds(VersionScheme scheme, const std::string& a, char sign, const std::string& b) {
  const auto order = compare_versions(scheme, a, b);
  const auto back = compare_versions(scheme, b, a);
  if (sign == '<') return order < 0 && back > 0;
  if (sign == '>') return order > 0 && back < 0;
  return order == 0 && back == 0;
}

int check_file(VersionScheme scheme, const char* name) {
  std::ifstream file(orders / name);
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) {
    const auto space = line.find(' ');
    if (space == std::string::npos || line.starts_with('#')) continue;
    const auto a = line.substr(0, space);
    const auto b = line.substr(space + 3);
    CHECK_MESSAGE(holds(scheme, a, line[space + 1], b), (std::string(name) + ": " + line));
    ++lines;
  }
  return lines;
}

}  // namespace

TEST_CASE("every comparison of the public lists of versions holds") {
  if (!fs::exists(orders)) {
    MESSAGE("skipped: there is no " << orders.string());
    return;
  }
  CHECK(check_file(VersionScheme::semver, "semver-versions.txt") == 52);
  CHECK(check_file(VersionScheme::pypi, "pypi-versions.txt") == 22);
  CHECK(check_file(VersionScheme::pypi, "pypi-versions-generated.txt") == 600);
  CHECK(check_file(VersionScheme::maven, "maven-versions.txt") == 61);
  CHECK(check_file(VersionScheme::maven, "maven-versions-generated.txt") == 600);
  CHECK(check_file(VersionScheme::nuget, "nuget-versions.txt") == 21);
  CHECK(check_file(VersionScheme::rubygems, "rubygems-versions.txt") == 15);
  CHECK(check_file(VersionScheme::rubygems, "rubygems-versions-generated.txt") == 600);
}

TEST_CASE("orders do not go round in circles") {
  if (!fs::exists(orders)) {
    MESSAGE("skipped: there is no " << orders.string());
    return;
  }
  std::mt19937 random(20261123);
  for (const auto& [scheme, name] : {std::pair{VersionScheme::semver, "semver-versions.txt"},
                                     {VersionScheme::pypi, "pypi-versions-generated.txt"},
                                     {VersionScheme::maven, "maven-versions.txt"},
                                     {VersionScheme::maven, "maven-versions-generated.txt"},
                                     {VersionScheme::rubygems, "rubygems-versions-generated.txt"},
                                     {VersionScheme::nuget, "nuget-versions.txt"},
                                     {VersionScheme::packagist, "semver-versions.txt"},
                                     {VersionScheme::debian, "maven-versions-generated.txt"},
                                     {VersionScheme::alpine, "pypi-versions-generated.txt"},
                                     {VersionScheme::rpm, "maven-versions-generated.txt"}}) {
    std::ifstream file(orders / name);
    std::vector<std::string> versions;
    for (std::string line; std::getline(file, line);)
      versions.push_back(line.substr(0, line.find(' ')));
    const auto draw = [&] { return versions[random() % versions.size()]; };
    for (int round = 0; round < 20'000; ++round) {
      const auto a = draw();
      const auto b = draw();
      const auto c = draw();
      if (compare_versions(scheme, a, b) <= 0 && compare_versions(scheme, b, c) <= 0) {
        CHECK_MESSAGE(compare_versions(scheme, a, c) <= 0, (a + " | " + b + " | " + c));
      }
    }
  }
}

TEST_CASE("distributions order versions by their own rules") {
  using enum VersionScheme;
  CHECK(holds(debian, "1.0~rc1-1", '<', "1.0-1"));
  CHECK(holds(debian, "1:0.9", '>', "2.0"));
  CHECK(holds(debian, "1.0-1", '<', "1.0-1+deb12u1"));
  CHECK(holds(debian, "2.36-9+deb12u10", '>', "2.36-9+deb12u9"));
  CHECK(holds(debian, "1.0", '=', "1.0-0"));
  CHECK(holds(alpine, "1.1.22-r4", '>', "1.1.22-r3"));
  CHECK(holds(alpine, "3.0_rc1-r0", '<', "3.0-r0"));
  CHECK(holds(alpine, "3.0_p1", '>', "3.0"));
  CHECK(holds(alpine, "1.1.1a-r0", '<', "1.1.1b-r0"));
  CHECK(holds(alpine, "1.02", '<', "1.1"));
  CHECK(holds(rpm, "1.0~beta-1", '<', "1.0-1"));
  CHECK(holds(rpm, "1.0-150500.3.6.1", '<', "1.0-150500.3.10.1"));
  CHECK(holds(rpm, "1:1.0-1", '>', "9.0-1"));
  CHECK(holds(rpm, "1.0^git1-1", '>', "1.0-1"));
  CHECK(holds(rpm, "1.0a", '>', "1.0"));
}

TEST_CASE("ecosystems with orders of their own are known, with or without a release of them") {
  CHECK(scheme_of("Debian:12") == VersionScheme::debian);
  CHECK(scheme_of("Alpine:v3.19") == VersionScheme::alpine);
  CHECK(scheme_of("npm") == VersionScheme::semver);
  CHECK(scheme_of("something new") == VersionScheme::semver);
  CHECK(compare_versions("Packagist", "1.0.0-RC1", "1.0.0") < 0);
  CHECK(compare_versions("Packagist", "1.0.0-patch1", "1.0.0") > 0);
  CHECK(compare_versions("Packagist", "v1.0", "1.0.0.0") == 0);
  CHECK(compare_versions("Packagist", "1.0.0-beta2", "1.0.0-beta10") < 0);
  CHECK(compare_versions("Hackage", "1.0", "1.0.0") < 0);
  CHECK(compare_versions("CRAN", "1.2-3", "1.2.4") < 0);
  CHECK(compare_versions("npm", "v20190909.0.0", "20190909.0.0") == 0);
}

TEST_CASE("versions before a release are told from releases") {
  CHECK(is_prerelease(VersionScheme::semver, "1.0.0-alpha.1"));
  CHECK_FALSE(is_prerelease(VersionScheme::semver, "v1.0.0+build"));
  CHECK(is_prerelease(VersionScheme::pypi, "1.0rc1"));
  CHECK(is_prerelease(VersionScheme::pypi, "1.0.dev3"));
  CHECK_FALSE(is_prerelease(VersionScheme::pypi, "1.0.post1"));
  CHECK(is_prerelease(VersionScheme::maven, "1.0-SNAPSHOT"));
  CHECK_FALSE(is_prerelease(VersionScheme::maven, "1.0-jre"));
  CHECK(is_prerelease(VersionScheme::rubygems, "1.0.pre"));
  CHECK_FALSE(is_prerelease(VersionScheme::packagist, "1.0.0-patch1"));
}

TEST_CASE("odd and hostile texts have a place in every order, and it is the same from both sides") {
  std::mt19937 random(20261123);
  const std::string letters = "01.9-+~^_!:aAbrcdevpostvalpha \n\xff\xc3\x00";
  const auto draw = [&](std::size_t most) {
    std::string text;
    const auto size = random() % most;
    for (std::size_t i = 0; i < size; ++i) text += letters[random() % letters.size()];
    return text;
  };
  for (int round = 0; round < 3000; ++round) {
    const auto a = draw(14);
    const auto b = draw(14);
    for (int scheme = 0; scheme <= static_cast<int>(VersionScheme::rpm); ++scheme) {
      const auto which = static_cast<VersionScheme>(scheme);
      CHECK_MESSAGE(holds(which, a, '=', a), a);
      const auto order = compare_versions(which, a, b);
      const auto back = compare_versions(which, b, a);
      CHECK_MESSAGE((order < 0) == (back > 0), (a + " | " + b));
      (void)is_prerelease(which, a);  // must only come back
    }
  }
  const std::string huge(2'000'000, '1');
  const std::string dots(2'000'000, '.');
  for (int scheme = 0; scheme <= static_cast<int>(VersionScheme::rpm); ++scheme) {
    const auto which = static_cast<VersionScheme>(scheme);
    CHECK(holds(which, huge, '=', huge + "2"));
    (void)compare_versions(which, dots, huge);  // must only come back, soon
  }
}
