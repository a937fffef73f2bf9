#include "entities/codebase/command_reports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "entities/ci/fingerprint.hpp"
#include "entities/ci/test_report.hpp"
#include "entities/codebase/paths.hpp"

namespace vigil::entities::codebase {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 200'000;  // of a tree that a build filled
constexpr std::size_t reports_max = 500;
constexpr std::size_t failing_max = 200;
constexpr std::size_t slow_max = 20;

struct Found {
  std::vector<std::string> paths;  // relative, sorted
  bool cut = false;
};

Found find_reports(const fs::path& tree, const std::vector<std::string>& patterns) {
  Found found;
  std::size_t seen = 0;
  std::error_code error;
  auto at =
      fs::recursive_directory_iterator(tree, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (++seen > files_max || found.paths.size() >= reports_max) {
      found.cut = true;
      break;
    }
    // A link could lead out of the copy.
    if (at->is_symlink(error) || !at->is_regular_file(error)) continue;
    auto path = at->path().lexically_relative(tree).string();
    if (matches_any(patterns, path)) found.paths.push_back(std::move(path));
  }
  std::ranges::sort(found.paths);
  return found;
}

Finding finding_about(const std::string& command, std::string rule, std::string path,
                      std::string title, std::string hint) {
  Finding finding;
  finding.analyser = "command";
  finding.rule = std::move(rule);
  finding.severity = Severity::medium;
  finding.path = std::move(path);
  finding.title = std::move(title);
  finding.hint = std::move(hint);
  finding.key = finding_key("command", command + " " + finding.rule, finding.path, finding.title);
  return finding;
}

Result<ci::TestReport> read_report(const fs::path& path) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error || bytes > ci::report_bytes_max) {
    return fail(ErrorCode::too_large, error ? error.message() : "it is too large to be read");
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return ci::read_test_report(text);
}

bool is_bad(const ci::TestCase& test) {
  return test.outcome == ci::Outcome::failed || test.outcome == ci::Outcome::error;
}

std::string full_name(const ci::TestCase& test) {
  return test.suite.empty() ? test.name : fmt::format("{} {}", test.suite, test.name);
}

// Failed, and passed when it was tried again in the same run.
bool is_unsteady(const ci::TestCase& test) {
  return test.outcome == ci::Outcome::passed && test.tries > 1;
}

// The tests that take longest: their times are worth remembering.
struct Slowest {
  std::multimap<Duration, std::string> tests;

  void take(const ci::TestCase& test) {
    if (!test.duration || test.name.empty()) return;
    tests.emplace(*test.duration, to_valid_utf8(full_name(test)));
    if (tests.size() > slow_max) tests.erase(tests.begin());
  }
  json::object to_json() const {
    json::object out;
    for (const auto& [took, name] : tests) out[name] = std::chrono::duration<double>(took).count();
    return out;
  }
};

// Where in the tree, if what the report says is there.
void place(Finding& finding, const ci::TestCase& test, const fs::path& tree) {
  auto file = test.file;
  int line = test.line;
  if (file.empty()) {
    if (const auto in_stack = ci::place_in_stack(test.stack, test.suite)) {
      file = in_stack->file;
      line = in_stack->line;
    }
  }
  if (file.starts_with(tree.string() + "/")) file.erase(0, tree.string().size() + 1);
  while (file.starts_with("./")) file.erase(0, 2);
  const fs::path relative = fs::path(file).lexically_normal();
  std::error_code error;
  const bool is_inside =
      !file.empty() && relative.is_relative() && !relative.string().starts_with("..");
  if (!is_inside || !fs::is_regular_file(tree / relative, error)) return;
  finding.path = relative.string();
  finding.line = line;
}

Finding finding_of(const ci::TestCase& test, const std::string& command, const fs::path& tree) {
  Finding finding;
  finding.analyser = "command";
  finding.rule = command;
  finding.severity = Severity::high;
  place(finding, test, tree);
  const auto name = one_line(full_name(test), 160);
  const auto why = one_line(test.message, 200);
  finding.title =
      fmt::format("{} {}{}{}", name, test.outcome == ci::Outcome::error ? "broke" : "failed",
                  why.empty() ? "" : ": ", why);
  finding.key = finding_key("command", command, finding.path, full_name(test));
  return finding;
}

}  // namespace

TestsTold read_reports(const std::string& tree, const std::vector<std::string>& reports,
                       const std::string& command) {
  TestsTold told;
  const auto found = find_reports(tree, reports);
  if (found.paths.empty()) {
    told.findings.push_back(
        finding_about(command, "no-report", "", fmt::format("{} left no test report", command),
                      "see whether it ran its tests, and whether `reports` names where it writes"));
    return told;
  }
  ci::Tally sum;
  json::array failing;
  json::array flaky;
  Slowest slow;
  for (const auto& path : found.paths) {
    const auto report = read_report(fs::path(tree) / path);
    if (!report) {
      told.findings.push_back(
          finding_about(command, "report-not-read", path,
                        fmt::format("{} is no test report that can be read: {}", path,
                                    one_line(report.error().message, 200)),
                        "let `reports` name reports only"));
      continue;
    }
    const auto one = ci::tally(*report);
    sum.cases += one.cases;
    sum.passed += one.passed;
    sum.failed += one.failed;
    sum.skipped += one.skipped;
    sum.errors += one.errors;
    for (const auto* list : {&report->cases, &report->outside}) {
      for (const auto& test : *list) {
        if (is_unsteady(test) && flaky.size() < failing_max) {
          flaky.emplace_back(to_valid_utf8(full_name(test)));
        }
        if (test.outcome == ci::Outcome::passed) slow.take(test);
        if (!is_bad(test) || failing.size() >= failing_max) continue;
        auto finding = finding_of(test, command, tree);
        failing.push_back(json::object{{"test", to_valid_utf8(full_name(test))},
                                       {"fingerprint", ci::failure_fingerprint(test)},
                                       {"key", finding.key}});
        told.findings.push_back(std::move(finding));
      }
    }
  }
  const auto bad = sum.failed + sum.errors;
  told.summary = bad == 0 ? fmt::format("all of {} tests passed", sum.cases - sum.skipped)
                          : fmt::format("{} of {} tests failed", bad, sum.cases - sum.skipped);
  if (sum.skipped > 0) told.summary += fmt::format(", {} skipped", sum.skipped);
  if (found.cut) told.summary += "; not all reports were read";
  told.numbers = {{"cases", sum.cases},   {"passed", sum.passed},
                  {"failed", sum.failed}, {"skipped", sum.skipped},
                  {"errors", sum.errors}, {"failing", std::move(failing)}};
  if (!flaky.empty()) told.numbers["flaky"] = std::move(flaky);
  if (!slow.tests.empty()) told.numbers["slow"] = slow.to_json();
  return told;
}

}  // namespace vigil::entities::codebase
