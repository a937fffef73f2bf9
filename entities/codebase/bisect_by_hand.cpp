// codebase.history names the commits of a search for the first bad one; codebase.bisect is such a
// search by hand, all of its rounds in one process.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <thread>

#include "core/log.hpp"
#include "entities/codebase/command_run.hpp"
#include "entities/codebase/finding.hpp"
#include "entities/codebase/search.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::int64_t commits_default = 1000;
constexpr std::int64_t commits_most = 5000;
constexpr std::int64_t width_most = 64;

struct Line {
  std::vector<std::string> commits;  // oldest first, the bad one last
  std::string good;                  // the commit before them; empty: there is none
  bool good_known = false;
  bool cut = false;
};

// Along first parents: a merge counts as the change that it brought.
Result<Line> line_of(const Git& git, const std::string& good, const std::string& bad,
                     std::int64_t commits_max) {
  Line line;
  std::string from = good;
  if (!good.empty()) {
    auto base = git.run({"merge-base", good, bad});
    from = base ? base->substr(0, base->find('\n')) : std::string();
    line.good_known = from == good;
  }
  std::vector<std::string> arguments{"rev-list", "--first-parent",
                                     fmt::format("--max-count={}", commits_max + 1),
                                     "--end-of-options", bad};
  if (!from.empty()) arguments.push_back("^" + from);
  auto listed = git.run(std::move(arguments));
  if (!listed) return std::unexpected(listed.error());
  std::string_view text = *listed;
  while (!text.empty()) {
    const auto end = text.find('\n');
    line.commits.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  line.cut = line.commits.size() > static_cast<std::size_t>(commits_max);
  line.good = from;
  if (line.cut) {
    line.good = line.commits.back();
    line.good_known = false;
    line.commits.pop_back();
  }
  std::ranges::reverse(line.commits);
  return line;
}

Result<json::object> history_of(const Git& git, const json::value& input) {
  if (auto checked = git.check(); !checked) return std::unexpected(checked.error());
  const auto commit_at = [&](std::string_view key,
                             std::string_view otherwise) -> Result<std::string> {
    const auto name = find_text(input, key).value_or(otherwise);
    if (name.empty()) return std::string();
    if (auto found = git.commit_of(name)) return *found;
    return fail(ErrorCode::invalid_input, fmt::format("{}: {} is no commit of {}", key,
                                                      quoted(name), quoted(git.repository())));
  };
  const auto bad = commit_at("bad", "HEAD");
  if (!bad) return std::unexpected(bad.error());
  auto good = commit_at("good", "");
  // What was good once may be gone after a forced push.
  if (!good && find_bool(input, "good_may_be_gone").value_or(false)) good = std::string();
  if (!good) return std::unexpected(good.error());
  const auto most = std::clamp(find_integer(input, "commits_max").value_or(commits_default),
                               std::int64_t{1}, commits_most);
  auto line = line_of(git, *good, *bad, most);
  if (!line) return std::unexpected(line.error());
  json::array candidates;
  for (const auto& commit : line->commits) candidates.emplace_back(commit);
  return json::object{
      {"summary", fmt::format("{} commits up to {}{}", candidates.size(), bad->substr(0, 9),
                              line->cut ? ", and older ones" : "")},
      {"findings", json::array{}},
      {"bad", describe_commit(git, *bad)},
      {"good", line->good},
      {"good_known", line->good_known},
      {"cut", line->cut},
      {"candidates", std::move(candidates)}};
}

// All of a round side by side. What one cannot be run on was not tested.
void test_all(const Request& request, const std::vector<std::string>& commits, Search& search) {
  std::vector<json::value> results(commits.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < commits.size(); ++i) {
      threads.emplace_back([&, i] {
        Request one = request;
        one.input.as_object()["commit"] = commits[i];
        auto result = run_probe(one);
        results[i] = result ? std::move(*result)
                            : json::value(json::object{{"why", result.error().message}});
      });
    }
  }
  for (std::size_t i = 0; i < commits.size(); ++i) take_probe(search, commits[i], results[i]);
}

}  // namespace

Result<json::value> run_history(const Request& request) {
  const Git git{std::string(find_text(request.input, "repository").value_or(""))};
  auto history = history_of(git, request.input);
  if (!history) return std::unexpected(history.error());
  return json::value(std::move(*history));
}

Result<json::value> run_bisect(const Request& request) {
  auto job = job_of(request.input);
  if (!job) return std::unexpected(job.error());
  const Git git{std::string(find_text(request.input, "repository").value_or(""))};
  auto history = history_of(git, request.input);
  if (!history) return std::unexpected(history.error());
  Search search;
  search.command = job->name == "command" ? fmt::format("{}", job->argv.front()) : job->name;
  search.width = static_cast<int>(
      std::clamp(find_integer(request.input, "width")
                     .value_or(static_cast<std::int64_t>(std::thread::hardware_concurrency())),
                 std::int64_t{1}, width_most));
  if (auto taken = take_history(search, json::value(*history)); !taken) {
    return std::unexpected(taken.error());
  }
  auto next = next_of(search);
  while (next && !next->test.empty()) {
    ++search.round;
    test_all(request, next->test, search);
    next = next_of(search);
  }
  if (!next) return std::unexpected(next.error());
  const auto cause = cause_of(search, *next);
  json::array among;
  for (const auto& commit : cause.among) among.emplace_back(commit);
  return json::value(json::object{{"summary", to_sentence(search, cause)},
                                  {"findings", json::array{}},
                                  {"first_bad", cause.sure ? cause.commit : std::string()},
                                  {"among", std::move(among)},
                                  {"commit", cause.described},
                                  {"rounds", search.round},
                                  {"rounds_max", search.rounds_max},
                                  {"search", to_json(search)},
                                  {"markdown", to_markdown(search, cause)},
                                  {"text", to_terminal(search, cause)}});
}

}  // namespace vigil::entities::codebase
