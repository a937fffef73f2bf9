#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "entities/deps/advisory_sources.hpp"
#include "entities/deps/lockfile.hpp"
#include "tests/support/places.hpp"

using namespace vigil::entities::deps;
using vigil::parse_json;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

const fs::path data = fs::path(vigil::source_dir()) / "../shared/data/deps";

bool without_data() {
  if (fs::exists(data)) return false;
  MESSAGE("skipped: there is no " << data.string());
  return true;
}

std::set<std::string> ids_of(const std::vector<Match>& matches) {
  std::set<std::string> ids;
  for (const auto& match : matches) ids.emplace(match.id);
  return ids;
}

AdvisoryIndex index_of(const std::string& text) {
  IndexBuilder builder;
  const auto value = parse_json(text);
  REQUIRE(value.has_value());
  REQUIRE(read_advisories(*value, [&](const Advisory& one) { builder.add(one); }).has_value());
  auto index = AdvisoryIndex::from_bytes(builder.finish({}));
  REQUIRE(index.has_value());
  return std::move(*index);
}

std::string advisory(std::string_view events, std::string_view more = "") {
  return R"({"id":"A","affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[)"
         R"({"type":"SEMVER","events":[)" +
         std::string(events) + "]}]" + std::string(more) + "}]}";
}

std::string word(std::string_view text, std::size_t& at) {
  const auto end = text.find('\t', at);
  auto part = std::string(text.substr(at, end == std::string_view::npos ? end : end - at));
  at = end == std::string_view::npos ? text.size() : end + 1;
  return part;
}

}  // namespace

TEST_CASE("answers of the public service hold for every advisory that is here") {
  if (without_data()) return;
  const auto opened = open_advisories(data / "advisories", "");
  REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
  CHECK(opened->index.advisories() == 249);  // 102, 108 and 42, three of them withdrawn
  CHECK(opened->index.withdrawn() == 3);
  CHECK(opened->index.problems() == 0);
  const auto npm = open_advisories(data / "remediation/npm-santatracker/vulns.json", "");
  REQUIRE(npm.has_value());
  std::set<std::string> here;
  for (const auto* name : {"advisories/go.jsonl", "advisories/pypi.jsonl",
                           "remediation/npm-santatracker/vulns.json"}) {
    std::ifstream file(data / name);
    for (std::string line; std::getline(file, line);) {
      const auto keep = [&](const Advisory& one) {
        if (!one.withdrawn) here.insert(one.id);
      };
      REQUIRE(read_advisories(parse_json(line).value(), keep).has_value());
    }
  }
  std::ifstream answers(data / "osv-query-answers.tsv");
  std::string line;
  std::getline(answers, line);
  int rows = 0;
  int expected_ids = 0;
  while (std::getline(answers, line)) {
    std::size_t at = 0;
    const auto ecosystem = word(line, at);
    const auto name = word(line, at);
    const auto version = word(line, at);
    std::istringstream ids(word(line, at));
    std::set<std::string> expected;
    for (std::string id; ids >> id;) {
      if (here.contains(id)) expected.insert(id);
    }
    expected_ids += static_cast<int>(expected.size());
    auto found = ids_of(opened->index.match(ecosystem, name, version));
    found.merge(ids_of(npm->index.match(ecosystem, name, version)));
    CHECK_MESSAGE(found == expected, line);
    ++rows;
  }
  CHECK(rows == 572);
  MESSAGE(rows << " rows, " << expected_ids << " ids expected of the advisories here");
}

TEST_CASE("the fixture project has exactly its fifty advisories") {
  if (without_data()) return;
  const auto project = data / "remediation/npm-santatracker";
  const auto opened = open_advisories(project / "vulns.json", "");
  REQUIRE(opened.has_value());
  CHECK(opened->index.advisories() == 170);
  const auto file = read_lockfile_at(project / "package-lock.json");
  REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message));
  std::set<std::string> found;
  for (const auto& package : file->packages) {
    for (const auto& match : opened->index.match("npm", package.name, package.version)) {
      found.emplace(match.id);
    }
  }
  std::set<std::string> expected;
  std::ifstream answer(project / "expected.in-place.json");
  const std::string text{std::istreambuf_iterator<char>(answer), {}};
  for (auto at = text.find("GHSA-"); at != std::string::npos; at = text.find("GHSA-", at + 1)) {
    expected.insert(text.substr(at, text.find('"', at) - at));
  }
  CHECK(expected.size() == 50);
  CHECK(found == expected);
}

TEST_CASE("intervals begin at an introduction and end at the next fix or last version") {
  const auto affected = [](std::string_view events, std::string_view version) {
    return !index_of(advisory(events)).match("npm", "x", version).empty();
  };
  constexpr std::string_view twice =
      R"({"fixed":"2.1.1"},{"introduced":"3.0"},{"introduced":"0"},{"fixed":"3.0.2"})";
  CHECK(affected(twice, "0.0.1-alpha"));
  CHECK(affected(twice, "2.1.0"));
  CHECK_FALSE(affected(twice, "2.1.1"));
  CHECK_FALSE(affected(twice, "3.0.0-rc.1"));
  CHECK(affected(twice, "v3.0.1"));
  CHECK_FALSE(affected(twice, "3.0.2"));
  constexpr std::string_view last = R"({"introduced":"1.0.0"},{"last_affected":"1.2.0"})";
  CHECK(affected(last, "1.2.0"));
  CHECK_FALSE(affected(last, "1.2.1"));
  CHECK(affected(R"({"introduced":"1.0.0"})", "99.0.0"));
  CHECK_FALSE(affected(R"({"introduced":"0"})", "(devel)"));
  CHECK_FALSE(affected(R"({"introduced":"1.0.0"},{"fixed":"1.0.0"})", "1.0.0"));
  constexpr std::string_view touching =
      R"({"introduced":"0"},{"fixed":"1.0.0"},{"introduced":"1.0.0"},{"fixed":"1.1.0"})";
  CHECK(affected(touching, "0.9.0"));
  CHECK(affected(touching, "1.0.5"));
  CHECK_FALSE(affected(touching, "1.1.0"));
}

TEST_CASE("listed versions count, commits do not, withdrawn advisories do not either") {
  const auto listed = index_of(advisory("", R"(,"versions":["2.0.0","2.0.1"])"));
  CHECK(listed.match("npm", "x", "v2.0.1").size() == 1);
  CHECK(listed.match("npm", "x", "2.0.2").empty());
  CHECK(listed.match("npm", "y", "2.0.0").empty());
  CHECK(listed.match("PyPI", "x", "2.0.0").empty());
  const auto commits =
      index_of(R"({"id":"A","affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[)"
               R"({"type":"GIT","events":[{"introduced":"0"}]}]}]})");
  CHECK(commits.match("npm", "x", "1.0.0").empty());
  auto gone = advisory(R"({"introduced":"0"})");
  gone.insert(1, R"("withdrawn":"2024-01-01T00:00:00Z",)");
  const auto withdrawn = index_of(gone);
  CHECK(withdrawn.match("npm", "x", "1.0.0").empty());
  CHECK(withdrawn.withdrawn() == 1);
  const auto python =
      index_of(R"({"id":"A","affected":[{"package":{"ecosystem":"PyPI","name":"Foo_Bar"},)"
               R"("versions":["1.0"]}]})");
  CHECK(python.match("PyPI", "foo.bar", "1.0.0").size() == 1);
  const auto twice = index_of("[" + advisory(R"({"introduced":"0"})") + "," +
                              advisory(R"({"introduced":"0"})") + "]");
  CHECK(twice.match("npm", "x", "1.0.0").size() == 1);
}

TEST_CASE("how severe an advisory is, by its word, else by its score") {
  CHECK(cvss_score("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H").value() == 9.8);
  CHECK(cvss_score("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N").value() == 6.1);
  CHECK(cvss_score("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H").value() == 7.5);
  CHECK(cvss_score("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N").value() == 0);
  CHECK_FALSE(cvss_score("CVSS:4.0/AV:N/AC:L").has_value());
  CHECK_FALSE(cvss_score("CVSS:3.1/AV:N").has_value());
  CHECK_FALSE(cvss_score("hello///:::").has_value());
  CHECK(severity_of_score(9.0) == Severity::critical);
  CHECK(severity_of_score(0.1) == Severity::low);
  auto text = advisory(R"({"introduced":"0"})");
  text.insert(1, R"("database_specific":{"severity":"MODERATE"},"severity":[{"score":"CVSS:3.1/)"
                 R"(AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],)");
  CHECK(index_of(text).match("npm", "x", "1.0.0")[0].severity == Severity::medium);
}

TEST_CASE("advisories of odd shapes are refused or read, never trusted") {
  const auto reads = [](std::string_view text) {
    return read_advisory(parse_json(text).value()).has_value();
  };
  CHECK_FALSE(reads("3"));
  CHECK_FALSE(reads("{}"));
  CHECK_FALSE(reads(R"({"id":7})"));
  for (const auto* text :
       {R"({"id":"A"})", R"({"id":"A","affected":3,"aliases":{},"severity":"x","withdrawn":1})",
        R"({"id":"A","affected":[3,{},{"package":3},{"package":{"name":1}},{"package":{}}]})",
        R"({"id":"A","affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[3,{},)"
        R"({"events":3},{"events":[3,{},{"introduced":1}]}],"versions":[1,{},"2.0.0"]}]})",
        R"({"id":"A","severity":[3,{},{"score":1}],"database_specific":[],"summary":{}})"}) {
    CHECK_MESSAGE(reads(text), text);
    (void)index_of(text).match("npm", "x", "2.0.0");  // must only come back
  }
  std::string many = R"({"introduced":"0"})";
  for (int i = 1; i < 20'000; ++i) {
    many += R"(,{")" + std::string(i % 2 == 0 ? "introduced" : "fixed") + R"(":")" +
            std::to_string(i) + R"(.0.0"})";
  }
  const auto index = index_of(advisory(many));
  CHECK(index.match("npm", "x", "18000.5.0").size() == 1);
  CHECK(index.match("npm", "x", "18001.5.0").empty());
}
