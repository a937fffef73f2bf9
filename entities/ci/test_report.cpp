#include "entities/ci/test_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/log.hpp"
#include "entities/ci/report_parts.hpp"

namespace vigil::entities::ci {
namespace {

constexpr std::size_t name_bytes_max = 1000;
constexpr std::size_t message_bytes_max = 2000;
constexpr std::size_t stack_bytes_max = 16 * 1024;
constexpr std::size_t outside_max = 1000;
constexpr double seconds_max = 1e9;

constexpr std::string_view readable =
    "JUnit XML, TRX, xUnit, NUnit, Jest, Mocha, RSpec and Dart JSON, and go test -json are read";

void shorten(std::string& text, std::size_t bytes_max) {
  if (text.size() > bytes_max) text.resize(bytes_max);
  text = to_valid_utf8(text);
}

// Streams tell by their first line that is JSON; runners like to print before they begin.
enum class Stream { none, go, dart };
Stream stream_of(std::string_view text) {
  constexpr int lines_max = 200;
  for (int line_number = 0; line_number < lines_max && !text.empty(); ++line_number) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!trimmed(line).starts_with('{')) continue;
    const auto event = parse_json(trimmed(line));
    if (!event) continue;
    if (find_text(*event, "Action")) return Stream::go;
    if (find_path(*event, "protocolVersion") != nullptr || find_text(*event, "type")) {
      return Stream::dart;
    }
  }
  return Stream::none;
}

}  // namespace

std::string_view to_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "passed";
    case Outcome::failed:
      return "failed";
    case Outcome::skipped:
      return "skipped";
    case Outcome::error:
      return "error";
  }
  return "error";
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n\v\f";
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string_view first_line_of(std::string_view text) {
  text = trimmed(text);
  return trimmed(text.substr(0, text.find('\n')));
}

std::string headline_of(std::string_view text) {
  text = trimmed(text);
  const auto first = first_line_of(text);
  if (!first.ends_with(':')) return std::string(first);
  const auto next = first_line_of(text.substr(first.size()));
  return next.empty() ? std::string(first) : fmt::format("{} {}", first, next);
}

std::string_view take_stack_line(std::string_view& text) {
  auto end = text.find('\n');
  end = std::min(end, text.find("\tat ", 1));
  const auto line = text.substr(0, end);
  const bool at_line_end = end < text.size() && text[end] == '\n';
  text.remove_prefix(std::min(text.size(), line.size() + (at_line_end ? 1 : 0)));
  return line;
}

std::optional<Duration> seconds_from(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > seconds_max) return std::nullopt;
  return std::chrono::round<Duration>(std::chrono::duration<double>(seconds));
}

std::optional<Duration> seconds_from(std::string_view text) {
  std::string digits(text.substr(0, 40));
  std::erase(digits, ',');  // Maven writes thousands with a comma
  char* end = nullptr;
  const double value = std::strtod(digits.c_str(), &end);
  if (end == digits.c_str()) return std::nullopt;
  return seconds_from(value);
}

std::optional<double> find_number(const json::value& root, std::string_view path) {
  const auto* found = find_path(root, path);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

std::string text_at(const json::value& root, std::string_view path) {
  return std::string(find_text(root, path).value_or(""));
}

void ReportBuilder::bound(TestCase& test) {
  const bool wrong = test.outcome == Outcome::failed || test.outcome == Outcome::error;
  // PHPUnit begins a failure's text with the name of the test.
  const bool repeats = !test.name.empty() &&
                       (test.message == test.name || test.message == test.suite + "::" + test.name);
  if (repeats) {
    const auto rest = trimmed(test.stack);
    test.message = rest.starts_with(test.message) ? headline_of(rest.substr(test.message.size()))
                                                  : test.message;
  }
  if (test.message.empty()) test.message = headline_of(test.stack);
  if (wrong && test.file.empty()) {
    auto place = place_in_stack(test.stack, test.suite);
    if (!place) place = place_in_stack(test.message, test.suite);
    if (place) {
      test.file = std::move(place->file);
      test.line = place->line;
    }
  }
  shorten(test.suite, name_bytes_max);
  shorten(test.name, name_bytes_max);
  shorten(test.file, name_bytes_max);
  shorten(test.message, message_bytes_max);
  shorten(test.stack, stack_bytes_max);
  text_bytes_ += test.suite.size() + test.name.size() + test.message.size() + test.stack.size();
}

void ReportBuilder::add(TestCase test) {
  if (full()) return cut();
  bound(test);
  report_.cases.push_back(std::move(test));
}

void ReportBuilder::add_outside(TestCase broken) {
  if (report_.outside.size() >= outside_max) return cut();
  broken.outcome = Outcome::error;
  bound(broken);
  report_.outside.push_back(std::move(broken));
}

Tally tally(const TestReport& report) {
  Tally sums;
  sums.cases = report.cases.size();
  for (const auto& test : report.cases) {
    sums.passed += test.outcome == Outcome::passed ? 1 : 0;
    sums.failed += test.outcome == Outcome::failed ? 1 : 0;
    sums.skipped += test.outcome == Outcome::skipped ? 1 : 0;
    sums.errors += test.outcome == Outcome::error ? 1 : 0;
  }
  return sums;
}

Result<TestReport> read_test_report(std::string_view text) {
  if (text.size() > report_bytes_max) {
    return fail(ErrorCode::too_large, fmt::format("the report has {} MiB, up to {} are read",
                                                  text.size() >> 20, report_bytes_max >> 20));
  }
  const bool wide = text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const auto body = trimmed(text);
  if (body.empty()) return fail(ErrorCode::invalid_input, "the report is empty: did the run end?");
  if (wide) return read_xml_report(text);
  if (body.starts_with('<')) return read_xml_report(body);
  switch (stream_of(body)) {
    case Stream::go:
      return read_go_report(body);
    case Stream::dart:
      return read_dart_report(body);
    case Stream::none:
      break;
  }
  if (body.starts_with('{') || body.starts_with('[')) return read_json_report(body);
  return fail(ErrorCode::invalid_input,
              fmt::format("no test report begins with {}: {}",
                          quoted(to_valid_utf8(body.substr(0, 40))), readable));
}

}  // namespace vigil::entities::ci
