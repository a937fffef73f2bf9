// One JSON document of a test runner: Jest (and Vitest), Mocha, RSpec.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "entities/ci/report_parts.hpp"

namespace vigil::entities::ci {
namespace {

constexpr double ms_per_second = 1000;

const json::array& list_at(const json::value& root, std::string_view path) {
  static const json::array none;
  const auto* found = find_path(root, path);
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

int line_at(const json::value& root, std::string_view path) {
  const auto line = find_integer(root, path).value_or(0);
  return line > 0 && line < 1'000'000'000 ? static_cast<int>(line) : 0;
}

std::string joined(const json::array& texts, std::string_view between) {
  std::string all;
  for (const auto& text : texts) {
    if (!text.is_string()) continue;
    if (!all.empty()) all += between;
    all += std::string_view(text.get_string());
  }
  return all;
}

std::optional<Duration> milliseconds_at(const json::value& root, std::string_view path) {
  const auto number = find_number(root, path);
  return number ? seconds_from(*number / ms_per_second) : std::nullopt;
}

void read_jest_file(const json::value& file, ReportBuilder& into) {
  const auto path = text_at(file, "name");
  const auto& tests = list_at(file, "assertionResults");
  for (const auto& one : tests) {
    if (into.full()) return into.cut();
    TestCase test;
    test.suite = joined(list_at(one, "ancestorTitles"), " › ");
    test.name = text_at(one, "title");
    test.duration = milliseconds_at(one, "duration");
    test.stack = joined(list_at(one, "failureMessages"), "\n");
    test.file = path;
    test.line = line_at(one, "location.line");
    const auto status = text_at(one, "status");
    test.outcome = status == "passed" || status == "focused" ? Outcome::passed
                   : status == "failed"                      ? Outcome::failed
                                                             : Outcome::skipped;
    const auto retries = list_at(one, "retryReasons").size();
    test.tries += static_cast<int>(std::min<std::size_t>(retries, 1000));
    if (test.outcome == Outcome::failed && test.line == 0) {
      const auto place = place_in_stack(test.stack, "");
      if (place && path.ends_with(place->file)) test.line = place->line;
    }
    into.add(std::move(test));
  }
  if (text_at(file, "status") == "failed" && tests.empty()) {
    TestCase broken;
    broken.suite = path;
    broken.file = path;
    broken.stack = text_at(file, "message");
    into.add_outside(std::move(broken));
  }
}

TestReport read_jest(const json::value& root) {
  ReportBuilder into("jest");
  for (const auto& file : list_at(root, "testResults")) read_jest_file(file, into);
  return into.take();
}

// Mocha lists every test once, and those that failed or wait again in lists of their own.
TestReport read_mocha(const json::value& root) {
  ReportBuilder into("mocha");
  const auto key = [](const json::value& test) {
    return text_at(test, "file") + '\0' + text_at(test, "fullTitle");
  };
  std::set<std::string> waiting;
  std::set<std::string> failures;
  std::set<std::string> known;
  for (const auto& test : list_at(root, "pending")) waiting.insert(key(test));
  for (const auto& test : list_at(root, "failures")) failures.insert(key(test));
  const auto read = [&](const json::value& one) {
    TestCase test;
    test.name = text_at(one, "title");
    test.suite = text_at(one, "fullTitle");
    if (test.suite.ends_with(test.name)) test.suite.resize(test.suite.size() - test.name.size());
    test.suite = trimmed(test.suite);
    test.duration = milliseconds_at(one, "duration");
    test.message = text_at(one, "err.message");
    test.stack = text_at(one, "err.stack");
    const bool failed = failures.contains(key(one)) || !test.message.empty();
    test.outcome = waiting.contains(key(one)) ? Outcome::skipped
                   : failed                   ? Outcome::failed
                                              : Outcome::passed;
    test.tries += static_cast<int>(
        std::clamp<std::int64_t>(find_integer(one, "currentRetry").value_or(0), 0, 1000));
    test.file = text_at(one, "file");
    if (failed) {
      const auto place = place_in_stack(test.stack, "");
      if (place && (test.file.empty() || place->file.ends_with(test.file))) {
        test.file = place->file;
        test.line = place->line;
      }
    }
    return test;
  };
  for (const auto& one : list_at(root, "tests")) {
    if (into.full()) into.cut();
    if (into.full()) break;
    known.insert(key(one));
    into.add(read(one));
  }
  // A hook that failed is no test, and stands only among the failures.
  for (const auto& one : list_at(root, "failures")) {
    if (!known.contains(key(one))) into.add_outside(read(one));
  }
  return into.take();
}

TestReport read_rspec(const json::value& root) {
  ReportBuilder into("rspec");
  for (const auto& one : list_at(root, "examples")) {
    if (into.full()) into.cut();
    if (into.full()) break;
    TestCase test;
    test.name = text_at(one, "description");
    test.suite = text_at(one, "full_description");
    if (test.suite.ends_with(test.name)) test.suite.resize(test.suite.size() - test.name.size());
    test.suite = trimmed(test.suite);
    test.file = text_at(one, "file_path");
    test.line = line_at(one, "line_number");
    if (const auto seconds = find_number(one, "run_time")) test.duration = seconds_from(*seconds);
    const auto status = text_at(one, "status");
    test.outcome = status == "passed"   ? Outcome::passed
                   : status == "failed" ? Outcome::failed
                                        : Outcome::skipped;
    const auto class_name = text_at(one, "exception.class");
    test.message = trimmed(text_at(one, "exception.message"));
    if (test.message.empty()) test.message = text_at(one, "pending_message");
    test.stack = test.message + "\n" + joined(list_at(one, "exception.backtrace"), "\n");
    if (!class_name.empty()) test.stack = class_name + ": " + test.stack;
    into.add(std::move(test));
  }
  if (find_integer(root, "summary.errors_outside_of_examples_count").value_or(0) > 0) {
    TestCase broken;
    broken.suite = "rspec";
    broken.stack = joined(list_at(root, "messages"), "\n");
    into.add_outside(std::move(broken));
  }
  return into.take();
}

}  // namespace

Result<TestReport> read_json_report(std::string_view text) {
  const auto root = parse_json(text);
  if (!root) {
    return fail(ErrorCode::invalid_input, "not JSON: " + root.error().message +
                                              "; was the report cut off, or printed between?");
  }
  const auto is_list = [&](std::string_view path) {
    const auto* found = find_path(*root, path);
    return found != nullptr && found->is_array();
  };
  if (is_list("testResults")) return read_jest(*root);
  if (is_list("examples")) return read_rspec(*root);
  if (is_list("tests") && find_path(*root, "stats") != nullptr) return read_mocha(*root);
  return fail(ErrorCode::invalid_input,
              "this JSON is no test report: expected testResults (Jest, Vitest), examples (RSpec) "
              "or stats and tests (Mocha)");
}

}  // namespace vigil::entities::ci
