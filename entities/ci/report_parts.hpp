#pragma once
// What the readers of test reports share. Private to this folder; any thread.
#include <string>
#include <string_view>

#include "core/json.hpp"
#include "entities/ci/test_report.hpp"

namespace vigil::entities::ci {

// Collects cases within the limits, and gives their texts a bound and valid UTF-8.
class ReportBuilder {
 public:
  explicit ReportBuilder(std::string_view format) { report_.format = format; }

  void add(TestCase test);
  void add_outside(TestCase broken);
  void pass_over_line() { ++report_.lines_passed_over; }
  void cut() { report_.cut = true; }
  bool full() const { return report_.cases.size() >= cases_max || text_bytes_ > text_bytes_max; }
  TestReport take() { return std::move(report_); }

 private:
  static constexpr std::size_t text_bytes_max = 64 * 1024 * 1024;
  void bound(TestCase& test);

  TestReport report_;
  std::size_t text_bytes_ = 0;
};

// "12", "1,234.5", "0.01": seconds.
std::optional<Duration> seconds_from(std::string_view text);
std::optional<Duration> seconds_from(double seconds);
std::optional<double> find_number(const json::value& root, std::string_view path);
std::string text_at(const json::value& root, std::string_view path);

std::string_view first_line_of(std::string_view text);  // the first that is not blank, trimmed
std::string_view trimmed(std::string_view text);
// The first line, with the next where the first only announces it: "AssertionError:" says nothing.
std::string headline_of(std::string_view text);
// Takes the next line off. XML attributes lose line ends: a frame of Java then begins at its tab.
std::string_view take_stack_line(std::string_view& text);

Result<TestReport> read_xml_report(std::string_view text);
Result<TestReport> read_json_report(std::string_view text);  // one JSON document
Result<TestReport> read_go_report(std::string_view text);    // a stream of lines
Result<TestReport> read_dart_report(std::string_view text);

}  // namespace vigil::entities::ci
