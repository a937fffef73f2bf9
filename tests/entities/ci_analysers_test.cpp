// The analysers of this folder, as vigil-task calls them.
#include <doctest/doctest.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>

#include "entities/analyser.hpp"
#include "entities/ci/analysers.hpp"
#include "entities/codebase/finding.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities;
namespace fs = std::filesystem;

namespace {

const fs::path shared_ci = fs::path(source_dir()) / "../shared/data/ci";

class Folder {
 public:
  Folder() {
    static int number = 0;
    path_ = fs::temp_directory_path() /
            ("vigil-ci-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;  // a test's own folder below /tmp
    fs::remove_all(path_, ignored);
  }
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

Result<json::value> run(std::string_view name, json::object input, json::object inputs = {}) {
  for (const auto& analyser : ci::analysers()) {
    if (analyser.name != name) continue;
    Request request;
    request.input = std::move(input);
    request.inputs = std::move(inputs);
    return analyser.run(request);
  }
  FAIL("no analyser " << name);
  return json::value();
}

json::value told(std::string_view name, json::object input, json::object inputs = {}) {
  auto result = run(name, std::move(input), std::move(inputs));
  INFO((result ? std::string() : result.error().message));
  REQUIRE(result.has_value());
  const auto* findings = find_path(*result, "findings");
  REQUIRE(findings != nullptr);
  for (const auto& finding : findings->get_array()) {
    CHECK(codebase::finding_from_json(finding).has_value());
  }
  return std::move(*result);
}

json::object files(std::initializer_list<std::string> names) {
  json::array list;
  for (const auto& name : names) list.emplace_back(name);
  return {{"files", std::move(list)}};
}

std::string text(const json::value& value, std::string_view path) {
  return find_scalar_text(value, path).value_or("");
}

constexpr std::string_view failing =
    "<testsuite name='S'><testcase classname='S' name='a' time='0.1'><failure message='boom'>"
    "at src/net/a.c:2</failure></testcase><testcase classname='S' name='b' time='0.1'>"
    "<failure message='boom'>at src/net/a.c:9</failure></testcase>"
    "<testcase classname='S' name='c' time='9'/></testsuite>";

constexpr std::string_view change =
    "diff --git a/src/net/a.c b/src/net/a.c\n--- a/src/net/a.c\n+++ b/src/net/a.c\n"
    "@@ -1,2 +1,3 @@\n one\n+two\n four\n";

}  // namespace

TEST_CASE("ci.tests tells which tests failed, and which for one reason") {
  const Folder folder;
  auto input = files({folder.write("r.xml", failing)});
  const auto result = told("ci.tests", input);
  CHECK(text(result, "summary") == "2 of 3 tests failed, for 1 reason");
  CHECK(text(result, "tests.cases") == "3");
  CHECK(text(result, "findings.0.severity") == "high");
  CHECK(text(result, "findings.0.path") == "src/net/a.c");
  CHECK(text(result, "failed.0.fingerprint") == text(result, "failed.1.fingerprint"));
  CHECK(text(result, "text").find("and 1 more for the same reason") != std::string::npos);
}

TEST_CASE("ci.tests tells which failures point at lines that a change added") {
  const Folder folder;
  auto input = files({folder.write("r.xml", failing)});
  input["diff"] = folder.write("change.diff", change);
  const auto result = told("ci.tests", input);
  CHECK(text(result, "failed.0.where") == "added line");
  CHECK(text(result, "failed.1.where") == "changed file");
}

TEST_CASE("ci.tests knows from the past what is flaky, and what got slower") {
  const Folder folder;
  std::string past;
  for (const auto* commit : {"c1", "c2", "c3", "c4", "c5", "c6"}) {
    const std::string head = std::string("{\"commit\":\"") + commit + "\",\"test\":\"S::";
    past += head + "a\",\"outcome\":\"passed\"}\n" + head + "a\",\"outcome\":\"failed\"}\n";
    past += head + "b\",\"outcome\":\"passed\"}\n";
    past += head + "c\",\"outcome\":\"passed\",\"seconds\":1.0}\n";
  }
  auto input = files({folder.write("r.xml", failing)});
  input["history"] = folder.write("past.jsonl", past);
  input["commit"] = "c7";
  const auto result = told("ci.tests", input);
  CHECK(text(result, "failed.0.standing") == "flaky");
  CHECK(text(result, "findings.0.severity") == "low");
  CHECK(text(result, "failed.1.standing") == "broken");
  CHECK(text(result, "findings.1.hint") == "broken since c7, good on c6");
  CHECK(text(result, "findings.2.rule") == "slower");
  // What it answers can be kept as the next lines of the history.
  std::string lines;
  for (const auto& line : find_path(result, "runs")->get_array()) lines += to_text(line) + "\n";
  const auto kept = told("ci.flaky", {{"text", past + lines}});
  CHECK(text(kept, "summary") == "3 tests on 7 commits: 1 broken, 1 flaky, 0 suspect");
  const auto flaky = told("ci.flaky", files({folder.path() + "/past.jsonl"}));
  CHECK(text(flaky, "summary") == "3 tests on 6 commits: 0 broken, 1 flaky, 0 suspect");
  CHECK(text(flaky, "tests.0.test") == "S::a");
  folder.write("bad.jsonl", "{\"commit\":\"a\",\"test\":\"b\",\"outcome\":\"maybe\"}\n");
  const auto bad = run("ci.flaky", files({folder.path() + "/bad.jsonl"}));
  CHECK(bad.error().message.find("line 1: outcome") != std::string::npos);
}

TEST_CASE("ci.output tells errors on added lines first, and only those of a change if asked") {
  const Folder folder;
  auto input = files({folder.write("log",
                                   "/usr/include/x.h:3:1: error: far\n"
                                   "/ci/9/src/net/a.c:1:1: warning: near\n"
                                   "/ci/9/src/net/a.c:2:1: warning: here\n")});
  input["diff"] = folder.write("change.diff", change);
  const auto result = told("ci.output", input);
  CHECK(text(result, "summary") == "1 error, 2 warnings; 1 on added lines");
  CHECK(text(result, "findings.0.where") == "added line");
  CHECK(text(result, "findings.0.path") == "src/net/a.c");
  CHECK(text(result, "findings.1.where") == "changed file");
  CHECK(text(result, "findings.2.where") == "elsewhere");
  input["only"] = "changed";
  CHECK(find_path(told("ci.output", input), "findings")->get_array().size() == 2);
  CHECK_FALSE(run("ci.output", {{"text", "x"}, {"only", "changed"}}).has_value());
  // The output of a task that ran before is read when nothing else is given.
  const auto after = told("ci.output", {}, {{"build", {{"output", "a.c:1: error: x\n"}}}});
  CHECK(text(after, "findings.0.title") == "x");
}

TEST_CASE("ci.sarif leaves out what is suppressed, and says so") {
  const auto result =
      told("ci.sarif", {{"text", R"({"runs":[{"results":[{"ruleId":"r","message":{"text":"m"}},
        {"message":{"text":"n"},"suppressions":[{"kind":"inSource"}]}]}]})"}});
  CHECK(text(result, "summary") == "0 errors, 1 warning; 1 suppressed");
  CHECK(find_path(result, "findings")->get_array().size() == 1);
}

TEST_CASE("a folder is read whole, and what is no report in it is told") {
  const Folder folder;
  folder.write("a.xml", failing);
  folder.write("notes.txt", "hello");
  const auto result = told("ci.tests", files({folder.path()}));
  CHECK(text(result, "summary").ends_with("; 1 not read"));
  CHECK(text(result, "findings.0.rule") == "not-all-read");
  CHECK(run("ci.tests", files({folder.path() + "/none"})).error().code == ErrorCode::not_found);
  CHECK(run("ci.tests", files({folder.path() + "/notes.txt"})).error().message.find("are read") !=
        std::string::npos);
  CHECK(run("ci.tests", {}).error().message.find("nothing to read") != std::string::npos);
  CHECK_FALSE(run("ci.sarif", {{"text", "{"}}).has_value());
}

TEST_CASE("everything that runs of CI left behind is read in one go") {
  if (!fs::exists(shared_ci)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const auto tests = told("ci.tests", files({(shared_ci / "test-reports").string()}));
  CHECK(text(tests, "tests.cases") == "4941");
  const auto output = told("ci.output", files({(shared_ci / "tool-output").string()}));
  CHECK(text(output, "summary").find("errors") != std::string::npos);
  const auto sarif = told("ci.sarif", files({(shared_ci / "sarif").string()}));
  CHECK(text(sarif, "suppressed") == "1");
}
