#include <doctest/doctest.h>

#include "entities/ci/test_report.hpp"

using namespace vigil;
using namespace vigil::entities::ci;

namespace {

TestReport read(std::string_view text) {
  auto report = read_test_report(text);
  INFO((report ? std::string() : report.error().message));
  REQUIRE(report.has_value());
  return std::move(*report);
}

std::string refusal(std::string_view text) {
  const auto report = read_test_report(text);
  REQUIRE_FALSE(report.has_value());
  return report.error().message;
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("Jest: titles, retries and a suite that did not load") {
  const auto report = read(R"j({"numTotalTests":3,"testResults":[
    {"name":"/r/a.test.js","status":"failed","assertionResults":[
      {"ancestorTitles":["list","add"],"title":"grows","status":"failed","duration":12,
       "failureMessages":["Error: no\n    at f (/r/node_modules/x/y.js:1:2)",
                          "    at Object.<anonymous> (/r/a.test.js:7:3)"]},
      {"ancestorTitles":[],"title":"later","status":"todo","failureMessages":[]},
      {"ancestorTitles":[],"title":"second try","status":"passed","retryReasons":["x"]}]},
    {"name":"/r/b.test.js","status":"failed","message":"SyntaxError: b",
     "assertionResults":[]}]})j");
  CHECK(report.format == "jest");
  REQUIRE(report.cases.size() == 3);
  CHECK(report.cases[0].suite == "list › add");
  CHECK(report.cases[0].line == 7);
  CHECK(report.cases[0].duration == std::chrono::milliseconds{12});
  CHECK(report.cases[1].outcome == Outcome::skipped);
  CHECK(report.cases[2].tries == 2);
  REQUIRE(report.outside.size() == 1);
  CHECK(report.outside[0].message == "SyntaxError: b");
}

TEST_CASE("Mocha: every test once, and a hook that failed") {
  const auto report = read(R"j({"stats":{"tests":2},
    "tests":[{"title":"works","fullTitle":"thing works","file":"/r/t.js","duration":3,"err":{}},
             {"title":"fails","fullTitle":"thing fails","file":"/r/t.js","duration":3,
              "err":{"message":"no","stack":"Error: no\n at Context.<anonymous> (/r/t.js:9:5)"}}],
    "pending":[],"passes":[{"title":"works","fullTitle":"thing works","file":"/r/t.js"}],
    "failures":[
      {"title":"fails","fullTitle":"thing fails","file":"/r/t.js","err":{"message":"no"}},
      {"title":"a hook","fullTitle":"thing a hook","err":{"message":"db"}}]})j");
  CHECK(tally(report).cases == 2);
  CHECK(tally(report).failed == 1);
  CHECK(report.cases[1].suite == "thing");
  CHECK(report.cases[1].line == 9);
  REQUIRE(report.outside.size() == 1);
  CHECK(report.outside[0].message == "db");
}

TEST_CASE("RSpec: examples, and errors outside of them") {
  const auto report = read(R"j({"version":"3.13.0","messages":["An error occurred while loading x"],
    "examples":[{"id":"./s.rb[1:1]","description":"adds","full_description":"Sum adds",
      "status":"failed","file_path":"./spec/s_spec.rb","line_number":4,"run_time":0.5,
      "exception":{"class":"RuntimeError","message":"\nboom",
                   "backtrace":["./lib/s.rb:3:in `add'"]}},
     {"description":"waits","full_description":"Sum waits","status":"pending",
      "pending_message":"later"}],
    "summary":{"errors_outside_of_examples_count":1}})j");
  REQUIRE(report.cases.size() == 2);
  CHECK(report.cases[0].suite == "Sum");
  CHECK(report.cases[0].message == "boom");
  CHECK(report.cases[0].file == "./spec/s_spec.rb");
  CHECK(report.cases[1].outcome == Outcome::skipped);
  CHECK(report.cases[1].message == "later");
  CHECK(report.outside.size() == 1);
}

TEST_CASE("xUnit and both NUnits are one family") {
  const auto xunit = read(
      "<assemblies><assembly><collection><test name='N.T.a' type='N.T' method='a' time='0.5' "
      "result='Fail'><failure><message><![CDATA[no]]></message><stack-trace>at N.T.a() in "
      "C:\\r\\T.cs:line 12</stack-trace></failure></test><test name='b' type='N.T' "
      "result='Skip'><reason>later</reason></test></collection></assembly></assemblies>");
  REQUIRE(xunit.cases.size() == 2);
  CHECK(xunit.format == "xunit");
  CHECK(xunit.cases[0].file == "C:\\r\\T.cs");
  CHECK(xunit.cases[0].line == 12);
  CHECK(xunit.cases[1].message == "later");
  const auto nunit3 = read(
      "<test-run><test-suite><test-suite><test-case name='a' classname='N.T' result='Failed' "
      "label='Error' duration='0.1'><failure><message>no</message></failure></test-case>"
      "<test-case name='b' classname='N.T' result='Passed'/></test-suite></test-suite></test-run>");
  CHECK(tally(nunit3).errors == 1);
  CHECK(tally(nunit3).passed == 1);
  const auto nunit2 = read(
      "<test-results><test-suite><results><test-case name='N.T.a' executed='True' success='False' "
      "time='0.1'><failure><message>no</message></failure></test-case><test-case name='N.T.b' "
      "executed='False'/></results></test-suite></test-results>");
  CHECK(tally(nunit2).failed == 1);
  CHECK(tally(nunit2).skipped == 1);
}

TEST_CASE("JUnit's relatives: statuses, retries, errors of a whole suite, lines from zero") {
  const auto gtest = read(
      "<testsuites><testsuite name='S'><testcase name='a' status='run' result='completed'/>"
      "<testcase name='b' status='notrun' result='suppressed'/></testsuite></testsuites>");
  CHECK(tally(gtest).passed == 1);
  CHECK(tally(gtest).skipped == 1);
  const auto ctest = read("<testsuite><testcase name='a' status='fail'/></testsuite>");
  CHECK(tally(ctest).failed == 1);
  const auto flaky = read(
      "<testsuite name='S'><testcase name='a' time='1,234.5'><flakyFailure message='x'/>"
      "</testcase></testsuite>");
  CHECK(flaky.cases.at(0).outcome == Outcome::passed);
  CHECK(flaky.cases.at(0).tries == 2);
  CHECK(flaky.cases.at(0).duration == std::chrono::milliseconds{1234500});
  const auto pytest = read(
      "<testsuites><testsuite name='pytest'><testcase classname='t.test_a' name='test_b' "
      "file='t/test_a.py' line='9'><failure message='assert 1 == 2'>E assert</failure></testcase>"
      "</testsuite></testsuites>");
  CHECK(pytest.cases.at(0).line == 10);
  const auto broken = read("<testsuite name='S'><error message='no such class'/></testsuite>");
  REQUIRE(broken.outside.size() == 1);
  CHECK(broken.outside[0].message == "no such class");
}

TEST_CASE("a report in UTF-16 is read as one in UTF-8") {
  std::string wide("\xff\xfe", 2);
  for (const char c : std::string_view("<testsuite name='S'><testcase name='a'/></testsuite>")) {
    wide += c;
    wide += '\0';
  }
  CHECK(read(wide).cases.at(0).name == "a");
}

TEST_CASE("what is no report is refused with a sentence that says what to do") {
  CHECK(refusal("").find("empty") != std::string::npos);
  CHECK(refusal("hello").find("are read") != std::string::npos);
  CHECK(refusal("<html><body/></html>").find("<html>") != std::string::npos);
  CHECK(refusal("{\"a\": 1}").find("testResults") != std::string::npos);
  CHECK(refusal("{\"testResults\": [").find("cut off") != std::string::npos);
  CHECK(refusal("<testsuite>\n<testcase name='a'>").find("line 2") != std::string::npos);
}

TEST_CASE("hostile reports end in an error or a cut, never in a crash") {
  const auto entity = read(
      "<!DOCTYPE t [<!ENTITY x SYSTEM 'file:///etc/passwd'><!ENTITY y '&x;&x;'>]>"
      "<testsuite><testcase name='&x;&y;'/></testsuite>");
  CHECK(entity.cases.at(0).name == "&x;&y;");
  const auto deep = read(repeated("<testsuite>", 100'000) + repeated("</testsuite>", 100'000));
  CHECK(deep.cut);
  const auto deep_dotnet = read("<assemblies>" + repeated("<collection>", 50'000) +
                                repeated("</collection>", 50'000) + "</assemblies>");
  CHECK(deep_dotnet.cut);
  CHECK(refusal("{\"a\":" + repeated("[", 100'000)).find("JSON") != std::string::npos);
  const auto many =
      read("<testsuite>" + repeated("<testcase name='a'/>", 200'001) + "</testsuite>");
  CHECK(many.cases.size() == cases_max);
  CHECK(many.cut);
  const auto odd = read(
      "<testsuite><testcase name='\xff\xfe' time='1e999' line='99999999999999'>"
      "<failure/></testcase></testsuite>");
  CHECK(odd.cases.at(0).name == "\xef\xbf\xbd\xef\xbf\xbd");
  CHECK_FALSE(odd.cases.at(0).duration.has_value());
  const auto stream = read(
      "{\"Action\":\"run\",\"Test\":\"T\"}\n{\"Action\":[]}\n{\"Action\":\"pass\","
      "\"Test\":7}\n{\"Action\":\"output\",\"Test\":\"T\",\"Output\":\"" +
      repeated("x", 100'000) + "\\n\"}\n{broken\n");
  CHECK(stream.cases.size() == 1);
  CHECK(stream.cases.at(0).stack.size() <= 16 * 1024);
}
