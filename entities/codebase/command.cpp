#include "entities/codebase/command.hpp"

#include <fmt/format.h>
#include <re2/re2.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdlib>
#include <filesystem>
#include <iterator>

#include "core/log.hpp"
#include "entities/ci/tool_output.hpp"
#include "entities/codebase/changed_files.hpp"
#include "entities/codebase/command_reports.hpp"
#include "entities/codebase/paths.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t output_bytes_max = 4 * 1024 * 1024;
constexpr std::size_t tail_bytes = 4000;
constexpr std::size_t errors_max = 20;
constexpr Duration to_spare =
    std::chrono::seconds{2};  // for telling the result before the deadline

std::string environment_value(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

// A file the compilers name may be given from the root of our copy.
std::string relative(std::string path, std::string_view root) {
  if (!root.empty() && path.starts_with(root)) path.erase(0, root.size());
  while (path.starts_with("./")) path.erase(0, 2);
  return path;
}

std::vector<std::string> texts_of(const json::value& input, std::string_view key) {
  std::vector<std::string> all;
  const auto* found = find_path(input, key);
  if (found == nullptr || !found->is_array()) return all;
  for (const auto& item : found->get_array()) {
    if (item.is_string()) all.emplace_back(std::string_view(item.get_string()));
  }
  return all;
}

// The tree of a commit in a folder that is ours. The index is private too: nothing of the clone is
// written.
Result<void> copy_tree(const Look& look, const std::string& folder) {
  const std::vector<std::string> there{"GIT_INDEX_FILE=" + folder + ".index",
                                       "GIT_WORK_TREE=" + folder};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return fail(ErrorCode::unavailable,
                fmt::format("cannot make {}: {}", vigil::quoted(folder), error.message()));
  }
  auto read = look.git().run_with(there, {"read-tree", look.head()});
  if (!read) return std::unexpected(read.error());
  auto written = look.git().run_with(there, {"checkout-index", "--all", "--force", "--quiet"});
  if (!written) return std::unexpected(written.error());
  return {};
}

Finding verdict(std::string_view name, const ErrandEnd& end, std::size_t errors) {
  Finding finding;
  finding.analyser = "command";
  finding.rule = name;
  finding.severity = Severity::high;
  if (!end.in_time) {
    finding.title = fmt::format("{} did not end in its time", name);
    finding.hint = "see whether it hangs, or give it a longer timeout";
  } else if (end.signal != 0) {
    finding.title = fmt::format("{} was ended by signal {}", name, end.signal);
  } else {
    finding.title = fmt::format("{} failed with exit code {}", name, end.exit_code);
    if (errors > 0) finding.title += fmt::format(" and {} errors", errors);
  }
  finding.key = finding_key("command", name, "", end.in_time ? "failed" : "timeout");
  return finding;
}

struct Job {
  std::string name;
  std::vector<std::string> argv;
  std::vector<std::string> paths;
  std::vector<std::string> reports;
};

Result<Job> job_of(const json::value& input) {
  Job job{std::string(find_text(input, "name").value_or("command")), texts_of(input, "argv"),
          texts_of(input, "paths"), texts_of(input, "reports")};
  if (job.argv.empty() || job.argv.front().empty()) {
    return fail(ErrorCode::invalid_input, "input.argv is missing: the program and its arguments");
  }
  return job;
}

Errand errand_of(const Job& job, const std::string& tree, const Request& request) {
  Errand errand;
  errand.argv = job.argv;
  errand.folder = tree;
  errand.join_errors = true;
  errand.output_bytes_max = output_bytes_max;
  const auto home = environment_value("HOME", "/nonexistent");
  errand.environment = {"PATH=" + environment_value("PATH", "/usr/local/bin:/usr/bin:/bin"),
                        "HOME=" + home,
                        "TMPDIR=" + environment_value("TMPDIR", "/tmp"),
                        "LANG=C.UTF-8",
                        "CI=true",
                        "NO_COLOR=1",
                        "TERM=dumb"};
  if (request.time_left) {
    errand.timeout = std::max(*request.time_left - to_spare, *request.time_left / 2);
  }
  return errand;
}

json::object told(const Job& job, const ErrandEnd& end, const std::string& tree, TestsTold tests) {
  const auto text = without_colours(end.output);
  std::vector<Finding> findings;
  const bool ok = end.in_time && end.exit_code == 0;
  if (!ok) {
    findings = errors_in_output(text, job.name, errors_max);
    for (auto& finding : findings) {
      finding.path = relative(std::move(finding.path), tree + "/");
      finding.key = finding_key("command", job.name, finding.path, finding.title);
    }
    const auto errors = findings.size();
    findings.insert(findings.begin(), verdict(job.name, end, errors));
  }
  std::ranges::move(tests.findings, std::back_inserter(findings));
  auto summary = ok ? fmt::format("{} passed", job.name) : findings.front().title;
  if (!tests.summary.empty()) summary += "; " + tests.summary;
  auto out = analysis(std::move(summary), std::move(findings));
  if (!tests.numbers.empty()) out["tests"] = std::move(tests.numbers);
  out["exit_code"] = end.exit_code;
  const auto tail = text.size() > tail_bytes ? text.substr(text.size() - tail_bytes) : text;
  out["output"] = to_valid_utf8(tail);
  return out;
}

// It passed at an earlier commit, and nothing that it looks at is different now.
std::optional<json::object> passed_before(const Job& job, const Look& look,
                                          const json::value& input) {
  const auto at = find_text(input, "passed_at").value_or("");
  if (!is_hash(at)) return std::nullopt;
  auto names = look.git().run({"diff", "--name-only", "-z", "--no-renames", "--end-of-options",
                               std::string(at), look.head()});
  if (!names || names->size() >= Git::output_bytes_max) return std::nullopt;
  for (const auto& path : split_fields(*names)) {
    if (job.paths.empty() || matches_any(job.paths, path)) return std::nullopt;
  }
  auto out = analysis(fmt::format("{} passed at {}, and nothing it looks at changed since",
                                  job.name, at.substr(0, 9)),
                      {});
  out["passed_at"] = at;
  return out;
}

}  // namespace

std::string without_colours(std::string_view text) {
  static const RE2 colours("\x1b\\[[0-9;?]*[A-Za-z]|\x1b\\][^\x07]*\x07|\r");
  std::string plain(text);
  RE2::GlobalReplace(&plain, colours, "");
  return plain;
}

std::vector<Finding> errors_in_output(std::string_view output, std::string_view command,
                                      std::size_t most) {
  std::vector<Finding> out;
  for (const auto& issue : ci::read_tool_output(output).issues) {
    if (out.size() >= most) break;
    // What is said of no file is said by the command's own failure.
    if (issue.path.empty() || issue.level == ci::Level::note || issue.level == ci::Level::none) {
      continue;
    }
    Finding finding;
    finding.analyser = "command";
    finding.rule = command;
    finding.severity = issue.level == ci::Level::error ? Severity::medium : Severity::low;
    finding.path = issue.path;
    finding.line = issue.line;
    finding.title = one_line(issue.message, 200);
    finding.key = finding_key("command", command, finding.path, issue.message);
    out.push_back(std::move(finding));
  }
  return out;
}

Result<json::value> run_command(const Request& request) {
  auto job = job_of(request.input);
  if (!job) return std::unexpected(job.error());
  auto look = Look::at(request);
  if (!look) return std::unexpected(look.error());
  const auto paths = look->paths();
  const auto wanted = [&](const std::string& path) { return matches_any(job->paths, path); };
  if (!job->paths.empty() && std::ranges::none_of(paths, wanted)) {
    auto out =
        analysis(fmt::format("{} was not needed: no path it looks at changed", job->name), {});
    return json::value(std::move(out));
  }
  if (auto passed = passed_before(*job, *look, request.input)) return json::value(*passed);
  auto folder = std::filesystem::temp_directory_path() / fmt::format("vigil-tree-{}", ::getpid());
  auto copied = copy_tree(*look, folder.string());
  std::optional<Result<ErrandEnd>> end;
  if (copied) end = run_errand(errand_of(*job, folder.string(), request));
  TestsTold tests;
  if (end && *end && !job->reports.empty()) {
    tests = read_reports(folder.string(), job->reports, job->name);
  }
  std::error_code ignored;  // under the daemon the whole work directory goes anyway
  std::filesystem::remove_all(folder, ignored);
  std::filesystem::remove(folder.string() + ".index", ignored);
  if (!copied) return std::unexpected(copied.error());
  if (!*end) {
    const auto& error = end->error();
    const auto code = error.code == ErrorCode::not_found ? ErrorCode::invalid_input : error.code;
    return fail(code, error.message + "; is it installed, and is argv right?");
  }
  auto out = told(*job, **end, folder.string(), std::move(tests));
  if (find_integer(json::value(out), "exit_code") == 0 && (*end)->in_time) {
    out["passed_at"] = look->head();
  }
  return json::value(std::move(out));
}

}  // namespace vigil::entities::codebase
