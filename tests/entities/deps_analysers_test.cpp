// The analysers as tasks: over files, over both sides of a change, over a folder, in containment.
#include <boost/json/array.hpp>

#include "entities/deps/analysers.hpp"
#include "entities/deps/scan.hpp"
#include "tests/entities/codebase_clone.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using entities::find_any_analyser;
using testing::Clone;
using testing::Errand;
using testing::ErrandEnd;
using testing::Folder;
namespace fs = std::filesystem;

namespace {

const fs::path data = fs::path(source_dir()) / "../shared/data/deps";

const std::string advisories = R"([
{"id":"GHSA-1","aliases":["CVE-1"],"summary":"x is bad","database_specific":{"severity":"HIGH"},
 "affected":[{"package":{"ecosystem":"npm","name":"x"},
   "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]},
{"id":"OTHER-1","aliases":["CVE-1"],"summary":"the same",
 "affected":[{"package":{"ecosystem":"npm","name":"x"},
   "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]},
{"id":"GHSA-2","summary":"y is bad",
 "affected":[{"package":{"ecosystem":"npm","name":"y"},
   "ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}])";

std::string lock(const std::string& x, const std::string& y) {
  return "# yarn lockfile v1\n\n\nx@^1:\n  version \"" + x + "\"\n\ny@^1:\n  version \"" + y +
         "\"\n";
}

Result<json::value> ask(std::string_view analyser, json::object input, json::object inputs = {}) {
  return find_any_analyser(analyser)->run({"t", std::move(input), std::move(inputs), std::nullopt});
}

json::value run(std::string_view analyser, json::object input, json::object inputs = {}) {
  auto result = ask(analyser, std::move(input), std::move(inputs));
  REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().message));
  return *result;
}

const json::array& findings(const json::value& result) { return result.at("findings").as_array(); }

json::object with_advisories(const Clone& clone) {
  clone.write(".git/advisories.json", advisories);  // no part of the work tree
  return {{"repository", clone.path().string()},
          {"advisories", (clone.path() / ".git/advisories.json").string()}};
}

}  // namespace

TEST_CASE("a scan of files tells each flaw once, with its place and what to do") {
  const Clone clone;
  auto input = with_advisories(clone);
  clone.write("web/yarn.lock", lock("1.1.0", "1.0.0"));
  input["files"] = json::array{"web/yarn.lock"};
  const auto result = run("deps.scan", input);
  REQUIRE(findings(result).size() == 2);
  const auto& first = findings(result)[0];
  CHECK(find_text(first, "rule") == "GHSA-1");  // the one that says how severe it is
  CHECK(find_text(first, "severity") == "high");
  CHECK(find_text(first, "path") == "web/yarn.lock");
  CHECK(find_integer(first, "line") == 4);
  CHECK(find_text(first, "title") == "x 1.1.0: GHSA-1 (CVE-1, OTHER-1): x is bad");
  CHECK(find_text(first, "hint") == "upgrade to 1.2.0");
  CHECK(find_text(findings(result)[1], "severity") == "medium");
  CHECK(find_text(findings(result)[1], "hint")->starts_with("no later version without it"));
  CHECK(find_text(result, "summary") == "2 known flaws in 2 of 2 packages");
  const auto again = run("deps.scan", input);
  CHECK(findings(again) == findings(result));  // the same keys
}

TEST_CASE("a scan of a change tells of what is new or changed alone, and what was settled") {
  const Clone clone;
  auto input = with_advisories(clone);
  const auto base = clone.commit({{"yarn.lock", lock("1.1.0", "1.0.0")}});
  const auto head = clone.commit({{"yarn.lock", lock("1.2.0", "1.0.0")},
                                  {"b/yarn.lock", lock("1.3.0", "0.9.0")},
                                  {"README", "no lock file"}});
  input["range"] = base + ".." + head;
  const auto result = run("deps.scan", input);
  REQUIRE(findings(result).size() == 1);
  CHECK(find_text(findings(result)[0], "path") == "b/yarn.lock");
  CHECK(find_text(findings(result)[0], "title") == "y 0.9.0: GHSA-2: y is bad");
  CHECK(find_integer(result, "settled") == 2);
  CHECK(find_integer(result, "packages") == 3);
  // The same out of the result of codebase.changes, as a review plans it.
  json::object asked{{"repository", clone.path().string()}, {"range", base + ".." + head}};
  json::object inputs{{"changes", run("codebase.changes", asked)}};
  input.erase("range");
  CHECK(findings(run("deps.scan", input, inputs)) == findings(result));
  const auto renamed = clone.git({"mv", "yarn.lock", "c.txt"});
  clone.commit({});
  input["range"] = head + "..HEAD";
  CHECK(findings(run("deps.scan", input)).empty());
}

TEST_CASE("both sides may be given as they are, with files or texts") {
  const Clone clone;
  auto input = with_advisories(clone);
  json::object side{{"path", "yarn.lock"},
                    {"text", lock("1.1.0", "1.0.0")},
                    {"base_text", lock("1.0.0", "1.0.0")}};
  input["files"] = json::array{side};
  const auto result = run("deps.scan", input);
  REQUIRE(findings(result).size() == 1);
  CHECK(find_text(findings(result)[0], "rule") == "GHSA-1");
  side["base_text"] = "<<<<<<< HEAD";  // a side that cannot be read counts as empty, and is told
  input["files"] = json::array{side};
  CHECK(findings(run("deps.scan", input)).size() == 3);
  clone.write("old", lock("1.1.0", "0.1.0"));
  side.erase("base_text");
  side["base_file"] = "old";
  input["files"] = json::array{side};
  CHECK(findings(run("deps.scan", input)).size() == 1);
  input["files"] = json::array{json::value(3)};
  CHECK_FALSE(ask("deps.scan", input).has_value());
}

TEST_CASE("without files all lock files below the folder are read, and bad ones are told") {
  const Clone clone;
  auto input = with_advisories(clone);
  clone.write("a/yarn.lock", lock("1.3.0", "1.0.0"));
  clone.write("b/go.mod", "module b\nrequire oops\n");
  clone.write("node_modules/x/yarn.lock", lock("1.0.0", "1.0.0"));
  clone.write("requirements.txt", "-r sub/more.in\n-r ../../../etc/passwd\n");
  clone.write("sub/more.in", "a==1\n");
  const auto result = run("deps.scan", input);
  REQUIRE(findings(result).size() == 2);
  CHECK(find_text(findings(result)[0], "rule") == "not-read");
  CHECK(find_text(findings(result)[0], "path") == "b/go.mod");
  CHECK(find_integer(findings(result)[0], "line") == 2);
  CHECK(find_text(findings(result)[1], "rule") == "GHSA-2");
  input["files"] = json::array{"requirements.txt"};
  const auto listed = run("deps.list", input);
  CHECK(listed.at("files").as_array().size() == 2);
  REQUIRE(findings(listed).size() == 1);  // nothing outside the folder is opened
  CHECK(find_text(findings(listed)[0], "title")->find("passwd, which was not read") !=
        std::string_view::npos);
  CHECK(find_text(listed, "text")->find("sub/more.in:1: PyPI a 1\n") != std::string_view::npos);
  input["files"] = json::array{"b/go.mod"};
  const auto refused = ask("deps.scan", input);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.starts_with("b/go.mod:2: require"));
}

TEST_CASE("what is missing is said with what to give") {
  const auto without = ask("deps.scan", {{"files", json::array{"yarn.lock"}}});
  REQUIRE_FALSE(without.has_value());
  CHECK(without.error().message.find("advisories is missing") != std::string::npos);
  const Clone clone;
  auto input = with_advisories(clone);
  clone.write("yarn.lock", lock("1.0.0", "1.0.0"));
  clone.write("v.json", "[]");
  input["versions"] = "v.json";
  const auto versions = ask("deps.upgrades", input);
  REQUIRE_FALSE(versions.has_value());
  CHECK(versions.error().message.find("expected {\"npm\"") != std::string::npos);
  clone.write("v.json", R"({"npm":{"x":["1.5.0","2.0.0"]}})");
  const auto planned = run("deps.upgrades", input);
  const auto& upgrades = planned.at("upgrades").as_array();
  REQUIRE(upgrades.size() == 2);
  CHECK(find_text(upgrades[0], "to") == "1.5.0");
  CHECK(find_text(upgrades[1], "to") == "");
  CHECK(find_text(planned, "text")->find("npm x 1.0.0 -> 1.5.0: settles 2 of 2") !=
        std::string_view::npos);
  CHECK_FALSE(ask("deps.list", {}).has_value());
}

TEST_CASE("a scan runs in strict containment, and keeps its index where it may write") {
  if (!fs::exists(data)) {
    MESSAGE("skipped: there is no " << data.string());
    return;
  }
  const Folder folder;
  const auto shared = fs::canonical(data).string();
  const auto programs = bin_dir();
  const auto scan_once = [&] {
    Errand errand;
    errand.argv = {programs + "/vigil-exec",
                   "--profile",
                   "strict",
                   "--read",
                   shared,
                   "--write",
                   folder.path().string(),
                   "--",
                   programs + "/vigil-task",
                   "deps.scan"};
    errand.folder = folder.path().string();
    errand.environment = {"PATH=/usr/bin:/bin"};
    const auto project = shared + "/remediation/npm-santatracker";
    errand.input = to_text(
        json::value{{"input",
                     {{"advisories", project + "/vulns.json"},
                      {"index", (folder.path() / "index").string()},
                      {"files", json::array{json::value(project + "/package-lock.json")}}}}});
    const auto end = testing::run_errand(errand);
    REQUIRE(end.has_value());
    return *end;
  };
  const auto first = scan_once();
  if (first.exit_code == 126) {
    MESSAGE("skipped: " << first.errors);
    return;
  }
  REQUIRE_MESSAGE(first.exit_code == 0, first.errors);
  const auto result = parse_json(first.output).value();
  CHECK(find_text(result, "summary") == "65 known flaws in 52 of 613 packages");
  CHECK(find_bool(result, "advisories.made") == true);
  CHECK(fs::exists(folder.path() / "index"));
  const auto second = parse_json(scan_once().output).value();
  CHECK(find_bool(second, "advisories.made") == false);
  CHECK(second.at("findings") == result.at("findings"));
}
