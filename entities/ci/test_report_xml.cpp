// XML of test runners: JUnit's many relatives, TRX, xUnit 2 and NUnit 2 and 3. pugixml expands no
// entities of a document's own and reads no other file, so a document can do no more than be long.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <map>
#include <pugixml.hpp>

#include "core/log.hpp"
#include "entities/ci/report_parts.hpp"

namespace vigil::entities::ci {
namespace {

constexpr int nesting_max = 200;

// Some writers put a namespace's prefix before every name.
std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string_view attribute(const pugi::xml_node& node, const char* name) {
  return node.attribute(name).value();
}

std::string first_attribute(const pugi::xml_node& node, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const auto value = attribute(node, name); !value.empty()) return std::string(value);
  }
  return {};
}

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  for (const auto& one : node.children()) {
    if (local_name(one) == name) return one;
  }
  return {};
}

// All text directly in an element: runners cut CDATA into pieces where "]]>" stands.
std::string text_of(const pugi::xml_node& node) {
  std::string text;
  for (const auto& part : node.children()) {
    if (part.type() == pugi::node_pcdata || part.type() == pugi::node_cdata) text += part.value();
  }
  return text;
}

int number_from(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return std::max(number, 0);
}

void say(TestCase& test, const pugi::xml_node& told) {
  test.stack = text_of(told);
  test.message = first_attribute(told, {"message"});
  if (test.message.empty()) test.message = headline_of(test.stack);
  if (test.message.empty()) test.message = first_attribute(told, {"type"});
  if (test.stack.empty()) test.stack = test.message;
}

// A status without an element to go with it: googletest, ctest, Bazel.
Outcome outcome_from_status(std::string_view status, std::string_view result) {
  if (status == "fail" || status == "failed" || status == "failure") return Outcome::failed;
  if (status == "error") return Outcome::error;
  if (status == "notrun" || status == "disabled" || status == "skipped" || status == "ignored") {
    return Outcome::skipped;
  }
  return result == "skipped" || result == "suppressed" ? Outcome::skipped : Outcome::passed;
}

TestCase junit_case(const pugi::xml_node& node, std::string_view suite, bool lines_from_zero) {
  TestCase test;
  test.suite = first_attribute(node, {"classname", "class"});
  if (test.suite.empty()) test.suite = suite;
  test.name = first_attribute(node, {"name", "id"});
  test.duration = seconds_from(first_attribute(node, {"time", "duration"}));
  test.file = first_attribute(node, {"file", "filepath"});
  test.line = number_from(first_attribute(node, {"line", "lineno"}));
  if (lines_from_zero && test.line > 0) ++test.line;
  test.outcome = outcome_from_status(attribute(node, "status"), attribute(node, "result"));
  const auto weight = [](std::string_view name) {
    constexpr std::array<std::string_view, 6> by_weight{"",        "incomplete", "ignored",
                                                        "skipped", "error",      "failure"};
    const auto found = std::ranges::find(by_weight, name);
    return found == by_weight.end() ? 0 : static_cast<int>(found - by_weight.begin());
  };
  int heaviest = 0;
  for (const auto& told : node.children()) {
    const auto name = local_name(told);
    if (name.starts_with("rerun") || name.starts_with("flaky")) ++test.tries;
    if (weight(name) <= heaviest) continue;
    heaviest = weight(name);
    say(test, told);
    test.outcome = name == "failure" ? Outcome::failed
                   : name == "error" ? Outcome::error
                                     : Outcome::skipped;
  }
  return test;
}

void read_junit(const pugi::xml_node& node, const std::string& suite, int depth,
                ReportBuilder& into) {
  if (depth > nesting_max) return into.cut();
  const bool lines_from_zero = suite == "pytest";
  for (const auto& one : node.children()) {
    const auto name = local_name(one);
    if (name == "testsuite" || name == "testsuites") {
      const auto named = first_attribute(one, {"name", "package"});
      read_junit(one, named.empty() ? suite : named, depth + 1, into);
    } else if (name == "testcase") {
      if (into.full()) return into.cut();
      into.add(junit_case(one, suite, lines_from_zero));
    } else if ((name == "error" || name == "failure") && local_name(node) == "testsuite") {
      TestCase broken;
      broken.suite = suite;
      say(broken, one);
      into.add_outside(std::move(broken));
    }
  }
}

// 00:00:00.1084258, or 1.02:03:04 with days.
std::optional<Duration> clock_from(std::string_view text) {
  const auto first = text.find(':');
  const auto second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  auto hours = text.substr(0, first);
  int days = 0;
  if (const auto dot = hours.find('.'); dot != std::string_view::npos) {
    days = number_from(hours.substr(0, dot));
    hours.remove_prefix(dot + 1);
  }
  const double seconds = std::strtod(std::string(text.substr(second + 1)).c_str(), nullptr) +
                         60.0 * number_from(text.substr(first + 1)) + 3600.0 * number_from(hours) +
                         86400.0 * days;
  return seconds_from(seconds);
}

Outcome trx_outcome(std::string_view text) {
  if (text == "Passed" || text == "Completed" || text == "Warning") return Outcome::passed;
  if (text == "NotExecuted" || text == "Inconclusive" || text == "NotRunnable" ||
      text == "Pending") {
    return Outcome::skipped;
  }
  // No outcome at all is one that Visual Studio writes for a test that ended in an error.
  return text == "Failed" || text == "Timeout" || text == "PassedButRunAborted" ? Outcome::failed
                                                                                : Outcome::error;
}

using Classes = std::map<std::string, std::string, std::less<>>;

void read_trx_results(const pugi::xml_node& results, const Classes& classes, int depth,
                      ReportBuilder& into) {
  if (depth > nesting_max) return into.cut();
  for (const auto& result : results.children()) {
    if (!local_name(result).ends_with("TestResult")) continue;
    if (into.full()) return into.cut();
    // The rows of a test with data are the tests; what holds them only sums them up.
    if (const auto rows = child(result, "InnerResults"); rows.first_child()) {
      read_trx_results(rows, classes, depth + 1, into);
      continue;
    }
    TestCase test;
    test.name = attribute(result, "testName");
    const auto found = classes.find(attribute(result, "testId"));
    if (found != classes.end()) test.suite = found->second;
    test.outcome = trx_outcome(attribute(result, "outcome"));
    test.duration = clock_from(attribute(result, "duration"));
    const auto output = child(result, "Output");
    const auto error = child(output, "ErrorInfo");
    test.message = text_of(child(error, "Message"));
    test.stack = text_of(child(error, "StackTrace"));
    if (test.stack.empty()) test.stack = test.message;
    into.add(std::move(test));
  }
}

void read_trx(const pugi::xml_node& root, ReportBuilder& into) {
  Classes classes;
  for (const auto& unit : child(root, "TestDefinitions").children()) {
    auto name = first_attribute(child(unit, "TestMethod"), {"className"});
    name = name.substr(0, name.find(','));  // an assembly may follow
    classes.emplace(attribute(unit, "id"), std::move(name));
  }
  read_trx_results(child(root, "Results"), classes, 0, into);
  const auto summary = child(root, "ResultSummary");
  for (const auto& info : child(summary, "RunInfos").children()) {
    if (attribute(info, "outcome") != "Error") continue;
    TestCase broken;
    broken.message = text_of(child(info, "Text"));
    // Any failing test makes such a line too: it says something only when no test failed.
    const auto counters = child(summary, "Counters");
    if (number_from(attribute(counters, "failed")) == 0) into.add_outside(std::move(broken));
  }
}

Outcome dotnet_outcome(std::string_view text, std::string_view label) {
  if (text == "Pass" || text == "Passed" || text == "Success" || text == "Warning") {
    return Outcome::passed;
  }
  if (text == "Error" || (text == "Failed" && label == "Error")) return Outcome::error;
  return text == "Fail" || text == "Failed" || text == "Failure" ? Outcome::failed
                                                                 : Outcome::skipped;
}

// xUnit's <test> and NUnit's <test-case>: elements of one family, however deep they stand.
void read_dotnet(const pugi::xml_node& node, int depth, ReportBuilder& into) {
  if (depth > nesting_max) return into.cut();
  for (const auto& one : node.children()) {
    const auto name = local_name(one);
    if (name != "test" && name != "test-case") {
      if (one.type() == pugi::node_element) read_dotnet(one, depth + 1, into);
      continue;
    }
    if (into.full()) return into.cut();
    TestCase test;
    test.suite = first_attribute(one, {"classname", "type"});
    test.name = first_attribute(one, {"name", "fullname"});
    auto result = first_attribute(one, {"result"});
    if (result.empty()) result = attribute(one, "success") == "True" ? "Passed" : "Failed";
    if (attribute(one, "executed") == "False") result = "Skipped";
    test.outcome = dotnet_outcome(result, attribute(one, "label"));
    test.duration = seconds_from(first_attribute(one, {"duration", "time"}));
    auto told = child(one, "failure");
    if (!told) told = child(one, "reason");
    test.message = text_of(child(told, "message"));
    if (test.message.empty()) test.message = text_of(told);
    test.stack = text_of(child(told, "stack-trace"));
    if (test.stack.empty()) test.stack = test.message;
    into.add(std::move(test));
  }
}

std::size_t line_of(std::string_view text, std::ptrdiff_t offset) {
  const auto end =
      std::min(text.size(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0)));
  return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, end), '\n'));
}

}  // namespace

Result<TestReport> read_xml_report(std::string_view text) {
  pugi::xml_document document;
  const auto parsed = document.load_buffer(text.data(), text.size(), pugi::parse_default);
  if (!parsed) {
    return fail(ErrorCode::invalid_input,
                fmt::format("line {}: not XML: {}; was the report cut off?",
                            line_of(text, parsed.offset), parsed.description()));
  }
  const auto root = document.document_element();
  const auto name = local_name(root);
  const auto take = [&](std::string_view format, auto read) -> Result<TestReport> {
    ReportBuilder into(format);
    read(into);
    return into.take();
  };
  if (name == "testsuites" || name == "testsuite" || name == "testcase") {
    return take("junit", [&](ReportBuilder& into) { read_junit(document, "", 0, into); });
  }
  if (name == "TestRun") return take("trx", [&](ReportBuilder& into) { read_trx(root, into); });
  if (name == "assemblies" || name == "assembly") {
    return take("xunit", [&](ReportBuilder& into) { read_dotnet(root, 0, into); });
  }
  if (name == "test-run" || name == "test-results") {
    return take("nunit", [&](ReportBuilder& into) { read_dotnet(root, 0, into); });
  }
  return fail(ErrorCode::invalid_input,
              fmt::format("<{}> is no test report: expected testsuites, testsuite, TestRun, "
                          "assemblies, test-run or test-results",
                          to_valid_utf8(name.substr(0, 40))));
}

}  // namespace vigil::entities::ci
