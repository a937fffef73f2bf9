#include "entities/codebase/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <iterator>

#include "core/log.hpp"
#include "entities/ci/tool_output.hpp"
#include "entities/codebase/changed_files.hpp"
#include "entities/codebase/command_run.hpp"
#include "entities/codebase/paths.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t tail_bytes = 4000;
constexpr std::size_t errors_max = 20;

// A file the compilers name may be given from the root of our copy.
std::string relative(std::string path, std::string_view root) {
  if (!root.empty() && path.starts_with(root)) path.erase(0, root.size());
  while (path.starts_with("./")) path.erase(0, 2);
  return path;
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

json::object told(const Job& job, JobEnd ended) {
  const auto& end = ended.end;
  const auto& text = ended.text;
  std::vector<Finding> findings;
  const bool ok = end.in_time && end.exit_code == 0;
  if (!ok) {
    findings = errors_in_output(text, job.name, errors_max);
    for (auto& finding : findings) {
      finding.path = relative(std::move(finding.path), ended.tree + "/");
      finding.key = finding_key("command", job.name, finding.path, finding.title);
    }
    const auto errors = findings.size();
    findings.insert(findings.begin(), verdict(job.name, end, errors));
  }
  std::ranges::move(ended.tests.findings, std::back_inserter(findings));
  auto summary = ok ? fmt::format("{} passed", job.name) : findings.front().title;
  if (!ended.tests.summary.empty()) summary += "; " + ended.tests.summary;
  auto out = analysis(std::move(summary), std::move(findings));
  out["command"] = job.name;
  tell_run(ended, out);
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
  if (auto before = passed_before(*job, *look, request.input)) return json::value(*before);
  auto ended = run_job(*job, look->git(), look->head(), request.time_left);
  if (!ended) return std::unexpected(ended.error());
  const bool passed = ended->ok();
  auto out = told(*job, std::move(*ended));
  out["commit"] = look->head();
  if (passed) out["passed_at"] = look->head();
  return json::value(std::move(out));
}

}  // namespace vigil::entities::codebase
