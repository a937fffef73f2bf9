#include "bench/workflow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <stdexcept>
#include <unordered_map>

namespace vigil::bench {
namespace {

using Places = std::vector<std::size_t>;

std::vector<Places> followers_of(const Workflow& workflow) {
  std::vector<Places> out(workflow.steps.size());
  for (std::size_t at = 0; at < workflow.steps.size(); ++at) {
    for (const auto need : workflow.steps[at].needs) out[need].push_back(at);
  }
  return out;
}

// Kahn's order; shorter than the workflow when there is a cycle.
Places topological(const Workflow& workflow, const std::vector<Places>& followers) {
  Places missing;
  for (const auto& step : workflow.steps) missing.push_back(step.needs.size());
  Places out;
  for (std::size_t at = 0; at < missing.size(); ++at) {
    if (missing[at] == 0) out.push_back(at);
  }
  for (std::size_t next = 0; next < out.size(); ++next) {
    for (const auto follower : followers[out[next]]) {
      if (--missing[follower] == 0) out.push_back(follower);
    }
  }
  return out;
}

// From the start of each step to the end of all that follow it.
std::vector<double> paths_of(const Workflow& workflow) {
  const auto followers = followers_of(workflow);
  auto order = topological(workflow, followers);
  std::vector<double> paths(workflow.steps.size(), 0);
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    double after = 0;
    for (const auto follower : followers[*at]) after = std::max(after, paths[follower]);
    paths[*at] = workflow.steps[*at].seconds + after;
  }
  return paths;
}

}  // namespace

double Workflow::work() const {
  return std::accumulate(steps.begin(), steps.end(), 0.0,
                         [](double sum, const Step& step) { return sum + step.seconds; });
}

double Workflow::critical_path() const {
  const auto paths = paths_of(*this);
  return paths.empty() ? 0 : *std::ranges::max_element(paths);
}

double Workflow::lower_bound(int workers) const {
  return std::max(critical_path(), work() / workers);
}

Result<Workflow> read_workflow(const json::value& file) {
  const auto* runs = find_path(file, "workflow.execution.tasks");
  const auto* tasks = find_path(file, "workflow.specification.tasks");
  if (runs == nullptr || tasks == nullptr || !runs->is_array() || !tasks->is_array()) {
    return fail(ErrorCode::invalid_input, "no workflow.specification.tasks and execution.tasks");
  }
  std::unordered_map<std::string, double> seconds;
  for (const auto& run : runs->get_array()) {
    const auto* took = find_path(run, "runtimeInSeconds");
    if (took == nullptr || !took->is_number()) continue;
    seconds[std::string(find_text(run, "id").value_or(""))] = took->to_number<double>();
  }
  std::unordered_map<std::string, std::size_t> places;
  for (const auto& task : tasks->get_array()) {
    places.emplace(find_text(task, "id").value_or(""), places.size());
  }
  Workflow workflow;
  workflow.name = find_text(file, "name").value_or("");
  for (const auto& task : tasks->get_array()) {
    Workflow::Step step;
    step.seconds = seconds[std::string(find_text(task, "id").value_or(""))];
    const auto* parents = find_path(task, "parents");
    if (parents != nullptr && parents->is_array()) {
      for (const auto& parent : parents->get_array()) {
        const auto found =
            parent.is_string() ? places.find(std::string(parent.get_string())) : places.end();
        if (found == places.end()) {
          return fail(ErrorCode::invalid_input, "a parent is not among the tasks");
        }
        step.needs.push_back(found->second);
      }
    }
    workflow.steps.push_back(std::move(step));
  }
  if (topological(workflow, followers_of(workflow)).size() != workflow.steps.size()) {
    return fail(ErrorCode::invalid_input, "the tasks wait for each other in a circle");
  }
  return workflow;
}

double list_schedule(const Workflow& workflow, int workers, Order order) {
  const auto followers = followers_of(workflow);
  const auto paths = paths_of(workflow);
  Places missing;
  for (const auto& step : workflow.steps) missing.push_back(step.needs.size());
  std::size_t came = 0;
  using Ready = std::pair<double, std::size_t>;  // the smallest goes first
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready;
  const auto make_ready = [&](std::size_t at) {
    const double rank = order == Order::longest_path    ? -paths[at]
                        : order == Order::first_in_file ? 0
                                                        : static_cast<double>(came++);
    ready.emplace(rank, at);
  };
  for (std::size_t at = 0; at < missing.size(); ++at) {
    if (missing[at] == 0) make_ready(at);
  }
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> running;  // by its end
  double now = 0;
  while (!ready.empty() || !running.empty()) {
    while (!ready.empty() && running.size() < static_cast<std::size_t>(workers)) {
      const auto at = ready.top().second;
      ready.pop();
      running.emplace(now + workflow.steps[at].seconds, at);
    }
    now = running.top().first;
    while (!running.empty() && running.top().first <= now) {
      const auto at = running.top().second;
      running.pop();
      for (const auto follower : followers[at]) {
        if (--missing[follower] == 0) make_ready(follower);
      }
    }
  }
  return now;
}

}  // namespace vigil::bench
