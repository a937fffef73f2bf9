#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/codebase/analysers.hpp"
#include "entities/codebase/upgrade_groups.hpp"
#include "entities/codebase/upgrade_tasks.hpp"
#include "tests/entities/codebase_clone.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::entities::codebase;
using vigil::testing::Clone;
using vigil::testing::Folder;
namespace fs = std::filesystem;

namespace {

json::object advisory(const std::string& id, const std::string& ecosystem, const std::string& name,
                      const std::string& fixed, const std::string& severity) {
  return {{"id", id},
          {"summary", "a flaw"},
          {"database_specific", json::object{{"severity", severity}}},
          {"affected",
           json::array{json::object{
               {"package", json::object{{"ecosystem", ecosystem}, {"name", name}}},
               {"ranges", json::array{json::object{
                              {"type", "ECOSYSTEM"},
                              {"events", json::array{json::object{{"introduced", "0"}},
                                                     json::object{{"fixed", fixed}}}}}}}}}}};
}

// A clone, advisories about what it is pinned to, and the steps of a proposal by hand.
class World {
 public:
  World() {
    std::ofstream(advisories_.path() / "all.json") << to_text(
        json::value(json::array{advisory("A-1", "PyPI", "django", "3.2.13", "HIGH"),
                                advisory("A-2", "PyPI", "flask", "1.0.2", "LOW"),
                                advisory("A-3", "npm", "lodash", "4.17.21", "CRITICAL"),
                                advisory("A-4", "Go", "golang.org/x/net", "0.7.0", "MEDIUM")}));
  }

  json::value run(std::string_view name, json::object more, json::object inputs = {}) {
    more["repository"] = clone.path().string();
    more["advisories"] = advisories_.path().string();
    const auto* analyser = find_analyser(name);
    REQUIRE(analyser != nullptr);
    const auto out = analyser->run({"t", json::value(more), std::move(inputs), std::nullopt});
    if (!out) return json::object{{"error", out.error().message}};
    return *out;
  }
  json::array groups() { return run("codebase.upgrade_find", {}).at("groups").as_array(); }
  json::value edit(const json::value& group, json::array commands = {}) {
    return run("codebase.upgrade_edit", {{"group", group}, {"commands", std::move(commands)}});
  }

  Clone clone;

 private:
  Folder advisories_;
};

std::string text(const json::value& value, std::string_view key) {
  return std::string(find_text(value, key).value_or(""));
}

constexpr const char* pins = "# pinned\ndjango==3.2.1\nflask==1.0.1\n";
const std::string npm_lock =
    "{\"name\": \"a\", \"lockfileVersion\": 3, \"packages\": {\"\": {\"dependencies\": "
    "{\"lodash\": \"^4.0.0\"}}, \"node_modules/lodash\": {\"version\": \"4.17.20\", "
    "\"integrity\": \"sha512-x\"}}}\n";

}  // namespace

TEST_CASE("what a branch is pinned to becomes proposals, the most severe first") {
  World world;
  world.clone.commit({{"requirements.txt", pins},
                      {"web/package-lock.json", npm_lock},
                      {"node_modules/x/package-lock.json", npm_lock}});
  const auto groups = world.groups();
  REQUIRE(groups.size() == 3);
  CHECK(text(groups[0], "key") == "npm/lodash");
  CHECK(text(groups[0], "branch") == "vigil/upgrade-npm-lodash");
  CHECK(text(groups[0], "title") == "upgrade lodash to 4.17.21");
  CHECK(text(groups[1], "title") == "upgrade django to 3.2.13");
  CHECK(text(groups[2], "severity") == "low");
  const auto together = world.run("codebase.upgrade_find", {{"group", "ecosystem"}});
  CHECK(together.at("groups").as_array().size() == 2);
  const auto apart = world.run("codebase.upgrade_find", {{"group", "advisory"}});
  CHECK(text(apart.at("groups").as_array()[0], "key") == "A-3");
  CHECK(text(world.run("codebase.upgrade_find", {{"group", "odd"}}), "error").find("expected") !=
        std::string::npos);
}

TEST_CASE("an edit that needs no tool is made, looked at again, and told as a patch") {
  World world;
  world.clone.commit({{"requirements.txt", pins}});
  const auto out = world.edit(world.groups()[0]);
  CAPTURE(to_text(out));
  CHECK(out.at("ok").as_bool());
  const auto patch = text(out, "patch");
  CHECK(patch.find("-django==3.2.1\n+django==3.2.13\n") != std::string::npos);
  CHECK(patch.find("-flask") == std::string::npos);
  CHECK(world.clone.git({"status", "--porcelain"}).empty());
}

TEST_CASE("a lock file of hashes is left to its tool, or the proposal says what to run") {
  World world;
  world.clone.commit({{"package-lock.json", npm_lock},
                      {"package.json", "{\"dependencies\": {\"lodash\": \"^4.0.0\"}}\n"}});
  const auto group = world.groups()[0];
  const auto without = world.edit(group);
  CHECK(!without.at("ok").as_bool());
  CHECK(text(without, "summary").find("npm install --package-lock-only lodash@4.17.21") !=
        std::string::npos);
  const auto with = world.edit(
      group, {json::object{
                 {"ecosystem", "npm"},
                 {"argv", json::array{"sed", "-i", "s/{from}/{version}/", "package-lock.json"}}}});
  CAPTURE(to_text(with));
  CHECK(with.at("ok").as_bool());
  const auto failing =
      world.edit(group, {json::object{{"ecosystem", "npm"}, {"argv", json::array{"false"}}}});
  CHECK(text(failing, "summary").find("ended with 1") != std::string::npos);
}

TEST_CASE("what a tool lowers, brings or changes beside its files stops the proposal") {
  World world;
  world.clone.commit({{"requirements.txt", pins}, {"src/a.py", "x = 1\n"}});
  const auto group = world.groups()[0];
  const auto wrong = [&](const std::string& script, const std::string& file) {
    const auto out = world.edit(
        group,
        {json::object{{"ecosystem", "PyPI"},
                      {"argv", json::array{"sed", "-i", json::value(script), json::value(file)}}}});
    CHECK(!out.at("ok").as_bool());
    return to_text(out.at("wrong"));
  };
  CHECK(wrong("s/3.2.1/3.2.13/;s/1.0.1/0.9/", "requirements.txt").find("flask was lowered") !=
        std::string::npos);
  CHECK(wrong("s/^# pinned/lodash==1/;s/3.2.1/3.2.2/", "requirements.txt")
            .find("django still is under A-1") != std::string::npos);
  CHECK(wrong("s/1/2/", "src/a.py").find("which no upgrade may") != std::string::npos);
}

TEST_CASE("a commit whose tests pass becomes a branch, and the same one when it is made again") {
  World world;
  const auto base = world.clone.commit({{"requirements.txt", pins}});
  const auto edit = world.edit(world.groups()[0]);
  const json::object author{{"author", "Keeper <keeper@example.org>"}};
  const auto changes = world.run("codebase.upgrade_commit", author, {{"edit", edit}});
  const auto commit = text(changes, "head");
  REQUIRE(commit.size() == 40);
  CHECK(text(changes, "base") == base);
  CHECK(text(world.run("codebase.upgrade_commit", author, {{"edit", edit}}), "head") == commit);
  const auto test = [&](const char* program) {
    return world.run("codebase.command", {{"name", "tests"}, {"argv", json::array{program}}},
                     {{"changes", changes}});
  };
  const auto refused =
      world.run("codebase.upgrade_keep", {},
                {{"edit", edit}, {"changes", changes}, {"command:tests", test("false")}});
  CHECK(!refused.at("kept").as_bool());
  CHECK(world.clone.git({"branch", "--list", "vigil/*"}).empty());
  const auto kept =
      world.run("codebase.upgrade_keep", {},
                {{"edit", edit}, {"changes", changes}, {"command:tests", test("true")}});
  CAPTURE(to_text(kept));
  CHECK(kept.at("kept").as_bool());
  CHECK(world.clone.git({"rev-parse", text(kept, "branch")}) == commit);
  CHECK(world.clone.git({"log", "-1", "--format=%an %s", commit}) ==
        "Keeper upgrade django to 3.2.13");
  CHECK(world.clone.git({"for-each-ref", "refs/vigil"}).empty());
}
