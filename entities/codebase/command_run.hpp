#pragma once
// One run of a command of the repository's own on one commit, in a private copy of its tree.
// Blocking: for vigil-task. Several threads may run at once, each on a commit of its own.
#include <optional>
#include <string>
#include <vector>

#include "entities/codebase/command_reports.hpp"
#include "entities/codebase/git.hpp"

namespace vigil::entities::codebase {

struct Job {
  std::string name;
  std::vector<std::string> argv;
  std::vector<std::string> paths;
  std::vector<std::string> reports;
};
// Out of `name`, `argv`, `paths` and `reports`; by hand the words after the flags are the argv.
Result<Job> job_of(const json::value& input);

struct JobEnd {
  ErrandEnd end;
  Duration took{0};
  std::string tree;  // where it ran; gone by now
  std::string text;  // what it printed, without colours
  TestsTold tests;
  bool has_report = false;
  bool ok() const;  // it said so, and no test failed
};
// Fails when the commit cannot be copied, or the program not be started.
Result<JobEnd> run_job(const Job& job, const Git& git, const std::string& commit,
                       std::optional<Duration> time_left);

// What failed, so that it is known when it comes again: of a digest the same words come to on
// another day and machine, and in words. Pure.
struct Failure {
  std::string fingerprint;
  std::string headline;
};
Failure failure_of(const JobEnd& ended);

// What whoever remembers runs wants to know of one: exit_code, in_time, seconds, ok, failure,
// tests.
void tell_run(const JobEnd& ended, json::object& out);

std::string without_colours(std::string_view text);

}  // namespace vigil::entities::codebase
