#pragma once
// One commit of a search for the first bad one: the command runs on it, and what comes of it is
// compared with the failure that is looked for. The judgement is pure; the rest blocks: for
// vigil-task.
#include <string>
#include <vector>

#include "entities/analyser.hpp"
#include "entities/ci/bisect.hpp"
#include "entities/codebase/git.hpp"

namespace vigil::entities::codebase {

// The failure that is looked for. All empty: any failure, as `git bisect run` does.
struct Sought {
  std::vector<std::string> tests;  // any of these
  std::string fingerprint;
  int exit_code = 0;  // 0: any
  bool timed_out = false;
};
json::object to_json(const Sought& sought);
Sought sought_from_json(const json::value& value);

// How a run on one commit ended.
struct Seen {
  bool in_time = true;
  int exit_code = 0;  // -1: ended by a signal
  bool ok = true;
  bool has_report = false;
  std::vector<std::string> failing;
  std::string fingerprint;
};

struct ProbeVerdict {
  ci::Verdict verdict = ci::Verdict::untestable;
  std::string why;  // a few words
};
// Exit codes 125 (as git has it), 126 and 127 (it could not be run) test nothing. With tests to
// look for, other tests do not count, and a commit that leaves no report was not tested. Otherwise
// the same fingerprint or exit code is the same failure, and any other is in the way.
ProbeVerdict judge_probe(const Seen& seen, const Sought& sought);
std::string_view to_text(ci::Verdict verdict);  // good, bad, untestable
std::optional<ci::Verdict> verdict_from(std::string_view text);

// {hash, author, date, subject, files}, for people.
json::object describe_commit(const Git& git, const std::string& commit);

Result<json::value> run_probe(const Request& request);    // codebase.probe
Result<json::value> run_history(const Request& request);  // codebase.history
Result<json::value> run_bisect(const Request& request);   // codebase.bisect, by hand

}  // namespace vigil::entities::codebase
