#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "entities/deps/lockfile.hpp"
#include "tests/support/places.hpp"

using namespace vigil::entities::deps;
namespace fs = std::filesystem;

namespace {

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::string why(std::string_view format, std::string_view text) {
  const auto file = read_lockfile("x", text, format);
  return file ? "read" : file.error().message;
}

}  // namespace

TEST_CASE("a broken lock file is refused with its line") {
  CHECK(why("npm", "{\n\"lockfileVersion\": 2,\n]") ==
        "x:3: not a package-lock.json: syntax error");
  CHECK(why("npm", "{} {}").starts_with("x:1: not a package-lock.json"));
  CHECK(why("npm", "{}") == "x:1: not a package-lock.json: it has no lockfileVersion");
  CHECK(why("npm", "{\"lockfileVersion\": 3,\n\"packages\": {\n\"node_modules/a\": 1}}")
            .starts_with("x:"));
  CHECK(why("cargo", "[[package]]\nname = \"a\"\n= 3\n").starts_with("x:3: not TOML"));
  CHECK(why("cargo", "[[package]]\nversion = \"1\"\n") == "x:1: a package without a name");
  CHECK(why("poetry", "hello = 1").starts_with("x:1: not a lock file"));
  CHECK(why("yarn", "hello\n") == "x:1: not a yarn.lock: expected names and a colon");
  CHECK(why("yarn", "a@1:\n  resolved \"x\"\n").starts_with("x:1: a@1 has no version"));
  CHECK(why("pnpm", "lockfileVersion: 9\npackages:\n\tx:\n").starts_with("x:3: a tab"));
  CHECK(why("pnpm", "lockfileVersion: 4\n").starts_with("x:1: lockfileVersion 4"));
  CHECK(why("pnpm", "<html>").starts_with("x:1: not a pnpm-lock.yaml"));
  CHECK(why("go", "module x\nrequire a\n").starts_with("x:2: require"));
  CHECK(why("go", "module x\nrequire (\n").starts_with("x:2: require ( has no end"));
  CHECK(why("go", "<html>").starts_with("x:1: not a go.mod"));
  CHECK(why("bundler", "GEM\n  specs:\n    rails\n").starts_with("x:3: expected NAME (VERSION)"));
  CHECK(why("bundler", "<<<<<<< HEAD\n").starts_with("x:1: a merge was left unfinished"));
  CHECK(why("gradle", "a:b=c\n").starts_with("x:1: expected GROUP:NAME:VERSION"));
  CHECK(why("maven", "<project>\n<a>\n</project>").starts_with("x:3: not XML"));
  CHECK(why("maven", "<html/>") == "x:1: expected <project>");
  CHECK(why("pip", "a==1\n\xff\xfe\n") == "x:2: not UTF-8");
  CHECK(why("pip", "<html>\n").starts_with("x:1: <html>: expected a package"));
  CHECK(why("conan", "[]") == "x:1: not a conan.lock: expected an object");
  CHECK(why("nothing", "").find("known are npm") != std::string::npos);
}

TEST_CASE("deep, long and self-referring files end soon, in an error or a result") {
  CHECK(why("npm", "{\"lockfileVersion\":1,\"dependencies\":" + repeat("{\"a\":", 100000))
            .starts_with("x:1: not a package-lock.json"));
  CHECK(why("cargo", "a = " + repeat("[", 100000)).starts_with("x:1: not TOML"));
  CHECK(why("maven", repeat("<project>", 20000)).starts_with("x:1: not XML"));
  const auto bomb =
      "<project><properties>"
      "<a>${b}${b}${b}${b}${b}${b}${b}${b}${b}${b}</a><b>${c}${c}${c}${c}${c}${c}${c}${c}${c}</b>"
      "<c>${d}${d}${d}${d}${d}${d}${d}${d}${d}</c><d>${e}${e}${e}${e}${e}${e}${e}${e}${e}</d>"
      "<e>${f}${f}${f}${f}${f}${f}${f}${f}${f}</e><f>${g}${g}${g}${g}${g}${g}${g}${g}${g}</f>"
      "<g>${h}${h}${h}${h}${h}${h}${h}${h}${h}</g><h></h>"
      "</properties><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId>"
      "<version>${a}</version></dependency></dependencies></project>";
  CHECK(why("maven", bomb) == "read");
  const auto entities =
      "<!DOCTYPE x [<!ENTITY a SYSTEM \"/etc/passwd\">]><project><dependencies><dependency>"
      "<groupId>&a;</groupId><artifactId>b</artifactId></dependency></dependencies></project>";
  const auto file = read_lockfile("pom.xml", entities);
  REQUIRE(file.has_value());
  CHECK(file->packages[0].name == "&a;:b");
  CHECK(why("yarn", repeat("a", 3'000'000)).starts_with("x:1: not a yarn.lock"));
  CHECK(why("pip", repeat("a==1\\\n", 300'000)) == "read");
  CHECK(why("bundler", repeat("GEM\n", 300'000)) == "read");
  CHECK(why("pnpm", "lockfileVersion: 5\npackages:\n" + repeat("  /:\n", 200'000)) == "read");
  std::string names = "{\"lockfileVersion\":3,\"packages\":{";
  for (int i = 0; i < 20'000; ++i) {
    names += "\"node_modules/\\u0061" + std::to_string(i) + "\":{\"version\":\"1.0.0\"},";
  }
  names.back() = '}';
  CHECK(why("npm", names + "}") == "read");  // names that stand in the text in another spelling
  CHECK_FALSE(read_lockfile("yarn.lock", std::string(lockfile_bytes_max + 1, '#')).has_value());
  CHECK_FALSE(read_lockfile_at("/proc/self/nowhere/yarn.lock").has_value());
  CHECK_FALSE(read_lockfile_at("/").has_value());
}

TEST_CASE("cut and scrambled lock files never crash a reader") {
  const auto folder = fs::path(vigil::source_dir()) / "../shared/data/deps/lockfiles";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: there is no " << folder.string());
    return;
  }
  std::mt19937 random(20261123);
  const std::string marks = "\"'{}[]()<>:,@#=/\\ \n\t-_\x80";
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto format = entry.path().parent_path().filename().string();
    for (int round = 0; round < 40; ++round) {
      auto changed = text.substr(0, round % 2 == 0 ? text.size() : random() % (text.size() + 1));
      for (int i = 0; i < round / 2 && !changed.empty(); ++i) {
        changed[random() % changed.size()] = marks[random() % marks.size()];
      }
      const auto result = read_lockfile(entry.path().string(), changed, format);
      if (!result) CHECK(result.error().message.find(':') != std::string::npos);
    }
  }
}
