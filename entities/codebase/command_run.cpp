#include "entities/codebase/command_run.hpp"

#include <fmt/format.h>
#include <re2/re2.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "core/log.hpp"
#include "entities/ci/fingerprint.hpp"
#include "entities/ci/tool_output.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {
namespace {

namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;

constexpr std::size_t output_bytes_max = 4 * 1024 * 1024;
constexpr std::size_t errors_told_max = 3;  // of a compiler, in a fingerprint
constexpr std::size_t last_lines_max = 3;
constexpr Duration to_spare =
    std::chrono::seconds{2};  // for telling the result before the deadline

std::string environment_value(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
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

// The index is private too: nothing of the clone is written.
Result<void> copy_tree(const Git& git, const std::string& commit, const std::string& folder) {
  const std::vector<std::string> there{"GIT_INDEX_FILE=" + folder + ".index",
                                       "GIT_WORK_TREE=" + folder};
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return fail(ErrorCode::unavailable,
                fmt::format("cannot make {}: {}", vigil::quoted(folder), error.message()));
  }
  auto read = git.run_with(there, {"read-tree", commit});
  if (!read) return std::unexpected(read.error());
  auto written = git.run_with(there, {"checkout-index", "--all", "--force", "--quiet"});
  if (!written) return std::unexpected(written.error());
  return {};
}

Errand errand_of(const Job& job, const std::string& tree, std::optional<Duration> time_left) {
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
  if (time_left) errand.timeout = std::max(*time_left - to_spare, *time_left / 2);
  return errand;
}

// Under the daemon the whole work directory goes anyway.
class Tree {
 public:
  explicit Tree(const std::string& commit)
      : folder_((fs::temp_directory_path() /
                 fmt::format("vigil-tree-{}-{}", ::getpid(), commit.substr(0, 12)))
                    .string()) {}
  ~Tree() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    fs::remove(folder_ + ".index", ignored);
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

std::vector<std::string> last_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < last_lines_max) {
    const auto from = text.rfind('\n');
    const auto line = text.substr(from == std::string_view::npos ? 0 : from + 1);
    text = from == std::string_view::npos ? std::string_view{} : text.substr(0, from);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
      lines.insert(lines.begin(), std::string(line));
    }
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const auto& line : lines) all += line + "\n";
  return all;
}

}  // namespace

bool JobEnd::ok() const {
  const auto* failing = tests.numbers.if_contains("failing");
  const bool fails = failing != nullptr && failing->is_array() && !failing->get_array().empty();
  return end.in_time && end.exit_code == 0 && !fails;
}

Result<Job> job_of(const json::value& input) {
  Job job{std::string(find_text(input, "name").value_or("command")), texts_of(input, "argv"),
          texts_of(input, "paths"), texts_of(input, "reports")};
  if (job.argv.empty()) job.argv = texts_of(input, "files");
  if (job.argv.empty() || job.argv.front().empty()) {
    return fail(ErrorCode::invalid_input, "input.argv is missing: the program and its arguments");
  }
  return job;
}

Result<JobEnd> run_job(const Job& job, const Git& git, const std::string& commit,
                       std::optional<Duration> time_left) {
  const Tree tree(commit);
  if (auto copied = copy_tree(git, commit, tree.folder()); !copied) {
    return std::unexpected(copied.error());
  }
  JobEnd ended;
  ended.tree = tree.folder();
  const auto began = Steady::now();
  auto end = run_errand(errand_of(job, tree.folder(), time_left));
  ended.took = std::chrono::duration_cast<Duration>(Steady::now() - began);
  if (!end) {
    const auto code =
        end.error().code == ErrorCode::not_found ? ErrorCode::invalid_input : end.error().code;
    return fail(code, end.error().message + "; is it installed, and is argv right?");
  }
  ended.end = std::move(*end);
  ended.text = without_colours(ended.end.output);
  if (!job.reports.empty()) {
    ended.tests = read_reports(tree.folder(), job.reports, job.name);
    ended.has_report = !ended.tests.numbers.empty();
  }
  return ended;
}

Failure failure_of(const JobEnd& ended) {
  std::vector<std::string> said;
  for (const auto& issue : ci::read_tool_output(ended.text).issues) {
    if (said.size() >= errors_told_max) break;
    if (issue.level == ci::Level::error) said.push_back(issue.message);
  }
  const auto lines = said.empty() ? last_lines(ended.text) : said;
  // The exit code is a part of it only when nothing else was said.
  const auto words =
      lines.empty() ? fmt::format("exit code {}, signal {}", ended.end.exit_code, ended.end.signal)
                    : joined(lines);
  return {ci::failure_fingerprint(words, ""),
          one_line(said.empty() && !lines.empty() ? lines.back() : words, 200)};
}

void tell_run(const JobEnd& ended, json::object& out) {
  out["exit_code"] = ended.end.exit_code;
  out["in_time"] = ended.end.in_time;
  out["ok"] = ended.ok();
  out["seconds"] = std::chrono::duration<double>(ended.took).count();
  if (!ended.tests.numbers.empty()) out["tests"] = ended.tests.numbers;
  if (ended.ok()) return;
  const auto failure = failure_of(ended);
  out["failure"] =
      json::object{{"fingerprint", failure.fingerprint}, {"headline", failure.headline}};
}

std::string without_colours(std::string_view text) {
  static const RE2 colours("\x1b\\[[0-9;?]*[A-Za-z]|\x1b\\][^\x07]*\x07|\r");
  std::string plain(text);
  RE2::GlobalReplace(&plain, colours, "");
  return plain;
}

}  // namespace vigil::entities::codebase
