#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "entities/ci/test_report.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::ci;
namespace fs = std::filesystem;

namespace {

const fs::path shared_ci = fs::path(source_dir()) / "../shared/data/ci";

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> split(const std::string& text, const std::string& at) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (auto end = text.find(at); end != std::string::npos; end = text.find(at, begin)) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + at.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

TestReport read_shared(const std::string& name) {
  const auto text = read_file(shared_ci / "test-reports" / name);
  auto report = read_test_report(text);
  INFO(name << ": " << (report ? "" : report.error().message));
  REQUIRE(report.has_value());
  return std::move(*report);
}

const TestCase& find_case(const TestReport& report, const std::string& name) {
  for (const auto& test : report.cases) {
    if (test.name == name) return test;
  }
  FAIL("no case " << name);
  return report.cases.front();
}

struct Expected {
  std::size_t cases, failed, errors, skipped;
};

// Where the table is not what a reader should say.
const std::map<std::string, Expected> argued{
    // The table counts the ends of tests. Here seven tests have none: the four below a test that
    // passed (TestNestedSuccess/b...) and those without a passed root, which are crashes.
    {"go-test-json-missing-test-events.jsonl", {12, 6, 0, 0}},
    // The only test panics: Go wrote no end for it, the table counts nothing at all.
    {"go-test-json-missing-test-fail.jsonl", {1, 1, 0, 0}},
};

}  // namespace

TEST_CASE("reports of many runners hold the cases that were counted in them") {
  if (!fs::exists(shared_ci)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  std::stringstream table(read_file(shared_ci / "test-reports-expected.tsv"));
  std::string row;
  std::getline(table, row);
  int checked = 0;
  while (std::getline(table, row)) {
    const auto columns = split(row, "\t");
    const auto& name = columns.at(0);
    CAPTURE(name);
    const auto report = read_shared(name);
    CHECK_FALSE(report.cut);
    if (columns.at(2).empty()) continue;  // the table has no answer; see the tests below
    const auto sums = tally(report);
    const auto number = [&](std::size_t at) { return std::stoul(columns.at(at)); };
    Expected expected{number(2), number(3), number(4), number(5)};
    if (argued.contains(name)) expected = argued.at(name);
    CHECK(sums.cases == expected.cases);
    CHECK(sums.failed == expected.failed);
    CHECK(sums.errors == expected.errors);
    CHECK(sums.skipped == expected.skipped);
    ++checked;
    if (columns.size() < 7 || columns.at(6).empty() || argued.contains(name)) continue;
    std::vector<std::string> failed;
    for (const auto& test : report.cases) {
      if (test.outcome != Outcome::failed && test.outcome != Outcome::error) continue;
      failed.push_back(test.suite + "::" + test.name);
    }
    const auto names = split(columns.at(6), " | ");
    REQUIRE(failed.size() >= names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      // "::name" is a test without a class: its suite is then that of the file around it.
      CHECK(failed[i].ends_with(names[i]));
    }
  }
  CHECK(checked == 27);
}

TEST_CASE("streams and documents of JSON hold their cases") {
  if (!fs::exists(shared_ci)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const auto dart = read_shared("dart-json.json");
  CHECK(dart.format == "dart");
  CHECK(tally(dart).cases == 6);
  CHECK(tally(dart).failed == 1);
  CHECK(tally(dart).errors == 3);
  CHECK(tally(dart).skipped == 1);
  const auto& failing = find_case(dart, "Failing test");
  CHECK(failing.suite == "Test 1 Test 1.1");
  CHECK(failing.line == 12);
  CHECK(failing.file ==
        "C:/Users/Michal/Workspace/dorny/test-check/reports/dart/test/main_test.dart");
  CHECK(failing.duration == std::chrono::milliseconds{20});
  CHECK(tally(read_shared("external-flutter-provider-test-results.json")).cases == 269);
  CHECK(tally(read_shared("empty-dart-json.json")).cases == 0);
  CHECK(read_shared("empty-mocha-json.json").format == "mocha");
  CHECK(read_shared("empty-rspec-json.json").format == "rspec");
  const auto go = read_shared("golang-json.json");
  CHECK(tally(go).cases == 12);
  CHECK(tally(go).failed == 6);
  CHECK(tally(go).skipped == 1);
  CHECK(go.outside.empty());
  CHECK(find_case(go, "TestCases/2_+_3_=_4").message.find("expected 2 + 3 = 4, got 5") !=
        std::string::npos);
  CHECK(find_case(go, "TestCases/2_+_3_=_4").file == "calculator_test.go");
  CHECK(find_case(go, "TestCases/2_+_3_=_4").line == 67);
  CHECK(find_case(go, "TestSkipped").duration == std::chrono::milliseconds{940});
}

TEST_CASE("a failure knows its place in the code") {
  if (!fs::exists(shared_ci)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const auto jest = read_shared("jest-junit.xml");
  const auto& failing = find_case(jest, "Failing test");
  CHECK(failing.file.ends_with("__tests__\\main.test.js"));
  CHECK(failing.line == 10);
  CHECK(failing.message == "Error: expect(received).toBeTruthy()");
  const auto php = read_shared("phpunit-phpunit-paths.xml");
  CHECK(find_case(php, "testWindowsParenFailure").file == "C:\\repo\\src\\WinParen.php");
  CHECK(find_case(php, "testWindowsParenFailure").line == 88);
  const auto swift = read_shared("report.junit");
  CHECK(find_case(swift, "testJoinStringsWithCustomSeparator").line == 23);
  const auto folded =
      read_shared("TEST-org.jenkinsci.plugins.jvctb.perform.JvctbPerformerTest.xml");
  CHECK(folded.cases.at(0).file ==
        "org/jenkinsci/plugins/jvctb/perform/JvctbPerformerTest.java");  // the stack is one line
  CHECK(folded.cases.at(0).tries == 5);
  const auto split = read_shared("TEST-Aufgabe3Test.xml");
  CHECK(
      find_case(split, "ALL_FINAL").message.starts_with("java.lang.AssertionError: Architecture"));
  const auto named = read_shared("external-phpunit-phpcheckstyle-phpunit.xml");
  CHECK(find_case(named, "testOther").message == "We expect 20 warnings");
  const auto crash = read_shared("go-test-json-missing-test-fail.jsonl");
  CHECK(crash.cases.at(0).message.starts_with("panic: runtime error: index out of range"));
  const auto hg = read_shared("external-jest-jest-test-results.xml");
  CHECK(find_case(hg, "gets changed files for hg")
            .file.ends_with("/packages/jest-changed-files/build/hg.js"));
  const auto mixed = read_shared("go-test-json-with-cover.jsonl");
  REQUIRE(mixed.outside.size() == 1);
  CHECK(mixed.outside[0].suite.ends_with("badmain"));
  CHECK(mixed.outside[0].message == "sometimes main can exit 2");
  CHECK(read_shared("go-test-json-with-nonjson-stdout.jsonl").lines_passed_over == 1);
}
