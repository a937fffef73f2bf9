#include <doctest/doctest.h>

#include "entities/deps/lockfile.hpp"
#include "entities/deps/requirement.hpp"

using namespace vigil::entities::deps;

namespace {

bool npm(std::string_view range, std::string_view version) {
  return allows(Dialect::npm, range, version);
}
bool cargo(std::string_view range, std::string_view version) {
  return allows(Dialect::cargo, range, version);
}

}  // namespace

TEST_CASE("ranges of npm take what npm takes") {
  CHECK(npm("^1.2.3", "1.9.0"));
  CHECK_FALSE(npm("^1.2.3", "2.0.0"));
  CHECK_FALSE(npm("^1.2.3", "2.0.0-alpha"));
  CHECK_FALSE(npm("^1.2.3", "1.2.2"));
  CHECK(npm("^0.2.3", "0.2.9"));
  CHECK_FALSE(npm("^0.2.3", "0.3.0"));
  CHECK_FALSE(npm("^0.0.3", "0.0.4"));
  CHECK(npm("^0.0", "0.0.9"));
  CHECK(npm("^1.x", "1.9.9"));
  CHECK(npm("~1.2.3", "1.2.9"));
  CHECK_FALSE(npm("~1.2.3", "1.3.0"));
  CHECK(npm("~1", "1.9.0"));
  CHECK(npm("1.2.3", "1.2.3"));
  CHECK_FALSE(npm("1.2.3", "1.2.4"));
  CHECK(npm("1.2", "1.2.9"));
  CHECK(npm("1.x", "1.2.9"));
  CHECK(npm("1.2.*", "1.2.9"));
  CHECK(npm("*", "9.9.9"));
  CHECK(npm("", "9.9.9"));
  CHECK(npm(">=1.2 <2", "1.9.0"));
  CHECK(npm(">= 1.2  < 2", "1.9.0"));
  CHECK_FALSE(npm(">=1.2 <2", "2.0.0"));
  CHECK(npm("1.2.3 - 2.3", "2.3.9"));
  CHECK_FALSE(npm("1.2.3 - 2.3.4", "2.3.5"));
  CHECK(npm("^1.0.0 || ^3.0.0", "3.1.0"));
  CHECK(npm("<1.0.0||>=2.3.1 <2.4.5||>=2.5.2 <3.0.0", "2.4.0"));
  CHECK_FALSE(npm("^1.0.0 || ^3.0.0", "2.1.0"));
  CHECK(npm(">1.2", "1.3.0"));
  CHECK_FALSE(npm(">1.2", "1.2.5"));
  CHECK(npm("v1.2.3", "1.2.3"));
  CHECK(npm("=1.2.3", "1.2.3"));
}

TEST_CASE("a bare version of Cargo takes its series") {
  CHECK(cargo("1.2", "1.9.0"));
  CHECK_FALSE(cargo("0.3", "0.4.0"));
  CHECK(cargo(">= 1.2, < 1.5", "1.4.9"));
  CHECK_FALSE(cargo(">= 1.2, < 1.5", "1.5.0"));
}

TEST_CASE("what is no requirement allows nothing") {
  for (const auto* odd : {"latest", "git+ssh://x/y#z", "file:../a", "^", ">=", "1.2.3.4", "1..2",
                          "99999999999999999999", "a || b", " - ", "1 -", "\xff"}) {
    CHECK_MESSAGE(!npm(odd, "1.0.0"), odd);
  }
  CHECK_FALSE(cargo("", "1.0.0"));
  CHECK_FALSE(npm(std::string(2000, ' '), "1.0.0"));
  CHECK(npm(std::string(300, '|'), "1.0.0"));  // empty alternatives are any version
}

TEST_CASE("a lock file of npm says who asks for what, as node would find it") {
  const auto asked = [](std::string_view text) {
    const auto file = read_lockfile("package-lock.json", text);
    REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message));
    std::string all;
    for (const auto& one : file->asked) {
      all += one.by + ": " + one.name + "@" + one.version + " by " + one.range + "\n";
    }
    return all;
  };
  CHECK(asked(R"({"lockfileVersion":3,"packages":{
    "":{"dependencies":{"a":"^1.0.0","gone":"1"},"devDependencies":{"b":"~2"}},
    "node_modules/a":{"version":"1.1.0","dependencies":{"b":"^1.0.0"},
                      "devDependencies":{"b":"^9"}},
    "node_modules/a/node_modules/b":{"version":"1.5.0","dependencies":{"c":"npm:real@^3"}},
    "node_modules/b":{"version":"2.0.0"},
    "node_modules/c":{"name":"real","version":"3.0.0"}}})") ==
        "the project: a@1.1.0 by ^1.0.0\nthe project: b@2.0.0 by ~2\n"
        "a 1.1.0: b@1.5.0 by ^1.0.0\nb 1.5.0: real@3.0.0 by ^3\n");
  CHECK(asked(R"({"lockfileVersion":1,"dependencies":{
    "a":{"version":"1.1.0","requires":{"b":"^1.0.0","c":"*"},
         "dependencies":{"b":{"version":"1.5.0","requires":{"c":"^3"}}}},
    "b":{"version":"2.0.0"},"c":{"version":"3.0.0"}}})") ==
        "b 1.5.0: c@3.0.0 by ^3\na 1.1.0: b@1.5.0 by ^1.0.0\na 1.1.0: c@3.0.0 by *\n");
}
