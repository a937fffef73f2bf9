#pragma once
// Reports of test runners, read into one form. The format is found by looking at the content: no
// name of a file is believed. Counts that a report states are not believed either: cases are
// counted. Pure; any thread; memory is bounded by the limits below.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/time.hpp"

namespace vigil::entities::ci {

enum class Outcome { passed, failed, skipped, error };
std::string_view to_text(Outcome outcome);

struct TestCase {
  std::string suite;  // the class, package or file it belongs to
  std::string name;
  Outcome outcome = Outcome::passed;
  std::optional<Duration> duration;
  std::string message;  // why it failed or was skipped, one line or few
  std::string stack;    // all that was said about the failure
  std::string file;     // as the report spells it; empty: not known
  int line = 0;
  int tries = 1;  // more than one: it failed first and was run again in the same run
};

struct TestReport {
  std::string format;  // junit, trx, xunit, nunit, jest, mocha, rspec, dart, go
  std::vector<TestCase> cases;
  // What broke outside of any test: a suite that did not compile, a package that exited.
  std::vector<TestCase> outside;
  std::size_t lines_passed_over = 0;  // of a stream of JSON lines: those that were none
  bool cut = false;                   // more cases, or deeper ones, than are read
};

struct Tally {
  std::size_t cases = 0;
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
  std::size_t errors = 0;
};
Tally tally(const TestReport& report);

constexpr std::size_t report_bytes_max = 128 * 1024 * 1024;
constexpr std::size_t cases_max = 200'000;

// An error says what the text looks like instead, and which formats are read.
Result<TestReport> read_test_report(std::string_view text);

// The place in the code that a failure's text points at: of a stack the frame nearest to the test.
struct CodePlace {
  std::string file;
  int line = 0;
};
std::optional<CodePlace> place_in_stack(std::string_view stack, std::string_view suite);

}  // namespace vigil::entities::ci
