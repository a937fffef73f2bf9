#include <array>
#include <string>

#include "entities/ci/sarif.hpp"
#include "entities/ci/test_report.hpp"
#include "entities/ci/tool_output.hpp"
#include "entities/codebase/diff.hpp"
#include "entities/deps/lockfile.hpp"
#include "entities/logs/record.hpp"
#include "entities/ops/metrics_text.hpp"
#include "tests/fuzz/target.hpp"

namespace vigil::fuzz {
namespace {

using namespace entities;

void diff(std::string_view bytes) {
  const auto read = codebase::parse_diff(bytes);
  for (const auto& file : read.files) {
    for (const auto& line : file.added) must(line.number > 0, "an added line has a number");
  }
}

// The first line chooses the format.
void lockfile(std::string_view bytes) {
  const auto [name, text] = halves_of(bytes);
  const auto formats = deps::lock_formats();
  const auto which = name.empty() ? 0 : static_cast<unsigned char>(name[0]) % formats.size();
  (void)deps::read_lockfile("fuzzed", text, formats[which].name);
  (void)deps::read_lockfile(name, text);
}

void report(std::string_view bytes) {
  if (const auto read = ci::read_test_report(bytes)) {
    const auto counts = ci::tally(*read);
    must(counts.cases == read->cases.size(), "each case is counted once");
  }
  (void)ci::read_sarif(bytes);
}

void tool_output(std::string_view bytes) { (void)ci::read_tool_output(bytes); }

void logs(std::string_view bytes) {
  constexpr TimePoint now{std::chrono::microseconds{1'790'000'000'000'000}};
  while (!bytes.empty()) {
    const auto [line, rest] = halves_of(bytes);
    (void)logs::read_record(line, now);
    bytes = rest;
  }
}

void metrics(std::string_view bytes) {
  (void)ops::parse_openmetrics(bytes);
  (void)ops::parse_prometheus_text(bytes);
}

constexpr std::array table{
    Target{"diff", "diffs", diff},
    Target{"lockfile", "deps/lockfiles", lockfile},
    Target{"report", "ci/test-reports ci/sarif", report},
    Target{"tool-output", "ci/tool-output", tool_output},
    Target{"logs", "logs/fail2ban", logs},
    Target{"metrics", "metrics", metrics},
};

}  // namespace

std::span<const Target> reader_targets() { return table; }

}  // namespace vigil::fuzz
