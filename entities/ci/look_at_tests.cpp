#include "entities/ci/look_at_tests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_from.hpp>
#include <fstream>
#include <iterator>
#include <set>
#include <tuple>

#include "core/log.hpp"
#include "entities/ci/fingerprint.hpp"
#include "entities/ci/report_parts.hpp"
#include "entities/ci/sources.hpp"

namespace vigil::entities::ci {
namespace {

using codebase::Finding;
using codebase::Severity;

constexpr std::size_t failed_max = 500;
constexpr std::size_t rows_max = 100;
constexpr std::size_t runs_told_max = 50'000;
constexpr std::size_t message_bytes_max = 300;

struct Reports {
  std::vector<TestCase> failed;  // those outside of any test too
  std::vector<TestCase> passed;  // what a past can be compared with
  Tally sums;
  std::size_t tried_again = 0;
  std::vector<std::string> left_out;
  std::vector<std::string> formats;
};

bool is_bad(const TestCase& test) {
  return test.outcome == Outcome::failed || test.outcome == Outcome::error;
}

std::string name_of(const TestCase& test) {
  if (test.name.empty()) return test.suite;
  return test.suite.empty() ? test.name : test.suite + "::" + test.name;
}

void add_report(Reports& all, TestReport report, const std::string& name) {
  const auto sums = tally(report);
  all.sums.cases += sums.cases;
  all.sums.passed += sums.passed;
  all.sums.failed += sums.failed;
  all.sums.skipped += sums.skipped;
  all.sums.errors += sums.errors;
  if (std::ranges::find(all.formats, report.format) == all.formats.end()) {
    all.formats.push_back(report.format);
  }
  if (report.cut) all.left_out.push_back(fmt::format("{} has too many tests", quoted(name)));
  for (auto* list : {&report.cases, &report.outside}) {
    for (auto& test : *list) {
      all.tried_again += test.outcome == Outcome::passed && test.tries > 1 ? 1 : 0;
      auto& to = is_bad(test) ? all.failed : all.passed;
      to.push_back(std::move(test));
    }
  }
}

Result<Reports> read_reports(const Request& request) {
  auto sources = sources_of(request);
  if (!sources) return std::unexpected(sources.error());
  Reports all;
  all.left_out = std::move(sources->left_out);
  std::optional<Error> first;
  std::size_t read = 0;
  for (const auto& [name, text] : sources->all) {
    auto report = read_test_report(text);
    if (report) {
      ++read;
      add_report(all, std::move(*report), name);
      continue;
    }
    auto why = fmt::format("{}: {}", quoted(name), report.error().message);
    if (!first) first = Error{report.error().code, why};
    all.left_out.push_back(std::move(why));
  }
  if (read == 0 && first) return std::unexpected(*first);
  return all;
}

Finding finding(std::string_view analyser, std::string_view rule, Severity severity,
                const std::string& what, std::string title) {
  Finding out;
  out.analyser = analyser;
  out.rule = rule;
  out.severity = severity;
  out.title = codebase::one_line(title, message_bytes_max);
  out.key = codebase::finding_key(analyser, rule, "", what);
  return out;
}

Finding finding_of_test(const TestCase& test) {
  auto title = name_of(test);
  if (!test.message.empty()) title += fmt::format(": {}", headline_of(test.message));
  const auto rule = test.name.empty() ? "outside" : to_text(test.outcome);
  auto out = finding("ci.tests", rule, Severity::high, name_of(test), std::move(title));
  out.path = test.file;
  out.line = test.line;
  return out;
}

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

json::object to_json(const TestCase& test, const std::string& fingerprint) {
  json::object out{{"test", name_of(test)},
                   {"outcome", to_text(test.outcome)},
                   {"message", codebase::one_line(test.message, message_bytes_max)},
                   {"path", test.file},
                   {"line", test.line},
                   {"fingerprint", fingerprint}};
  if (test.duration) out["seconds"] = seconds_of(*test.duration);
  return out;
}

Result<std::optional<History>> history_of(const Request& request) {
  const auto path = text_at(request.input, "history");
  if (path.empty()) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(ErrorCode::not_found, fmt::format("history: cannot open {}", quoted(path)));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto history = read_history(text);
  if (!history) return std::unexpected(history.error());
  return std::move(*history);
}

std::string told_of(const Judgement& judged) {
  switch (judged.standing) {
    case Standing::flaky:
      return fmt::format("flaky: it fails {:.0f} % of its runs, on {} commits both ways",
                         judged.failure_rate * 100, judged.flaky_commits);
    case Standing::broken:
      if (judged.first_bad && judged.first_bad->last_good.empty()) {
        return fmt::format("broken: never seen to pass, failing since {}",
                           judged.first_bad->first_bad);
      }
      return fmt::format("broken since {}, good on {}", judged.first_bad->first_bad,
                         judged.first_bad->last_good);
    case Standing::suspect:
      return "goes back and forth between commits: flaky, or a fault that returns";
    case Standing::steady:
      return "steady until now";
    case Standing::untested:
      break;
  }
  return "never ran before";
}

// What the past says about this run: an excuse for failures that are flaky, and what got slower.
void add_past(const History& history, const std::string& commit, Reports& all,
              std::vector<Finding>& findings, json::array& failed) {
  for (std::size_t i = 0; i < all.failed.size() && i < failed.size(); ++i) {
    const auto found = history.tests.find(name_of(all.failed[i]));
    auto runs = found == history.tests.end() ? std::vector<TestRun>{} : found->second;
    auto commits = history.commits;
    const auto now = commit.empty() ? "this run" : commit;
    if (std::ranges::find(commits, now) == commits.end()) commits.push_back(now);
    runs.push_back({now, all.failed[i].outcome, all.failed[i].duration, 1});
    const auto judged = judge(runs, commits);
    auto& out = failed[i].as_object();
    out["standing"] = to_text(judged.standing);
    out["past"] = told_of(judged);
    findings[i].hint = told_of(judged);
    if (judged.standing == Standing::flaky) findings[i].severity = Severity::low;
  }
  for (const auto& test : all.passed) {
    const auto found = history.tests.find(name_of(test));
    if (found == history.tests.end() || !test.duration) continue;
    std::vector<Duration> past;
    for (const auto& run : found->second) {
      if (run.outcome == Outcome::passed && run.duration) past.push_back(*run.duration);
    }
    const auto slower = slower_than_before(past, *test.duration);
    if (!slower) continue;
    findings.push_back(finding(
        "ci.tests", "slower", Severity::low, name_of(test),
        fmt::format("{} took {}, {:.1f} times its usual {}", name_of(test),
                    vigil::to_text(slower->now), slower->times, vigil::to_text(slower->median))));
    findings.back().path = test.file;
  }
}

// Many tests that fail for one reason are told as one.
std::string text_of(const Reports& all, const std::vector<Finding>& findings,
                    const std::vector<std::string>& fingerprints, const std::string& summary) {
  std::map<std::string, std::vector<std::size_t>> reasons;
  std::vector<std::string> order;
  for (std::size_t i = 0; i < all.failed.size() && i < findings.size(); ++i) {
    auto& same = reasons[fingerprints[i]];
    if (same.empty()) order.push_back(fingerprints[i]);
    same.push_back(i);
  }
  std::string text;
  std::size_t rows = 0;
  for (const auto& reason : order) {
    if (++rows > rows_max) break;
    const auto& same = reasons[reason];
    const auto& first = findings[same.front()];
    text += fmt::format("{}: {}\n", first.path.empty() ? "FAIL" : codebase::place_of(first),
                        first.title);
    if (!first.hint.empty()) text += fmt::format("    {}\n", first.hint);
    if (same.size() > 1) {
      text += fmt::format("    and {} more for the same reason ({}), such as {}\n", same.size() - 1,
                          reason, name_of(all.failed[same[1]]));
    }
  }
  if (order.size() > rows_max)
    text += fmt::format("and {} more reasons\n", order.size() - rows_max);
  for (auto i = all.failed.size(); i < findings.size(); ++i) text += findings[i].title + "\n";
  return to_valid_utf8(text) + summary + "\n";
}

std::string summary_of(const Reports& all, std::size_t reasons) {
  const auto bad = all.failed.size();
  auto summary = bad == 0 ? fmt::format("{} tests, none failed", all.sums.cases)
                          : fmt::format("{} of {} tests failed", bad, all.sums.cases);
  if (reasons > 0 && reasons < bad)
    summary += fmt::format(", for {} reason{}", reasons, reasons == 1 ? "" : "s");
  if (all.sums.skipped > 0) summary += fmt::format("; {} skipped", all.sums.skipped);
  if (all.tried_again > 0)
    summary += fmt::format("; {} passed only when tried again", all.tried_again);
  if (!all.left_out.empty()) summary += fmt::format("; {} not read", all.left_out.size());
  if (all.sums.cases == 0 && bad == 0) summary = "no tests ran: is that what was meant?";
  return summary;
}

// The runs of these reports as lines of a history, to be kept by whoever asked.
json::array runs_of(const Reports& all, const std::string& commit) {
  json::array runs;
  for (const auto* list : {&all.failed, &all.passed}) {
    for (const auto& test : *list) {
      if (runs.size() >= runs_told_max) return runs;
      if (test.name.empty()) continue;  // it broke outside of any test
      json::object run{
          {"commit", commit}, {"test", name_of(test)}, {"outcome", to_text(test.outcome)}};
      if (test.duration) run["seconds"] = seconds_of(*test.duration);
      if (test.tries > 1) run["tries"] = test.tries;
      runs.emplace_back(std::move(run));
    }
  }
  return runs;
}

}  // namespace

Result<History> read_history(std::string_view text) {
  constexpr std::size_t runs_max = 1'000'000;
  History history;
  std::set<std::string> known;
  std::size_t number = 0;
  while (!text.empty()) {
    const auto line = trimmed(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), text.substr(0, text.find('\n')).size() + 1));
    ++number;
    if (line.empty()) continue;
    const auto refuse = [&](std::string_view what) {
      return fail(ErrorCode::invalid_input, fmt::format("history: line {}: {}", number, what));
    };
    if (number > runs_max) return refuse("too many runs: keep the latest million");
    const auto event = parse_json(line);
    if (!event) return refuse(event.error().message);
    TestRun run;
    run.commit = text_at(*event, "commit");
    const auto test = text_at(*event, "test");
    const auto outcome = text_at(*event, "outcome");
    if (run.commit.empty() || test.empty()) return refuse("expected commit and test");
    if (outcome != "passed" && outcome != "failed" && outcome != "skipped" && outcome != "error") {
      return refuse("outcome: expected passed, failed, skipped or error");
    }
    run.outcome = outcome == "passed"    ? Outcome::passed
                  : outcome == "failed"  ? Outcome::failed
                  : outcome == "skipped" ? Outcome::skipped
                                         : Outcome::error;
    if (const auto seconds = find_number(*event, "seconds")) run.duration = seconds_from(*seconds);
    run.tries = static_cast<int>(
        std::clamp<std::int64_t>(find_integer(*event, "tries").value_or(1), 1, 1000));
    if (known.insert(run.commit).second) history.commits.push_back(run.commit);
    history.tests[test].push_back(std::move(run));
  }
  return history;
}

Result<json::value> look_at_tests(const Request& request) {
  auto all = read_reports(request);
  if (!all) return std::unexpected(all.error());
  auto history = history_of(request);
  if (!history) return std::unexpected(history.error());
  auto changes = changed_lines_of(request);
  if (!changes) return std::unexpected(changes.error());
  std::vector<Finding> findings;
  json::array failed;
  std::set<std::string> reasons;
  std::vector<std::string> fingerprints;
  for (const auto& test : all->failed) {
    findings.push_back(finding_of_test(test));
    fingerprints.push_back(failure_fingerprint(test));
    reasons.insert(fingerprints.back());
    auto row = to_json(test, fingerprints.back());
    if (*changes && !test.file.empty()) {
      const auto placed = (*changes)->place(test.file, test.line);
      row["where"] = to_text(placed.where);
      row["path"] = placed.path;
      findings.back().path = placed.path;
    }
    if (failed.size() < failed_max) failed.emplace_back(std::move(row));
  }
  if (*history) add_past(**history, text_at(request.input, "commit"), *all, findings, failed);
  const auto summary = summary_of(*all, reasons.size());
  const auto text = text_of(*all, findings, fingerprints, summary);
  for (const auto& why : all->left_out) {
    findings.insert(findings.begin(),
                    finding("ci.tests", "not-all-read", Severity::medium, why, why));
  }
  auto out = codebase::analysis(summary, std::move(findings));
  out["tests"] = json::object{{"cases", all->sums.cases},     {"passed", all->sums.passed},
                              {"failed", all->sums.failed},   {"errors", all->sums.errors},
                              {"skipped", all->sums.skipped}, {"tried_again", all->tried_again}};
  out["formats"] = json::value_from(all->formats);
  out["failed"] = std::move(failed);
  if (const auto commit = text_at(request.input, "commit"); !commit.empty()) {
    out["runs"] = runs_of(*all, commit);
  }
  out["text"] = text;
  return json::value(std::move(out));
}

Result<json::value> look_at_history(const Request& request) {
  auto sources = sources_of(request);
  if (!sources) return std::unexpected(sources.error());
  std::string text;
  for (const auto& source : sources->all) text += source.text + "\n";
  auto history = read_history(text);
  if (!history) return std::unexpected(history.error());
  auto commits = history->commits;
  if (const auto* given = find_path(request.input, "commits");
      given != nullptr && given->is_array()) {
    commits.clear();
    for (const auto& commit : given->get_array()) {
      if (commit.is_string()) commits.emplace_back(std::string_view(commit.get_string()));
    }
  }
  std::vector<Finding> findings;
  json::array tests;
  std::map<Standing, std::size_t> sums;
  for (const auto& [name, runs] : history->tests) {
    const auto judged = judge(runs, commits);
    ++sums[judged.standing];
    if (judged.standing == Standing::steady || judged.standing == Standing::untested) continue;
    const auto severity = judged.standing == Standing::broken  ? Severity::high
                          : judged.standing == Standing::flaky ? Severity::medium
                                                               : Severity::low;
    findings.push_back(finding("ci.flaky", to_text(judged.standing), severity, name,
                               fmt::format("{}: {}", name, told_of(judged))));
    json::object row{{"test", name},
                     {"standing", to_text(judged.standing)},
                     {"runs", judged.runs},
                     {"failures", judged.failures},
                     {"failure_rate", judged.failure_rate}};
    if (judged.first_bad) {
      row["last_good"] = judged.first_bad->last_good;
      row["first_bad"] = judged.first_bad->first_bad;
      row["between"] = json::value_from(judged.first_bad->between);
    }
    if (tests.size() < failed_max) tests.emplace_back(std::move(row));
  }
  std::ranges::sort(findings, [](const Finding& a, const Finding& b) {
    return std::tie(b.severity, a.title) < std::tie(a.severity, b.title);
  });
  auto out =
      codebase::analysis(fmt::format("{} tests on {} commits: {} broken, {} flaky, {} suspect",
                                     history->tests.size(), commits.size(), sums[Standing::broken],
                                     sums[Standing::flaky], sums[Standing::suspect]),
                         std::move(findings));
  out["tests"] = std::move(tests);
  return json::value(std::move(out));
}

}  // namespace vigil::entities::ci
