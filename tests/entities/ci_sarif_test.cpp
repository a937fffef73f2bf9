#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "entities/ci/sarif.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::ci;
namespace codebase = vigil::entities::codebase;
namespace fs = std::filesystem;

namespace {

const fs::path shared_ci = fs::path(source_dir()) / "../shared/data/ci";

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

SarifReport read(std::string_view text) {
  auto report = read_sarif(text);
  INFO((report ? std::string() : report.error().message));
  REQUIRE(report.has_value());
  return std::move(*report);
}

SarifReport run_with(std::string_view parts) {
  return read(R"({"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T","rules":[
    {"id":"R1","defaultConfiguration":{"level":"error"},"helpUri":"https://r/1",
     "messageStrings":{"default":{"text":"{0} hides {1}"}}},
    {"id":"R2","properties":{"security-severity":"9.8"}}]}},)" +
              std::string(parts) + "}]}");
}

}  // namespace

TEST_CASE("reports of real analysers hold the results that were counted in them") {
  if (!fs::exists(shared_ci)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  std::stringstream table(read_file(shared_ci / "sarif-summary.tsv"));
  std::string row;
  std::getline(table, row);
  int checked = 0;
  while (std::getline(table, row)) {
    std::vector<std::string> columns;
    std::stringstream cells(row);
    for (std::string cell; std::getline(cells, cell, '\t');) columns.push_back(cell);
    CAPTURE(row);
    const auto report = read(read_file(shared_ci / "sarif" / columns.at(0)));
    CHECK(report.version == columns.at(1));
    REQUIRE(report.tools.size() == 1);
    CHECK(report.tools[0] == columns.at(2));
    CHECK(report.results == std::stoul(columns.at(3)));
    auto suppressed = std::stoul(columns.at(4));
    // The table counts results with any suppression. One of the two was rejected, and a result
    // whose suppression was refused is not suppressed (SARIF 2.1.0, 3.27.23): it must be seen.
    if (columns[0] == "suppressed-sarif.json") suppressed = 1;
    CHECK(static_cast<std::size_t>(std::ranges::count_if(report.issues, &Issue::suppressed)) ==
          suppressed);
    for (const auto level : {Level::none, Level::note, Level::warning, Level::error}) {
      std::string levels = columns.at(5);
      std::ranges::transform(levels, levels.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      });
      const auto at = levels.find("\"" + std::string(to_text(level)) + "\": ");
      const auto expected =
          at == std::string::npos ? 0 : std::stol(levels.substr(levels.find(": ", at) + 2));
      CHECK(std::ranges::count(report.issues, level, &Issue::level) == expected);
    }
    ++checked;
  }
  CHECK(checked == 6);
  const auto sharp = read(read_file(shared_ci / "sarif/emptyfilePath.sarif"));
  CHECK(sharp.issues.at(0).path == "whatever/€path.cs");
  CHECK(sharp.issues.at(0).line == 5);
  CHECK(sharp.issues.at(0).rule == "FirstRule");
  const auto osv = read(read_file(shared_ci / "sarif/osv-scanner-0.sarif"));
  CHECK(osv.issues.at(0).path == "/path/to/sub-rust-project/Cargo.lock");
}

TEST_CASE("a result without a level takes its rule's, and else it is a warning") {
  const auto report = run_with(R"("results":[
    {"ruleId":"R1","message":{"id":"default","arguments":["x","y"]}},
    {"ruleId":"R2","ruleIndex":0,"message":{"text":"a"}},
    {"ruleIndex":0,"message":{"text":"b"}},
    {"ruleId":"R1/part","message":{"text":"c"}},
    {"ruleId":"R1","kind":"review","message":{"text":"d"}},
    {"ruleId":"R1","kind":"pass","message":{"text":"e"}},
    {"ruleId":"R1","baselineState":"absent","message":{"text":"f"}}])");
  REQUIRE(report.issues.size() == 5);
  CHECK(report.results == 7);
  CHECK(report.issues[0].level == Level::error);
  CHECK(report.issues[0].message == "x hides y");
  CHECK(report.issues[0].url == "https://r/1");
  CHECK(report.issues[1].level == Level::warning);  // its index names another rule
  CHECK(severity_of(report.issues[1]) == codebase::Severity::critical);
  CHECK(report.issues[2].rule == "R1");
  CHECK(report.issues[3].level == Level::error);
  CHECK(report.issues[4].level == Level::none);
}

TEST_CASE("places are found through bases of bases and the list of artifacts") {
  const auto place = [](std::string_view artifact) {
    return run_with(R"("originalUriBaseIds":{"SRC":{"uri":"src/","uriBaseId":"ROOT"},
      "ROOT":{"uri":"file:///build/my%20app/"},"LOOP":{"uri":"x/","uriBaseId":"LOOP"}},
      "artifacts":[{"location":{"uri":"lib/b.c","uriBaseId":"ROOT"}}],
      "results":[{"message":{"text":"a"},"locations":[{"physicalLocation":{"artifactLocation":)" +
                    std::string(artifact) + R"(,"region":{"startLine":3}}}]}])")
        .issues.at(0)
        .path;
  };
  CHECK(place(R"({"uri":"a.c","uriBaseId":"SRC"})") == "/build/my app/src/a.c");
  CHECK(place(R"({"index":0})") == "/build/my app/lib/b.c");
  CHECK(place(R"({"uri":"file:///C:/r/a.c"})") == "C:/r/a.c");
  CHECK(place(R"({"uri":"a.c","uriBaseId":"%SRCROOT%"})") == "a.c");
  CHECK(place(R"({"uri":"a.c","uriBaseId":"LOOP"})").ends_with("x/a.c"));
  CHECK(place(R"({"index":99})").empty());
  CHECK(place(R"(7)").empty());
}

TEST_CASE("a suppression silences unless it was refused or is still thought about") {
  const auto suppressed = [](std::string_view list) {
    return run_with(R"("results":[{"message":{"text":"a"},"suppressions":)" + std::string(list) +
                    "}]")
        .issues.at(0)
        .suppressed;
  };
  CHECK(suppressed(R"([{"kind":"inSource"}])"));
  CHECK(suppressed(R"([{"kind":"external","status":"accepted"}])"));
  CHECK_FALSE(suppressed(R"([{"kind":"external","status":"underReview"}])"));
  CHECK_FALSE(suppressed(R"([{"kind":"inSource"},{"kind":"external","status":"rejected"}])"));
  CHECK_FALSE(suppressed("[]"));
}

TEST_CASE("what is no SARIF is refused, and odd SARIF is read as far as it goes") {
  CHECK(read_sarif("{").error().message.find("cut off") != std::string::npos);
  CHECK(read_sarif("{\"runs\":1}").error().message.find("runs") != std::string::npos);
  CHECK(read_sarif(R"({"version":"1.0.0","runs":[]})").error().message.find("2.1.0") !=
        std::string::npos);
  CHECK_FALSE(read_sarif(std::string(100'000, '[')).has_value());
  CHECK(read(R"({"runs":[1,{},{"results":[1,{"locations":[2]},{"level":3}]}]})").results == 3);
}
