#include "entities/codebase/builds.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/ci/report_parts.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t fingerprints_max = 20;
constexpr std::size_t tests_max = 50;  // of a search

std::string text_of(const json::value& value, std::string_view key) {
  return std::string(find_text(value, key).value_or(""));
}

json::array array_at(const json::value& value, std::string_view key) {
  const auto* found = find_path(value, key);
  return found != nullptr && found->is_array() ? found->get_array() : json::array{};
}

}  // namespace

std::string Build::verdict_key() const {
  return finding_key("command", command, "", in_time ? "failed" : "timeout");
}

std::vector<std::string> Build::fingerprints() const {
  std::vector<std::string> all;
  for (const auto& test : failing) {
    if (all.size() >= fingerprints_max) break;
    if (std::ranges::find(all, test.fingerprint) == all.end()) all.push_back(test.fingerprint);
  }
  if (all.empty() && !fingerprint.empty()) all.push_back(fingerprint);
  return all;
}

std::vector<std::string> Build::names() const {
  std::vector<std::string> all;
  for (const auto& test : failing) all.push_back(test.name);
  return all;
}

Build build_from(const json::value& result) {
  Build build;
  build.command = text_of(result, "command");
  build.commit = text_of(result, "commit");
  build.ok = find_bool(result, "ok").value_or(false);
  build.in_time = find_bool(result, "in_time").value_or(true);
  build.exit_code = static_cast<int>(find_integer(result, "exit_code").value_or(0));
  build.seconds = ci::find_number(result, "seconds").value_or(0);
  build.fingerprint = text_of(result, "failure.fingerprint");
  build.headline = text_of(result, "failure.headline");
  build.output = text_of(result, "output");
  const auto* tests = find_path(result, "tests");
  build.has_report = tests != nullptr && tests->is_object();
  for (const auto& one : array_at(result, "tests.failing")) {
    build.failing.push_back(
        {text_of(one, "test"), text_of(one, "fingerprint"), text_of(one, "key")});
  }
  for (const auto& one : array_at(result, "tests.flaky")) {
    if (one.is_string()) build.tried_again.emplace_back(std::string_view(one.get_string()));
  }
  const auto* slow = find_path(result, "tests.slow");
  if (slow != nullptr && slow->is_object()) {
    for (const auto& [name, seconds] : slow->get_object()) {
      if (seconds.is_number()) build.slow[name] = seconds.to_number<double>();
    }
  }
  return build;
}

std::vector<Build> builds_of(const swarm::Report& report) {
  std::vector<Build> builds;
  for (const auto& task : report.tasks) {
    if (task.state != swarm::TaskState::done || !task.name.starts_with("command:")) continue;
    if (!find_bool(task.result, "ok")) continue;  // it was not needed
    auto build = build_from(task.result);
    build.task = task.name;
    builds.push_back(std::move(build));
  }
  return builds;
}

Sought sought_of(const Build& build) {
  Sought sought;
  sought.tests = build.names();
  if (sought.tests.size() > tests_max) sought.tests.resize(tests_max);
  sought.fingerprint = build.fingerprint;
  sought.exit_code = build.in_time ? build.exit_code : 0;
  sought.timed_out = !build.in_time;
  return sought;
}

}  // namespace vigil::entities::codebase
