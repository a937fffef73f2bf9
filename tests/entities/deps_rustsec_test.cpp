#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "entities/deps/advisory_sources.hpp"
#include "entities/deps/rustsec.hpp"
#include "tests/support/places.hpp"

using namespace vigil::entities::deps;
namespace fs = std::filesystem;

namespace {

const fs::path folder = fs::path(vigil::source_dir()) / "../shared/data/deps/advisories/rustsec";

// "0..1.0.0 1.2.0.." for the versions that are left.
std::string left(const std::vector<std::string>& requirements) {
  const auto intervals = outside_requirements(requirements);
  if (!intervals) return intervals.error().message;
  std::string all;
  for (const auto& one : *intervals) all += (all.empty() ? "" : " ") + one.from + ".." + one.to;
  return all;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("what no requirement takes is affected") {
  CHECK(left({}) == "0..");
  CHECK(left({">= 0.18.1", "< 0.18.0"}) == "0.18.0..0.18.1");
  CHECK(left({">= 1.2"}) == "0..1.2.0");
  CHECK(left({"^0.8.2", "^0.9.3", ">= 0.16.0"}) == "0..0.8.2 0.9.0-0..0.9.3 0.10.0-0..0.16.0");
  CHECK(left({">= 0.4.8, < 1.0.0-0", ">= 1.1.0"}) == "0..0.4.8 1.0.0-0..1.1.0");
  CHECK(left({"> 0.32.1"}) == "0..0.32.2-0");
  CHECK(left({"<= 0.1.13"}) == "0.1.14-0..");
  CHECK(left({"<= 1.0.0-rc.1"}) == "1.0.0-rc.1.0..");
  CHECK(left({"= 1.0.5"}) == "0..1.0.5 1.0.6-0..");
  CHECK(left({"~1.2.3", "1.4"}) == "0..1.2.3 1.3.0-0..1.4.0 2.0.0-0..");
  CHECK(left({"^0.0.3"}) == "0..0.0.3 0.0.4-0..");
  CHECK(left({">= 0"}) == "0..0.0.0");  // nothing but what comes before the first release
  CHECK(left({"*"}).empty());
  CHECK(left({"nonsense"}) == "\"nonsense\" is no requirement of versions");
  CHECK(left({"1.2.3.4"}).starts_with("\"1.2.3.4\""));
  CHECK(left({">= 99999999999999999999"}).starts_with("\">= "));
}

TEST_CASE("every advisory of the RustSec database that is here is read") {
  if (!fs::exists(folder)) {
    MESSAGE("skipped: there is no " << folder.string());
    return;
  }
  int read = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto one = read_rustsec(bytes_of(entry.path()));
    REQUIRE_MESSAGE(one.has_value(), entry.path().string() << ": " << one.error().message);
    CHECK(one->id + ".md" == entry.path().filename().string());
    CHECK_FALSE(one->summary.empty());
    CHECK_FALSE(one->affected[0].name.empty());
    ++read;
  }
  CHECK(read == 42);
  const auto opened = open_advisories(folder, "");
  REQUIRE(opened.has_value());
  const auto found = [&](const char* name, const char* version) {
    return opened->index.match("crates.io", name, version).size();
  };
  CHECK(found("tor-circmgr", "0.18.0") == 1);
  CHECK(found("tor-circmgr", "0.18.1") == 0);
  CHECK(found("tor-circmgr", "0.17.0") == 0);
  CHECK(found("ws", "0.9.1") == 1);
  CHECK(opened->index.match("crates.io", "ws", "0.9.1")[0].severity == Severity::high);
}

TEST_CASE("a RustSec advisory that is none is refused with what is missing") {
  const auto why = [](std::string_view text) {
    const auto one = read_rustsec(text);
    return one ? std::string("read") : one.error().message;
  };
  CHECK(why("# hello").starts_with("no block of TOML in front"));
  CHECK(why("```toml\n[advisory\n```\n").find("not TOML") != std::string::npos);
  CHECK(why("```toml\n[advisory]\nid = 3\n```\n") == "an advisory needs an id and a package");
  CHECK(
      why("```toml\n[advisory]\nid = \"A\"\npackage = \"p\"\n[versions]\npatched = [\"no\"]\n```\n")
          .find("no requirement") != std::string::npos);
  const auto gone = read_rustsec(
      "```toml\n[advisory]\nid = \"A\"\npackage = \"p\"\nwithdrawn = \"2024-01-01\"\n"
      "informational = \"unmaintained\"\n[versions]\npatched = []\n```\n\n# It is gone\n");
  REQUIRE(gone.has_value());
  CHECK(gone->withdrawn);
  CHECK(gone->summary == "It is gone");
  CHECK(gone->severity == Severity::info);
}
